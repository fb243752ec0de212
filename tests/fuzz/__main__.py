"""Make the mutant of a seed again: `python -m tests.fuzz FORMAT SEED FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.factories.stac_server import ADDRESS
from tests.fuzz.answers import answering
from tests.fuzz.campaign import addressed, mutant
from tests.fuzz.formats import FORMATS


def main() -> None:
    """Write the whole files and the mutant, and print the command line that reads it."""
    name, seed, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    (folder / "whole").mkdir(parents=True)
    FORMATS[name].whole(folder / "whole")
    (folder / "whole" / "out").mkdir(exist_ok=True)
    words = mutant(FORMATS[name], folder / "whole", folder / "work", seed)
    with answering(folder / "work") as address:
        print(f"cd {folder / 'work'} && cloudfree {' '.join(addressed(words, address))}")
        if ADDRESS in " ".join(words):
            input("The server answers until Enter is pressed.")


if __name__ == "__main__":
    main()
