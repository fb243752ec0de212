"""One case in a process of its own: `python -m tests.bench.case NAME SIZE`.

Prints the seconds of the work itself; imports and the loading of the model come before.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cloudfree.parallel.environment import limit_malloc_arenas, set_library_defaults
from tests.bench import mask_cases


def find_case(name: str) -> Callable[[int, Path], None]:
    """The case, with torch and the model loaded only where it needs them."""
    if name in mask_cases.CASES:
        return mask_cases.CASES[name]
    from tests.bench import remove_cases

    limit_malloc_arenas()  # as the command line does
    remove_cases.warm_up()
    return remove_cases.CASES[name]


def main(arguments: Sequence[str]) -> None:
    """Run one case; print its seconds as JSON."""
    set_library_defaults()
    case, size = find_case(arguments[0]), int(arguments[1])
    with tempfile.TemporaryDirectory(prefix="cloudfree-bench-") as folder:
        start = time.perf_counter()
        case(size, Path(folder))
        print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(sys.argv[1:])
