"""The pictures of a result, from its files, at most `LONGEST_PX` a side."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.displacement import coarser
from cloudfree.core.grid import Grid, strips
from cloudfree.core.mask_classes import MASK_COLOURS, FillClass, Mask, MaskClass, is_filled
from cloudfree.core.radiometry import Float32
from cloudfree.errors import InputError
from cloudfree.raster.dataset import Dataset, reduced, reduced_classes, reduced_mean
from cloudfree.report.pictures import (
    SHORT_WAVE_INFRARED,
    TRUE_COLOUR,
    Picture,
    Stretch,
    class_legend,
    error_colours,
    fill_colours,
    fill_legend,
    mask_colours,
    outline,
    radar_colours,
    size_colours,
    stretch_of,
)
from cloudfree.report.reference_on_grid import reference_on_grid
from cloudfree.report.sources import OpenReference, Sources
from cloudfree.sentinel1.sar_source import SarSource
from cloudfree.sentinel2.optical_scene import OpticalScene

logger = logging.getLogger("cloudfree")

LONGEST_PX = 1024
STRIP_ROWS = 64

LABELS = {"before": "Before", "after": "After", "truth": "Truth"}
CAPTIONS = {"before": "The cloudy scene", "after": "The result", "truth": "The cloud-free truth"}


def quicklooks(sources: Sources) -> Iterator[Picture]:
    """The pictures that the files of a result allow, the scenes first."""
    grid = reduced(sources.after.grid, LONGEST_PX)
    sources.after.require(TRUE_COLOUR, "a true-colour picture")
    clear = _clear(sources, grid)
    yield from _composites(sources, TRUE_COLOUR, grid, clear)
    if set(SHORT_WAVE_INFRARED) <= set(sources.after.bands):
        yield from _composites(sources, SHORT_WAVE_INFRARED, grid, clear)
    yield from _radar(sources, grid)
    yield from _masks(sources, grid)
    if sources.deviations:
        yield _deviation(sources.deviations, grid)
    if sources.truth:
        yield _error(sources.truth, sources.after, grid)


def _composites(
    sources: Sources, bands: tuple[str, ...], grid: Grid, clear: NDArray[np.bool_] | None
) -> Iterator[Picture]:
    """Three bands of the scene before and after, the truth and the references, in one stretch."""
    scenes = {"before": sources.before, "after": sources.after, "truth": sources.truth}
    images = {
        name: scene.reduced_reflectance(bands, grid) for name, scene in scenes.items() if scene
    }
    stretch = stretch_of(images["after"], clear)
    composite = _composite(bands, sources.after)
    for name, image in images.items():
        caption = f"{CAPTIONS[name]}, {_as_colours(bands)}"
        yield Picture(name, LABELS[name], caption, stretch.colours(image), composite)
    for reference in sources.references:
        if set(bands) <= set(reference.scene.bands):
            yield _reference(reference, bands, sources.after.grid, stretch)


def _reference(
    reference: OpenReference, bands: tuple[str, ...], grid: Grid, stretch: Stretch
) -> Picture:
    """Another date as it was seen, clouds included, where the result lies."""
    scene, used = reference.scene, reference.used
    image = reference_on_grid(scene, bands, grid, used.shift, LONGEST_PX)
    day = f", {used.acquired:%Y-%m-%d}" if used.acquired else ""
    return Picture(
        name=f"reference_{reference.number}",
        label=f"Reference {reference.number}{day}",
        caption=f"{used.path.name} as it is, clouds included, {_as_colours(bands)}",
        pixels=stretch.colours(image),
        composite=_composite(bands, scene),
    )


def _composite(bands: tuple[str, ...], scene: OpticalScene) -> str:
    """Which of two pictures of a scene these bands are; neither if there is one alone."""
    if bands == SHORT_WAVE_INFRARED:
        return "swir"
    return "true" if set(SHORT_WAVE_INFRARED) <= set(scene.bands) else ""


def _as_colours(bands: tuple[str, ...]) -> str:
    return f"{', '.join(bands)} as red, green, blue"


def _radar(sources: Sources, grid: Grid) -> Iterator[Picture]:
    if sources.sar is None:
        return
    try:
        backscatter_db = _backscatter_db(sources.sar, sources, grid)
    except InputError as error:
        logger.warning("no picture of the radar: %s", error.found)
    else:
        bands = sources.sar.bands
        colours = "VV red, VH green, VV \N{MINUS SIGN} VH blue"
        caption = f"Sentinel-1 in dB, {colours if len(bands) > 1 else bands[0]}"
        yield Picture("sar", "Radar", caption, radar_colours(backscatter_db, bands))


def _backscatter_db(sar: SarSource, sources: Sources, grid: Grid) -> Float32:
    """Its bands on `grid` with the shift of the result, strip by strip: the source may be huge."""
    rows, cols = sources.after.grid.height / grid.height, sources.after.grid.width / grid.width
    shift = coarser(sources.provenance.shift, rows, cols)
    parts = strips(grid.height, grid.width, STRIP_ROWS)
    return np.concatenate([sar.on_grid(grid, part, shift) for part in parts], axis=1)


def _masks(sources: Sources, grid: Grid) -> Iterator[Picture]:
    if sources.mask:
        mask = reduced_classes(sources.mask, grid)
        legend = class_legend(MASK_COLOURS)
        yield Picture("mask", "Mask", "Cloud mask", mask_colours(mask), legend=legend)
    if sources.filled:
        fill_mask = reduced_classes(sources.filled, grid)
        if not sources.mask or _says_more_than_the_mask(fill_mask):
            name = "filled" if sources.mask else "mask"
            colours, legend = fill_colours(fill_mask), fill_legend(fill_mask)
            yield Picture(name, "Filled", "What pixels were filled by", colours, legend=legend)
        filled = is_filled(fill_mask)
        yield Picture("outline", "Outline", "Border of the filled pixels", outline(filled))


def _says_more_than_the_mask(fill_mask: Mask) -> bool:
    """Whether clouds are not all filled, or not all by the network."""
    plain = (FillClass.ORIGINAL, FillClass.FILLED, FillClass.NODATA)
    return not np.isin(fill_mask, plain).all()


def _deviation(deviations: Dataset, grid: Grid) -> Picture:
    caption = "Standard deviation of filled pixels in reflectance, mean over all bands"
    pixels = size_colours(reduced_mean(deviations, grid))
    return Picture("uncertainty", "Uncertainty", caption, pixels)


def _error(truth: OpticalScene, after: OpticalScene, grid: Grid) -> Picture:
    images = [scene.reduced_reflectance(after.bands, grid) for scene in (truth, after)]
    caption = "Absolute error of the result in reflectance, mean over all bands"
    return Picture("error", "Error", caption, error_colours(*images))


def _clear(sources: Sources, grid: Grid) -> NDArray[np.bool_] | None:
    if sources.mask is None:
        return None
    return np.asarray(reduced_classes(sources.mask, grid) == MaskClass.CLEAR)
