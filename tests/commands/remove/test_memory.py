"""Memory of `cloudfree remove`: a higher scene takes no more of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from cloudfree.commands.simulate import run as simulate
from cloudfree.commands.simulate.options import SimulateOptions
from cloudfree.core.terminal import silent

SIDE, COPIES_BESIDE = 512, 2
# As much clear ground as `--adapt` learns from at most, even in the low scene.
COVER = 0.25


def pile(source: Path, target: Path, copies: int) -> None:
    """Copies of a scene on top of each other, two beside each other."""
    with rasterio.open(source) as scene:
        pixels = np.tile(scene.read(), (1, 1, COPIES_BESIDE))
        profile = {**scene.profile, "driver": "GTiff", "blockxsize": SIDE, "blockysize": SIDE}
        size = {"height": copies * SIDE, "width": COPIES_BESIDE * SIDE}
        with rasterio.open(target, "w", **{**profile, **size, "tiled": True}) as pile:
            for copy in range(copies):
                pile.write(pixels, window=Window(0, copy * SIDE, COPIES_BESIDE * SIDE, SIDE))
            pile.descriptions = scene.descriptions
            pile.update_tags(**scene.tags())


def peak_bytes(folder: Path, scene: Path, copies: int, *options: str) -> int:
    """Most memory that the whole command has held, on a scene of so many copies."""
    for name in ("s2_cloudy", "s1"):
        pile(scene / f"{name}.tif", folder / f"{name}_{copies}.tif", copies)
    inputs = ["--s1", f"s1_{copies}.tif", "--s2", f"s2_cloudy_{copies}.tif"]
    arguments = [*inputs, "-o", "out.tif", *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "cloudfree", "remove", *arguments, "--overwrite", "--quiet"],
        cwd=folder,
        # The cache of decoded blocks fills up to its bound, whatever the height.
        env={**os.environ, "GDAL_CACHEMAX": "32"},
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no os.wait4")
@pytest.mark.parametrize("options", [(), ("--adapt",)], ids=["alone", "adapted"])
def test_four_times_the_height_takes_the_same_memory(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    scene = tmp_path / "scene"
    simulate.run(SimulateOptions(scene, size=SIDE, seed=3, cloud_cover=COVER), silent)
    low, high = (peak_bytes(tmp_path, scene, copies, *options) for copies in (4, 16))
    # Caches fill up at first, and each doubling adds an overview, whose blocks take some 30 MB to
    # write; what grows with each row has no end.
    assert high < 1.15 * low, f"{low / 1e6:.0f} MB, then {high / 1e6:.0f} MB"
