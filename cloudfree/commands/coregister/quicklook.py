"""The tie points between Sentinel-1 and an optical scene, as arrows on a picture of the scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.output_set import OutputSet
from cloudfree.core.radiometry import Float64
from cloudfree.coregistration.measure import ShiftMeasurement
from cloudfree.raster.dataset import reduced
from cloudfree.raster.encoded_picture import png
from cloudfree.report.pictures import TRUE_COLOUR, UInt8Image, stretch_of
from cloudfree.sentinel2.optical_scene import OpticalScene

Bits = NDArray[np.bool_]

# Colours as red, green, blue, opacity.
USED = (255, 222, 0, 255)
OUTLIER = (255, 70, 160, 255)
INK = (255, 255, 255, 255)
SHADE = (0, 0, 0, 255)

# The picture steps back behind the arrows; a small scene is enlarged to about this size.
DIMMED = 0.6
LEAST_SIDE_PX = 900

# Side of the squares whose tie points make one arrow: more arrows hide each other.
SQUARE_PX = 56
# A usual arrow fills so much of a square, and none more than so many.
USUAL_LENGTH = 0.8
LONGEST = 1.6

LEGEND_PX = 58
# Lengths of a scale bar in pixels of the scene.
BARS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class ArrowField:
    """Tie points to draw: places, (n,), and offsets, (n, 2), in pixels of the scene.

    `weights`, (n,), are 0 for outliers.
    """

    rows: Float64
    cols: Float64
    offsets: Float64
    weights: Float64


@dataclass(frozen=True)
class _Arrow:
    """From where, (column, row) of the picture, and how far, in pixels of the scene."""

    start: tuple[float, float]
    offset: tuple[float, float]


def arrows(picture: UInt8Image, field: ArrowField, scene_px: float) -> UInt8Image:
    """A picture with the tie points on it; one of its pixels is `scene_px` of the scene.

    Arrows point from where the optical scene shows something to where Sentinel-1 shows it, as often
    enlarged as the scale bar shows.
    """
    factor = max(round(LEAST_SIDE_PX / max(picture.shape[:2])), 1)
    large = np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1)
    large[..., :3] = (large[..., :3] * DIMMED).astype(np.uint8)
    large[..., 3] = 255
    canvas = np.ascontiguousarray(large)
    per_scene_px = factor / scene_px
    used, outliers = _pooled(field, per_scene_px), _outliers(field, per_scene_px)
    enlargement = _enlargement(used)
    for colour, drawn in ((OUTLIER, outliers), (USED, used)):
        for arrow in drawn:
            _draw(canvas, arrow, enlargement, colour)
    return np.concatenate([canvas, _legend(canvas.shape[1], enlargement, len(outliers))])


def _pooled(field: ArrowField, per_scene_px: float) -> list[_Arrow]:
    """The weighted means of the tie points in each square that are no outliers."""
    used = field.weights > 0
    places = np.stack([field.cols, field.rows], axis=1)[used] * per_scene_px
    offsets, weights = field.offsets[used][:, ::-1], field.weights[used]
    squares = np.unique(places // SQUARE_PX, axis=0, return_inverse=True)[1].ravel()
    return [_mean(places[part], offsets[part], weights[part]) for part in _groups(squares)]


def _groups(labels: NDArray[np.intp]) -> Iterator[Bits]:
    for label in range(int(labels.max(initial=-1)) + 1):
        yield labels == label


def _mean(places: Float64, offsets: Float64, weights: Float64) -> _Arrow:
    start = places.mean(axis=0)
    offset = (offsets * weights[:, None]).sum(axis=0) / weights.sum()
    return _Arrow((float(start[0]), float(start[1])), (float(offset[0]), float(offset[1])))


def _outliers(field: ArrowField, per_scene_px: float) -> list[_Arrow]:
    out = field.weights <= 0
    return [
        _Arrow((col * per_scene_px, row * per_scene_px), (offset[1], offset[0]))
        for row, col, offset in zip(
            field.rows[out], field.cols[out], field.offsets[out], strict=True
        )
    ]


def _enlargement(drawn: list[_Arrow]) -> float:
    """Picture pixels for each pixel of an offset, so that a usual arrow is well seen."""
    lengths = [float(np.hypot(*arrow.offset)) for arrow in drawn]
    return USUAL_LENGTH * SQUARE_PX / max(float(np.percentile(lengths, 75)) if lengths else 1, 0.05)


def _draw(
    canvas: UInt8Image, arrow: _Arrow, enlargement: float, colour: tuple[int, int, int, int]
) -> None:
    length = float(np.hypot(*arrow.offset)) * enlargement
    shown = enlargement * min(1.0, LONGEST * SQUARE_PX / max(length, 1e-6))
    end = [place + shown * part for place, part in zip(arrow.start, arrow.offset, strict=True)]
    first, last = ((round(col), round(row)) for col, row in (arrow.start, end))
    tip = min(0.3, 12 / max(length, 1.0))
    for thickness, ink in ((5, SHADE), (2, colour)):
        cv2.arrowedLine(canvas, first, last, ink, thickness, cv2.LINE_AA, tipLength=tip)


def _legend(width: int, enlargement: float, outliers: int) -> UInt8Image:
    """A scale bar, and what the colours mean."""
    legend: UInt8Image = np.zeros((LEGEND_PX, width, 4), dtype=np.uint8)
    legend[..., 3] = 255
    bar = max((b for b in BARS if b * enlargement <= width / 4), default=BARS[0])
    left, length = 16, round(bar * enlargement)
    cv2.line(legend, (left, 38), (left + length, 38), INK, 3)
    _write(legend, f"{bar:g} px", (left, 24), INK)
    text = left + max(length, 70) + 30
    _write(legend, "tie points", (text, 24), USED)
    _write(legend, f"outliers: {outliers}", (text, 46), OUTLIER)
    return legend


def _write(
    canvas: UInt8Image, text: str, at: tuple[int, int], colour: tuple[int, int, int, int]
) -> None:
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, 1, cv2.LINE_AA)


LONGEST_PX = 1024

# Clouds, which are brighter, have no say in how ground is shown.
BRIGHTEST_GROUND = 0.25


def write_quicklook(
    path: Path, optical: OpticalScene, measured: ShiftMeasurement, outputs: OutputSet
) -> None:
    """Write the picture as PNG, a file of `outputs`.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    outputs.write(path, png(draw_quicklook(optical, measured)))


def draw_quicklook(optical: OpticalScene, measured: ShiftMeasurement) -> UInt8Image:
    """Arrows from where the optical scene shows something to where Sentinel-1 shows it."""
    grid = reduced(optical.grid, LONGEST_PX)
    bands = TRUE_COLOUR if set(TRUE_COLOUR) <= set(optical.bands) else (optical.bands[0],) * 3
    image = optical.reduced_reflectance(bands, grid)
    ground = np.asarray(image.mean(axis=0) < BRIGHTEST_GROUND)
    picture = stretch_of(image, ground).colours(image)
    return arrows(picture, _field(measured), optical.grid.width / grid.width)


def _field(measured: ShiftMeasurement) -> ArrowField:
    tie_points = measured.tie_points
    if tie_points is None:
        nothing = np.zeros(0)
        return ArrowField(nothing, nothing, np.zeros((0, 2)), nothing)
    found = tie_points.found
    return ArrowField(
        tie_points.rows[found],
        tie_points.cols[found],
        tie_points.offsets[found],
        tie_points.weights[found],
    )
