"""`cloudfree simulate`: a scene with clouds and the ground truth, simulated or given."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from cloudfree.cloudmask.mask_file import mask_profile
from cloudfree.commands.simulate.options import SimulateOptions, output_paths
from cloudfree.commands.simulate.over import SUN_ZENITH_TAG, SimulateOverResult, run_over
from cloudfree.core.acquisition import SUN_AZIMUTH_TAG
from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.core.grid import Grid
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.radiometry import QUANTIFICATION, Float32, Radiometry
from cloudfree.core.terminal import Progress
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.sentinel2.gdal_tags import OFFSET_TAG
from cloudfree.simulation.land_cover import PIXEL_M
from cloudfree.simulation.scene import (
    SAR_MARGIN_PX,
    SAR_OFFSET_PX,
    SimulatedScene,
    simulate_scene,
)

logger = logging.getLogger("cloudfree")

DEFAULT_SIZE_PX = 1024
DEFAULT_MISREGISTRATION_PX = (1.3, -0.8)
_NAMES = ("s2_cloudy", "s2_clear", "s1", "truth_mask")

# Farmland at 48.7 degrees north on the middle meridian of UTM zone 31, where grid north is north.
_EPSG = 32631
_CORNER = (500_000.0, 5_400_000.0)

# Acquisition times of the scene; the tag is that of GDAL's SENTINEL2 driver.
TIME_TAG = "PRODUCT_START_TIME"
_OPTICAL_TIME = "2021-04-24T10:50:21.024Z"
_SAR_TIME = "2021-04-24T17:32:40.512Z"

_RADIOMETRY = Radiometry("uint16", 1 / QUANTIFICATION, 0.0, 0.0)


@dataclass(frozen=True)
class SimulateResult:
    """The files that were written, and their ground truth.

    `cloud` and `shadow` are fractions of all pixels. The ground at optical pixel (r, c) appears in
    Sentinel-1 at (r + row, c + col) of `misregistration_px`.
    """

    s2_cloudy: Path
    s2_clear: Path
    s1: Path
    truth_mask: Path
    cloud: float
    shadow: float
    misregistration_px: Mapping[str, float]
    sun_azimuth_deg: float

    def summary(self) -> str:
        """A few lines of text."""
        shift = "{row:+.2f} rows, {col:+.2f} columns".format(**self.misregistration_px)
        return (
            f"{self.s2_cloudy}\n"
            f"  {self.cloud:.1%} of the pixels lie under cloud, {self.shadow:.1%} in its shadow\n"
            f"{self.s2_clear}\n"
            f"  the truth below\n"
            f"{self.s1}\n"
            f"  VV and VH, misregistered by {shift}\n"
            f"{self.truth_mask}\n"
            f"  true classes"
        )


def run(options: SimulateOptions, progress: Progress) -> SimulateResult | SimulateOverResult:
    """Simulate a scene and write the products and the ground truth, or put clouds over one.

    Raises
    ------
    InputError
        The options cannot be simulated.
    OutputError
        A file of the scene exists already, or the folder cannot be created.
    """
    options.check()
    if options.over is not None:
        return run_over(options, options.over, progress)
    return run_drawn(options, progress)


def run_drawn(options: SimulateOptions, progress: Progress) -> SimulateResult:
    """Simulate a scene, and write it."""
    paths = output_paths(options.folder, _NAMES, options.overwrite)
    size = options.size or DEFAULT_SIZE_PX
    shift = options.misregistration or DEFAULT_MISREGISTRATION_PX
    logger.info("simulating a scene of %d x %d pixels", size, size)
    scene = simulate_scene((size, size), options.seed, options.cloud_cover, shift)
    outputs = [
        (paths["s2_cloudy"], *_optical(scene, scene.cloudy)),
        (paths["s2_clear"], *_optical(scene, scene.clear)),
        (paths["s1"], *_sar(scene)),
        (paths["truth_mask"], *_mask(scene)),
    ]
    outputs = [
        (path, grid, replace(profile, creation_options=options.creation_options), pixels)
        for path, grid, profile, pixels in outputs
    ]
    for _, _, profile, _ in outputs:
        profile.check_creation_options()
    for path, grid, profile, pixels in progress(outputs, len(outputs), "writing", "file"):
        with CogWriter(path, grid, profile) as writer:
            writer.write(grid.window, pixels)
    return _result(shift, paths, scene)


def _optical_grid(scene: SimulatedScene) -> Grid:
    height, width = scene.mask.shape
    transform = Affine(PIXEL_M, 0.0, _CORNER[0], 0.0, -PIXEL_M, _CORNER[1])
    return Grid(CRS.from_epsg(_EPSG).to_wkt(), transform, height, width)


def _optical(
    scene: SimulatedScene, reflectance: Float32
) -> tuple[Grid, CogProfile, NDArray[np.generic]]:
    tags = {
        SUN_AZIMUTH_TAG: f"{scene.sun.azimuth_deg:.3f}",
        SUN_ZENITH_TAG: f"{scene.sun.zenith_deg:.3f}",
        TIME_TAG: _OPTICAL_TIME,
    }
    # Simulated numbers are without the offset of baseline 04.00.
    band_tags = ({OFFSET_TAG: "0"},) * len(OPTICAL_BANDS)
    profile = CogProfile("uint16", 0, OPTICAL_BANDS, tags, band_tags)
    return _optical_grid(scene), profile, _RADIOMETRY.encode(reflectance)


def _sar(scene: SimulatedScene) -> tuple[Grid, CogProfile, NDArray[np.generic]]:
    outwards = -(SAR_MARGIN_PX + SAR_OFFSET_PX)
    corner = _optical_grid(scene).shifted(outwards, outwards)
    height, width = scene.sar.shape[1:]
    grid = Grid(corner.crs, corner.transform, height, width)
    profile = CogProfile(
        "float32", float("nan"), SAR_BANDS, {TIME_TAG: _SAR_TIME}, units=("dB",) * len(SAR_BANDS)
    )
    return grid, profile, scene.sar


def _mask(scene: SimulatedScene) -> tuple[Grid, CogProfile, NDArray[np.generic]]:
    return _optical_grid(scene), mask_profile(), scene.mask[None]


def _result(
    shift: tuple[float, float], paths: Mapping[str, Path], scene: SimulatedScene
) -> SimulateResult:
    row, col = shift
    return SimulateResult(
        **paths,
        cloud=float((scene.mask == MaskClass.CLOUD).mean()),
        shadow=float((scene.mask == MaskClass.SHADOW).mean()),
        misregistration_px={"row": row, "col": col},
        sun_azimuth_deg=scene.sun.azimuth_deg,
    )
