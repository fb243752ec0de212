"""The matches between Sentinel-1 and an optical scene, on a picture of the scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cloudfree.commands.coregister.arrow_plot import ArrowField, arrows
from cloudfree.core.atomic import write_whole
from cloudfree.coregistration.measure import ShiftMeasurement
from cloudfree.raster.preview import png, reduced
from cloudfree.report.pictures import TRUE_COLOUR, UInt8Image, stretch_of
from cloudfree.sentinel2.optical_scene import OpticalScene

LONGEST_PX = 1024

# Clouds, which are brighter, have no say in how ground is shown.
BRIGHTEST_GROUND = 0.25


def write_match_picture(path: Path, optical: OpticalScene, measured: ShiftMeasurement) -> None:
    """Write the picture as PNG, whole or not at all.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    write_whole(path, png(match_picture(optical, measured)))


def match_picture(optical: OpticalScene, measured: ShiftMeasurement) -> UInt8Image:
    """Arrows from where the optical scene shows something to where Sentinel-1 shows it."""
    grid = reduced(optical.grid, LONGEST_PX)
    bands = TRUE_COLOUR if set(TRUE_COLOUR) <= set(optical.bands) else (optical.bands[0],) * 3
    image = optical.reduced_reflectance(bands, grid)
    ground = np.asarray(image.mean(axis=0) < BRIGHTEST_GROUND)
    picture = stretch_of(image, ground).colours(image)
    return arrows(picture, _field(measured), optical.grid.width / grid.width)


def _field(measured: ShiftMeasurement) -> ArrowField:
    matches = measured.matches
    if matches is None:
        nothing = np.zeros(0)
        return ArrowField(nothing, nothing, np.zeros((0, 2)), nothing)
    found = matches.found
    return ArrowField(
        matches.rows[found], matches.cols[found], matches.offsets[found], matches.weights[found]
    )
