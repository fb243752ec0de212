"""A miniature SEN12MS-CR-TS made by code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from cloudfree.core.bands import OPTICAL_BANDS
from tests.factories.rasters import CLOUD, FIELD, write_radar, write_raster

SERIES_SIDE = 64
SERIES_TEST, SERIES_VAL, SERIES_TRAIN = "ROIs1868_100", "ROIs1970_65", "ROIs1970_21"

FIRST, EVERY = date(2018, 1, 6), timedelta(days=12)
# Radar is two days later.
RADAR_LATER = timedelta(days=2)

# How much of each date is cloud: the third is the clearest, the last one as clear but later.
SHARES = (0.4, 0.9, 0.0, 0.3, 0.0)


def series_paths(
    root: Path, place: str, dates: int = len(SHARES), patch: int = 7
) -> list[tuple[Path, Path]]:
    """Where the optical and the radar image of each date of a patch lie."""
    collection, roi = place.split("_")
    paths = []
    for number in range(dates):
        day = FIRST + number * EVERY
        optical, radar = (
            root / collection / roi / sensor.upper() / str(number)
            / f"{sensor}_{place}_ImgNo_{number}_{when}_patch_{patch}.tif"
            for sensor, when in (("s2", day), ("s1", day + RADAR_LATER))
        )  # fmt: skip
        paths.append((optical, radar))
    return paths


def touch_time_series(
    root: Path, place: str, dates: int = len(SHARES), patch: int = 7
) -> list[tuple[Path, Path]]:
    """The files of a patch without anything in them."""
    paths = series_paths(root, place, dates, patch)
    for path in (one for pair in paths for one in pair):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def write_time_series(
    root: Path,
    place: str,
    shares: Sequence[float] = SHARES,
    patch: int = 7,
    side: int = SERIES_SIDE,
) -> list[tuple[Path, Path]]:
    """A patch whose dates show a field, each with cloud over a share of its rows."""
    paths = touch_time_series(root, place, len(shares), patch)
    for number, ((optical, radar), share) in enumerate(zip(paths, shares, strict=True)):
        write_raster(optical, _cloudy_field(share, side, number), OPTICAL_BANDS)
        write_radar(radar, side, side)
    return paths


def _cloudy_field(share: float, side: int, seed: int) -> np.ndarray:
    """Digital numbers (13, y, x) of the field, under cloud from the first row on."""
    cloud = np.arange(side)[:, None] < share * side
    spectra = np.where(cloud, np.reshape(CLOUD, (13, 1, 1)), np.reshape(FIELD, (13, 1, 1)))
    noise = np.random.default_rng(seed).normal(0, 0.003, (13, side, side))
    return np.clip(10_000 * (spectra + noise), 1, 65535).astype(np.uint16)


def write_series_tree(root: Path) -> Path:
    """A SEN12MS-CR-TS of four patches: two of training, one of validation, one of test."""
    write_time_series(root, SERIES_TRAIN, patch=0)
    write_time_series(root, SERIES_TRAIN, patch=1)
    write_time_series(root, SERIES_VAL)
    write_time_series(root, SERIES_TEST)
    return root
