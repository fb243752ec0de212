"""Sentinel-1 products in a folder, and the one of several that suits a scene."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.grid import Grid
from cloudfree.errors import CloudfreeError
from cloudfree.sentinel1.sar_source import open_sar_source
from cloudfree.sentinel2.products_below import PACKED, products_named

# Names of products, S1-RS-MDA-52-7441, as folders or zip files.
_S1_PRODUCT = re.compile(rf"S1[A-D]_[A-Z0-9]{{2}}_GRD{PACKED}", re.IGNORECASE)

# Fraction of a scene from which a product counts as covering it, as its edge is not straight.
COVERING = 0.99


def radars_below(folder: Path) -> list[Path]:
    """The GRD products of Sentinel-1 in a folder and in those below it."""
    return list(products_named(folder, _S1_PRODUCT).values())


def nearest_radar(
    gaps: Mapping[Path, timedelta],
    grid: Grid,
    most: timedelta,
    bands: Sequence[str] = SAR_BANDS,
) -> Path | None:
    """The nearest in time that covers a grid, or else the one that covers most of it.

    `gaps` has the time between each and the scene; those of more than `most` are left. One that
    lacks one of `bands`, or cannot be opened, covers nothing; its error is reported when it is
    used.
    """
    best, best_share = None, 0.0
    for path in sorted((path for path in gaps if gaps[path] <= most), key=gaps.__getitem__):
        share = _share(path, grid, bands)
        if share > best_share:
            best, best_share = path, share
        if best_share >= COVERING:
            break
    return best


def _share(path: Path, grid: Grid, bands: Sequence[str]) -> float:
    """Fraction of a grid that a product covers in these bands; 0 if it cannot be opened."""
    try:
        with open_sar_source(path) as radar:
            return radar.overlap(grid) if set(bands) <= set(radar.bands) else 0.0
    except CloudfreeError:
        return 0.0
