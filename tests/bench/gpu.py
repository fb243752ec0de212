"""How busy `remove` keeps the first GPU: `python -m tests.bench.gpu [--size 10980]`.

GLF-CR with untrained weights, in the precision of `auto`, every tile cloudy; from file to file,
including imports and the loading of CUDA. Utilisation is measured by nvidia-smi.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

from cloudfree.commands.remove import run as remove
from cloudfree.core.terminal import silent
from cloudfree.parallel.environment import limit_malloc_arenas, set_library_defaults
from tests.bench.remove_cases import glf_cr_checkpoint
from tests.bench.scene import full_scene

# Percent of the time before in which a kernel ran, ten times a second.
ASK = ("nvidia-smi", "--id=0", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits")
EVERY = "--loop-ms=100"


@contextmanager
def busy_percent(ask: Sequence[str] = (*ASK, EVERY)) -> Iterator[list[float]]:
    """Numbers that a command prints while the block runs; complete after it."""
    percent: list[float] = []
    with subprocess.Popen(ask, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield percent
        finally:
            process.terminate()
            percent += [float(line) for line in process.communicate()[0].split()]


def main() -> None:
    """Run `remove` once and print how busy the GPU was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=4096, help="side of the scene in pixels")
    size = parser.parse_args().size
    set_library_defaults()  # as the command line does
    limit_malloc_arenas()
    s2, s1 = full_scene(size)
    with tempfile.TemporaryDirectory(prefix="cloudfree-bench-") as folder:
        options = remove.RemoveOptions(
            s2=s2, s1=(s1,), output=Path(folder) / "cloudfree.tif", replace="all", shift="none",
            model=glf_cr_checkpoint(Path(folder)), device="cuda",
        )  # fmt: skip
        with busy_percent() as busy:
            start = time.perf_counter()
            result = remove.run(options, silent)
            seconds = time.perf_counter() - start
    print(f"{size} px, {result.tiles} tiles, {result.runtime}: {seconds:.1f} s")
    print(f"busy for {mean(busy):.0f} % of {len(busy)} samples")


if __name__ == "__main__":
    main()
