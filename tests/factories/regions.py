"""A folder of regions with scenes of drawn ground, as the cloud detector is trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cloudfree.core.bands import OPTICAL_BANDS
from tests.factories.rasters import write_raster

SIDE_PX = 280


def write_regions(folder: Path) -> Path:
    """Two regions: a town with a clear scene of L2A, a field with a pair of L1C."""
    rng = np.random.default_rng(3)
    ground = rng.integers(800, 2500, (13, SIDE_PX, SIDE_PX)).astype(np.uint16)
    cloudy = ground.copy()
    cloudy[:, 40:140, 40:140] = 8000
    without_cirrus = [band for band in OPTICAL_BANDS if band != "B10"]
    for region in ("field", "town"):
        (folder / region).mkdir(parents=True)
    write_raster(folder / "field" / "june_clear.tif", ground, OPTICAL_BANDS)
    write_raster(folder / "field" / "june_cloudy.tif", cloudy, OPTICAL_BANDS)
    write_raster(folder / "town" / "may_clear.tif", ground[:12], without_cirrus)
    return folder
