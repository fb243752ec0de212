"""Sentinel-1 of the time of a reference."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from cloudfree.commands.options import RadarOptions
from cloudfree.commands.radars import nearest_radar, radars_below
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.references.reference import ReferenceRadar
from cloudfree.core.acquisition import UNKNOWN, Acquisition
from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.dated_names import dated
from cloudfree.coregistration.measure import measure
from cloudfree.errors import CloudfreeError
from cloudfree.raster.stac_files import item_paths
from cloudfree.sentinel1.product import MANIFEST, acquisition_of_name, find_product
from cloudfree.sentinel1.sar_source import open_sar_source
from cloudfree.sentinel2.products_below import paths_below

logger = logging.getLogger("cloudfree")

# s1_20180531.tif, May_s1.tif: rasters of radar in a folder.
_RASTER = re.compile(r"(?:.*_)?s1(?:_.*)?\.tiff?", re.IGNORECASE)


def dated_radars(places: Iterable[Path]) -> dict[Path, Acquisition]:
    """Radar files, products and those in folders, with their dates as far as they are known."""
    paths = [path for place in places for path in _radars(place)]
    return {path: _acquisition(path) for path in paths}


def radar_of_date(
    radars: Mapping[Path, Acquisition],
    acquisition: Acquisition,
    scene: CloudyScene,
    options: RadarOptions,
    stack: ExitStack,
    bands: Sequence[str] = SAR_BANDS,
) -> ReferenceRadar | None:
    """The radar nearest in time to a date that has these bands, opened.

    None if none is near or it cannot be used.
    """
    known = {path: one.gap(acquisition) for path, one in radars.items()}
    gaps = {path: gap for path, gap in known.items() if gap is not None}
    path = nearest_radar(gaps, scene.optical.grid, timedelta(days=options.max_gap), bands)
    if path is None:
        return None
    try:
        dem = options.dem if find_product(path) else None
        sar = stack.enter_context(open_sar_source(path, options.s1_units, dem))
        measured = measure(sar, scene.optical, scene.mask, options.shift, options.max_shift)
    except CloudfreeError as error:
        logger.warning("radar %s is left out: %s", path, error.found)
        return None
    logger.info("radar %s, %.1f days from the reference", path, gaps[path] / timedelta(days=1))
    return ReferenceRadar(sar, measured.applied_shift)


def _radars(place: Path) -> list[Path]:
    if not place.is_dir() or (place / MANIFEST).is_file():
        return item_paths(place, "sentinel-1")
    rasters = [path for path in paths_below(place) if _RASTER.fullmatch(path.name)]
    return [*radars_below(place), *sorted(rasters)]


def _acquisition(path: Path) -> Acquisition:
    """By the name, or else by the file."""
    if named := acquisition_of_name(path.name):
        return named
    try:
        with open_sar_source(path) as radar:
            return dated(radar.acquisition, path)
    except CloudfreeError as error:
        logger.warning("radar %s is left out: %s", path, error.found)
        return UNKNOWN
