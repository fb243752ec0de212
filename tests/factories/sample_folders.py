"""Miniature data sets made by code."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cloudfree.core.bands import OPTICAL_BANDS
from tests.factories.rasters import FIELD, cloudy_scene, write_radar, write_raster

SIDE = 32

# Places of each split that the published loader mixes up: 1 is part of 106, 123, 140 and 17.
TEST, VAL, TRAIN = "ROIs1158_spring_106", "ROIs1158_spring_17", "ROIs1158_spring_1"


def paths_of(root: Path, place: str, patch: str) -> dict[str, Path]:
    """Where the files of a patch of SEN12MS-CR lie."""
    collection, roi = place.rsplit("_", 1)
    return {
        kind: root / f"{collection}_{kind}" / f"{kind}_{roi}" / f"{stem}_{roi}_{patch}.tif"
        for kind in ("s1", "s2", "s2_cloudy")
        for stem in [f"{collection}_{kind}"]
    }


def touch_patch(root: Path, place: str, patch: str = "p30") -> dict[str, Path]:
    """The files of a patch of SEN12MS-CR without anything in them."""
    paths = paths_of(root, place, patch)
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def write_patch(
    root: Path, place: str, patch: str = "p30", seed: int = 0, side: int = SIDE
) -> dict[str, Path]:
    """The files of a patch of SEN12MS-CR: a field, and the same under a round cloud."""
    paths = touch_patch(root, place, patch)
    _write(paths["s2_cloudy"], paths["s2"], paths["s1"], side, seed)
    return paths


def write_triplet(folder: Path, name: str, side: int = SIDE, seed: int = 0) -> None:
    """The files NAME_s1.tif, NAME_s2_cloudy.tif and NAME_s2_clear.tif; without a name, s1.tif."""
    folder.mkdir(parents=True, exist_ok=True)
    start = f"{name}_" if name else ""
    paths = [folder / f"{start}{kind}.tif" for kind in ("s2_cloudy", "s2_clear", "s1")]
    _write(*paths, side, seed)


def write_tree(root: Path) -> Path:
    """A SEN12MS-CR of six patches: three of two test places, two of training, one of validation."""
    write_patch(root, TEST, "p30", seed=1)
    write_patch(root, TEST, "p31", seed=2)
    write_patch(root, "ROIs1868_summer_73", "p1", seed=3)
    write_patch(root, TRAIN, "p30", seed=4)
    write_patch(root, "ROIs1158_spring_6", "p30", seed=5)
    write_patch(root, VAL, "p30", seed=6)
    return root


def field(side: int = SIDE) -> np.ndarray:
    """Digital numbers of the clear image, (13, y, x)."""
    level = np.round(10_000 * np.reshape(FIELD, (13, 1, 1)))
    return np.broadcast_to(level, (13, side, side)).astype(np.uint16)


def _write(cloudy: Path, clear: Path, radar: Path, side: int, seed: int) -> None:
    pixels, cloud = cloudy_scene(side, side, seed)
    write_raster(cloudy, pixels, OPTICAL_BANDS)
    write_raster(clear, np.where(cloud, field(side), pixels).astype(np.uint16), OPTICAL_BANDS)
    write_radar(radar, side, side)
