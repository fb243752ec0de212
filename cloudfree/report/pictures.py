"""Arrays to colours: what reflectance, radar, masks and errors look like.

Pictures are uint8, (y, x, 4): red, green, blue and opacity; where there is no data they are black
and transparent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.mask_classes import (
    FILL_COLOURS,
    FILLED_CLASSES,
    MASK_COLOURS,
    FillClass,
    Mask,
    MaskClass,
)
from cloudfree.core.radiometry import Float32

UInt8Image = NDArray[np.uint8]
Rgb = tuple[int, int, int]
ClassColours = Mapping[MaskClass, Rgb] | Mapping[FillClass, Rgb]
Where = NDArray[np.bool_]

# Three bands as red, green and blue.
TRUE_COLOUR = ("B04", "B03", "B02")
FALSE_COLOUR = ("B08", "B04", "B03")
SHORT_WAVE_INFRARED = ("B11", "B08", "B04")

# Eyes want dark fields brighter than reflectance has them.
GAMMA = 1.3
# Even ground, such as open sea, is not stretched beyond this range of reflectance.
LEAST_SPAN = 0.06
# Fewer clear pixels than this share do not stand for the scene.
LEAST_CLEAR = 0.1

# Low and high end in dB of VV, VH and VV - VH: water, fields, woods and towns all show.
RADAR_DB = ((-22.0, 0.0), (-28.0, -6.0), (0.0, 16.0))

# Reflectance at which the colours of an error end, and these colours: points of `inferno`
# (matplotlib, CC0), evenly spaced.
LARGEST_ERROR = 0.1
ERROR_COLOURS = (
    (0, 0, 4),
    (66, 10, 104),
    (147, 38, 103),
    (221, 81, 58),
    (252, 165, 10),
    (252, 255, 164),
)

OUTLINE_COLOUR = (255, 222, 0)
# On a picture of more pixels a side, a line of one pixel is hard to see.
THIN_PX = 512


# Pictures of this many pixels and fewer stay PNG, and their pixels are shown as squares.
SMALL_PX = 512 * 512


@dataclass(frozen=True)
class Picture:
    """One picture of a scene or patch, (y, x, 4).

    `name` is short and the same for all scenes (before, after, reference_1 and so on, truth, sar,
    mask, filled, error, uncertainty, outline); `composite` separates two pictures of one name:
    `true`, `false` or `swir`, empty if there is one. `legend` holds the colours of classes, 0-255,
    by class name. `reduced` if it was made smaller to fit into a page.
    """

    name: str
    label: str
    caption: str
    pixels: UInt8Image
    composite: str = ""
    legend: Mapping[str, Rgb] = field(default_factory=dict)
    reduced: bool = False

    @property
    def small(self) -> bool:
        """Whether every pixel of the result is visible on a screen."""
        return not self.reduced and self.pixels[..., 0].size <= SMALL_PX


@dataclass(frozen=True)
class Stretch:
    """What becomes black and what becomes white, in red, green and blue."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    gamma: float = 1.0

    def colours(self, composite: Float32) -> UInt8Image:
        """The picture of three bands, (3, y, x)."""
        ends = np.array([self.low, self.high], dtype=np.float32)
        low, high = ends[:, :, None, None]
        unit = np.clip((composite - low) / (high - low), 0.0, 1.0) ** (1 / self.gamma)
        return _picture(
            np.moveaxis(unit * 255, 0, -1), np.asarray(np.isfinite(composite).all(axis=0))
        )


RADAR_STRETCH = Stretch(tuple(low for low, _ in RADAR_DB), tuple(high for _, high in RADAR_DB))


def stretch_of(composite: Float32, clear: Where | None = None) -> Stretch:
    """The stretch that suits the pixels of three bands, (3, y, x), where `clear`, (y, x).

    It runs from the 2nd to the 98th percentile. Each colour begins at its own darkest ground,
    which takes out the blue of the air, and ends half-way between its own brightest ground and
    that of the widest colour: red soil neither burns nor turns grey.
    """
    valid = np.isfinite(composite).all(axis=0)
    chosen = valid if clear is None else valid & clear
    if chosen.sum() < LEAST_CLEAR * valid.sum():
        chosen = valid
    if not chosen.any():
        return Stretch((0.0,) * 3, (1.0,) * 3, GAMMA)
    low, high = np.percentile(composite[:, chosen], (2, 98), axis=1)
    spans = np.maximum(high - low, LEAST_SPAN)
    high = low + (spans + spans.max()) / 2
    return Stretch(tuple(map(float, low)), tuple(map(float, high)), GAMMA)


