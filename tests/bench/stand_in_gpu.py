"""How busy `remove` keeps a GPU that is not there: `python -m tests.bench.stand_in_gpu`.

The stand-in only takes time, by default that of GLF-CR on an H100, one batch
after the other. All else is real: the tiles of GLF-CR are read, scaled, added up and written.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from cloudfree.commands.remove import run as remove
from cloudfree.core.terminal import silent
from cloudfree.inference.load import load_model
from cloudfree.inference.model import GPU_BATCH, Arrays, Model
from cloudfree.inference.torch_runtime import GPU_BATCHES
from cloudfree.parallel.environment import limit_malloc_arenas, set_library_defaults
from tests.bench.remove_cases import glf_cr_checkpoint, instead_of_loading
from tests.bench.scene import full_scene

# A tile of 128 pixels, in bf16 (docs/experiments.md).
H100_MS = 4.6


@dataclass
class StandIn:
    """A runtime that computes one batch after the other, each for so long, and gives it back."""

    milliseconds: float
    description: str = "a GPU that only takes time"
    batch: int = GPU_BATCH
    busy: list[tuple[float, float]] = field(default_factory=list)
    _computing: Lock = field(default_factory=Lock)

    def parallel_batches(self) -> AbstractContextManager[int]:
        """As many as on a GPU."""
        return nullcontext(GPU_BATCHES)

    def run(self, inputs: Arrays) -> Arrays:
        """The optical tiles, after their time."""
        image = inputs["optical"].copy()
        with self._computing:
            start = time.perf_counter()
            time.sleep(len(image) * self.milliseconds / 1000)
            self.busy.append((start, time.perf_counter()))
        return {"image": image}


@dataclass(frozen=True)
class Fed:
    """Seconds of a run, of those the ones before the first batch, after the last, and busy."""

    seconds: float
    before: float
    after: float
    busy: float

    @property
    def share(self) -> float:
        """Of the time from the first batch to the last one, that in which the GPU was busy."""
        return self.busy / (self.seconds - self.before - self.after)


def feed(size: int, milliseconds: float) -> Fed:
    """`cloudfree remove` of a scene of that side, every tile cloudy, with GLF-CR's tiles."""
    s2, s1 = full_scene(size)
    with tempfile.TemporaryDirectory(prefix="cloudfree-bench-") as folder:
        name = glf_cr_checkpoint(Path(folder))
        gpu = StandIn(milliseconds)
        output = Path(folder) / "cloudfree.tif"
        options = remove.RemoveOptions(
            s2=s2, s1=(s1,), output=output, model=name, replace="all", shift="none"
        )
        with instead_of_loading(Model(load_model(name, "cpu").card, gpu)):
            start = time.perf_counter()
            remove.run(options, silent)
            end = time.perf_counter()
    busy = sum(stop - begun for begun, stop in gpu.busy)
    return Fed(end - start, gpu.busy[0][0] - start, end - gpu.busy[-1][1], busy)


def main() -> None:
    """Print how busy it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=4096, help="side of the scene in pixels")
    parser.add_argument("--milliseconds", type=float, default=H100_MS, help="for a tile")
    options = parser.parse_args()
    set_library_defaults()  # as the command line does
    limit_malloc_arenas()
    fed = feed(options.size, options.milliseconds)
    print(f"{options.size} px, {options.milliseconds:g} ms a tile: {fed.seconds:.1f} s")
    print(f"{fed.before:.1f} s before the first batch, {fed.after:.1f} s after the last")
    print(f"busy for {fed.busy / fed.seconds:.0%}, between them for {fed.share:.0%}")


if __name__ == "__main__":
    main()
