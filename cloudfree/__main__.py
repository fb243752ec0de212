"""`python -m cloudfree`, as `torchrun -m cloudfree` needs it."""

from cloudfree.cli import main

if __name__ == "__main__":
    main()