def radar_colours(backscatter_db: Float32, bands: Sequence[str] = SAR_BANDS) -> UInt8Image:
    """The picture of VV and VH, (band, y, x) in dB: VV red, VH green, VV - VH blue; one is grey."""
    if len(bands) == 1:
        low, high = RADAR_DB[SAR_BANDS.index(bands[0])]
        grey = np.repeat(backscatter_db, 3, axis=0)
        return Stretch((low,) * 3, (high,) * 3).colours(grey)
    vv, vh = backscatter_db
    return RADAR_STRETCH.colours(np.stack([vv, vh, vv - vh]))


def mask_colours(mask: Mask) -> UInt8Image:
    """The picture of a cloud mask, (y, x); nodata is a class like the others."""
    return _picture(_table(MASK_COLOURS)[mask], np.ones(mask.shape, dtype=bool))


def fill_colours(fill_mask: Mask) -> UInt8Image:
    """The picture of a mask of filled pixels, (y, x), whose classes are those of `FillClass`."""
    return _picture(_table(FILL_COLOURS)[fill_mask], fill_mask != FillClass.NODATA)


def _table(colours: ClassColours) -> UInt8Image:
    """Red, green and blue by class value, (256, 3); values without a class are black."""
    table = np.zeros((256, 3), dtype=np.uint8)
    for value, colour in colours.items():
        table[value] = colour
    return table


def class_legend(colours: ClassColours) -> dict[str, Rgb]:
    """Red, green and blue from 0 to 255 by the label of a class."""
    return {value.label: colour for value, colour in colours.items()}


def fill_legend(fill_mask: Mask) -> dict[str, Rgb]:
    """The legend of the classes that a mask of filled pixels has."""
    values = set(np.unique(fill_mask).tolist()) - {FillClass.NODATA}
    found = [one for one in FILL_COLOURS if one in values]
    return {fill_label(one, found): FILL_COLOURS[one] for one in found}


def fill_label(one: FillClass, found: Collection[FillClass]) -> str:
    """The label of a class; that of the network says so where something else fills, too."""
    others = set(FILLED_CLASSES) - {FillClass.FILLED}
    if one is FillClass.FILLED and others & set(found):
        return "filled by the network"
    return one.label


def error_colours(truth: Float32, image: Float32) -> UInt8Image:
    """The picture of the mean absolute error over all bands, (band, y, x)."""
    return size_colours(np.abs(image - truth).mean(axis=0))


def size_colours(error: Float32) -> UInt8Image:
    """The picture of how large errors are, (y, x) in reflectance."""
    unit = np.nan_to_num(np.clip(error / LARGEST_ERROR, 0.0, 1.0))
    points = np.linspace(0, 1, len(ERROR_COLOURS))
    channels = [np.interp(unit, points, channel) for channel in np.transpose(ERROR_COLOURS)]
    return _picture(np.stack(channels, axis=-1), np.isfinite(error))


def outline(region: Where) -> UInt8Image:
    """The border of a region, (y, x), drawn on nothing: one pixel wide, two on a large picture."""
    inside = region
    for _ in range(1 if max(region.shape) <= THIN_PX else 2):
        inside = _without_border(inside)
    colour = np.broadcast_to(np.array(OUTLINE_COLOUR), (*region.shape, 3))
    return _picture(colour, region & ~inside)


def _without_border(region: Where) -> Where:
    """The region without the pixels that have a neighbour outside; the picture's edge is none."""
    padded = np.pad(region, 1, mode="edge")
    sides = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(region & sides)


def _picture(colours: NDArray[np.generic], visible: Where) -> UInt8Image:
    """Red, green and blue, (y, x, 3) from 0 to 255, shown where `visible`."""
    picture = np.zeros((*visible.shape, 4), dtype=np.uint8)
    picture[visible, :3] = np.rint(colours[visible])
    picture[visible, 3] = 255
    return picture
