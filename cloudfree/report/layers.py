"""The layers of a result: what can be drawn of its files, whole or in part, at any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from cloudfree.core.displacement import coarser
from cloudfree.core.grid import Grid, Window, strips
from cloudfree.core.mask_classes import (
    MASK_COLOURS,
    FillClass,
    Mask,
    MaskClass,
    is_filled,
)
from cloudfree.core.radiometry import Float32
from cloudfree.raster.dataset import Dataset, reduced, reduced_classes, reduced_mean
from cloudfree.report.composites import Composite, as_colours, composites_of
from cloudfree.report.pictures import (
    Picture,
    Rgb,
    Stretch,
    UInt8Image,
    Where,
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

STRIP_ROWS = 64

LABELS = {"before": "Before", "after": "After", "truth": "Truth"}
CAPTIONS = {"before": "The cloudy scene", "after": "The result", "truth": "The cloud-free truth"}


@dataclass(frozen=True)
class Place:
    """A part of a result in the pixels of a picture.

    `window` is the part in pixels of the result. `level` is the grid of all of the result in the
    pixels of the picture, and `part` the window of it.
    """

    window: Window
    level: Grid
    part: Window

    @property
    def grid(self) -> Grid:
        """The grid of the picture."""
        return self.level if self.part == self.level.window else self.level.crop(self.part)


def whole_place(grid: Grid, longest_px: int) -> Place:
    """All of a result, no side of the picture longer than `longest_px`."""
    level = reduced(grid, longest_px)
    return Place(grid.window, level, level.window)


@dataclass(frozen=True)
class Layer:
    """One way to look at a result; `draw` makes a picture of a place, (y, x, 4).

    The other fields are those of `Picture`.
    """

    name: str
    label: str
    caption: str
    draw: Callable[[Place], UInt8Image]
    composite: str = ""
    legend: Mapping[str, Rgb] = field(default_factory=dict)

    def picture(self, place: Place) -> Picture:
        """The layer at a place."""
        return Picture(
            self.name, self.label, self.caption, self.draw(place), self.composite, self.legend
        )


def layers(sources: Sources, overview: Place) -> Iterator[Layer]:
    """The layers that the files of a result allow, the scenes first.

    Colours are those that suit the whole result as `overview` shows it.
    """
    clear = _clear(sources, overview)
    found = composites_of(sources.after.bands)
    for composite in found:
        yield from _optical(sources, composite, len(found) > 1, overview, clear)
    if sources.sar:
        yield _radar(sources.sar, sources)
    yield from _masks(sources, overview)
    if sources.deviations:
        yield _deviation(sources.deviations)
    if sources.truth:
        yield _error(sources.truth, sources.after)


def _optical(
    sources: Sources, composite: Composite, several: bool, overview: Place, clear: Where | None
) -> Iterator[Layer]:
    """Three bands of the scene before and after, the truth and the references, in one stretch."""
    bands = composite.bands
    scenes = {"before": sources.before, "after": sources.after, "truth": sources.truth}
    stretch = stretch_of(sources.after.reduced_reflectance(bands, overview.grid), clear)
    for name, scene in scenes.items():
        if scene:
            caption = f"{CAPTIONS[name]}, {as_colours(bands)}"
            draw = partial(_scene_at, scene, composite, stretch)
            yield Layer(name, LABELS[name], caption, draw, composite.name if several else "")
    for reference in sources.references:
        if set(bands) <= set(reference.scene.bands):
            yield _reference(reference, composite, sources.after.grid, stretch)


def _scene_at(
    scene: OpticalScene, composite: Composite, stretch: Stretch, place: Place
) -> UInt8Image:
    return stretch.colours(scene.reduced_reflectance(composite.bands, place.grid, place.window))


def _reference(
    reference: OpenReference, composite: Composite, grid: Grid, stretch: Stretch
) -> Layer:
    """Another date as it was seen, clouds included, where the result lies."""
    scene, used = reference.scene, reference.used
    several = len(composites_of(scene.bands)) > 1
    day = f", {used.acquired:%Y-%m-%d}" if used.acquired else ""

    def draw(place: Place) -> UInt8Image:
        longest_px = max(place.part.height, place.part.width)
        image = reference_on_grid(
            scene, composite.bands, grid.crop(place.window), used.shift, longest_px
        )
        return stretch.colours(image)

    return Layer(
        name=f"reference_{reference.number}",
        label=f"Reference {reference.number}{day}",
        caption=f"{used.path.name} as it is, clouds included, {as_colours(composite.bands)}",
        draw=draw,
        composite=composite.name if several else "",
    )


def _radar(sar: SarSource, sources: Sources) -> Layer:
    colours = "VV red, VH green, VV \N{MINUS SIGN} VH blue"
    caption = f"Sentinel-1 in dB, {colours if len(sar.bands) > 1 else sar.bands[0]}"
    return Layer("sar", "Radar", caption, partial(_radar_at, sar, sources))


def _radar_at(sar: SarSource, sources: Sources, place: Place) -> UInt8Image:
    return radar_colours(_backscatter_db(sar, sources, place), sar.bands)


def _backscatter_db(sar: SarSource, sources: Sources, place: Place) -> Float32:
    """Its bands with the shift of the result, strip by strip: the source may be huge."""
    level, whole = place.level, sources.after.grid
    shift = coarser(
        sources.provenance.shift, whole.height / level.height, whole.width / level.width
    )
    rows = strips(place.part.height, place.part.width, STRIP_ROWS)
    parts = [sar.on_grid(level, strip.within(place.part), shift) for strip in rows]
    return np.concatenate(parts, axis=1)


def _masks(sources: Sources, overview: Place) -> Iterator[Layer]:
    if sources.mask:
        draw = partial(_classes_at, sources.mask, mask_colours)
        yield Layer("mask", "Mask", "Cloud mask", draw, legend=class_legend(MASK_COLOURS))
    if sources.filled:
        fill_mask = reduced_classes(sources.filled, overview.grid)
        if not sources.mask or _says_more_than_the_mask(fill_mask):
            name, draw = (
                "filled" if sources.mask else "mask",
                partial(_classes_at, sources.filled, fill_colours),
            )
            caption, legend = "What pixels were filled by", fill_legend(fill_mask)
            yield Layer(name, "Filled", caption, draw, legend=legend)
        draw = partial(_classes_at, sources.filled, lambda classes: outline(is_filled(classes)))
        yield Layer("outline", "Outline", "Border of the filled pixels", draw)


def _classes_at(mask: Dataset, colours: Callable[[Mask], UInt8Image], place: Place) -> UInt8Image:
    return colours(reduced_classes(mask, place.grid, place.window))


def _says_more_than_the_mask(fill_mask: Mask) -> bool:
    """Whether clouds are not all filled, or not all by the network."""
    plain = (FillClass.ORIGINAL, FillClass.FILLED, FillClass.NODATA)
    return not np.isin(fill_mask, plain).all()


def _deviation(deviations: Dataset) -> Layer:
    caption = "Standard deviation of filled pixels in reflectance, mean over all bands"

    def draw(place: Place) -> UInt8Image:
        return size_colours(reduced_mean(deviations, place.grid, place.window))

    return Layer("uncertainty", "Uncertainty", caption, draw)


def _error(truth: OpticalScene, after: OpticalScene) -> Layer:
    caption = "Absolute error of the result in reflectance, mean over all bands"

    def draw(place: Place) -> UInt8Image:
        images = [
            scene.reduced_reflectance(after.bands, place.grid, place.window)
            for scene in (truth, after)
        ]
        return error_colours(*images)

    return Layer("error", "Error", caption, draw)


def _clear(sources: Sources, overview: Place) -> Where | None:
    if sources.mask is None:
        return None
    return np.asarray(reduced_classes(sources.mask, overview.grid) == MaskClass.CLEAR)
