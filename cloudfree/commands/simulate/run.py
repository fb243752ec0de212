"""`cloudfree simulate`: a scene with clouds and the ground truth, simulated or given."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.simulate.earlier import EarlierDate, earlier_paths, write_earlier
from cloudfree.commands.simulate.options import SimulateOptions, output_paths
from cloudfree.commands.simulate.over import SimulateOverResult, run_over
from cloudfree.commands.simulate.products import (
    OPTICAL_TIME,
    SAR_TIME,
    optical,
    sar,
    truth_mask,
    write_products,
)
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.terminal import Progress
from cloudfree.raster.reach import remote_allowed
from cloudfree.simulation.scene import SimulatedScene, simulate_scene

logger = logging.getLogger("cloudfree")

DEFAULT_SIZE_PX = 1024
DEFAULT_MISREGISTRATION_PX = (1.3, -0.8)
_NAMES = ("s2_cloudy", "s2_clear", "s1", "truth_mask")


@dataclass(frozen=True)
class SimulateResult:
    """The files that were written, and their ground truth.

    `cloud` and `shadow` are fractions of all pixels. The ground at optical pixel (r, c) appears in
    Sentinel-1 at (r + row, c + col) of `misregistration_px`, on `earlier` dates too.
    """

    s2_cloudy: Path
    s2_clear: Path
    s1: Path
    truth_mask: Path
    cloud: float
    shadow: float
    misregistration_px: Mapping[str, float]
    sun_azimuth_deg: float
    earlier: tuple[EarlierDate, ...] = ()

    def summary(self) -> str:
        """A few lines of text."""
        shift = "{row:+.2f} rows, {col:+.2f} columns".format(**self.misregistration_px)
        scene = (
            f"{self.s2_cloudy}\n"
            f"  {self.cloud:.1%} of the pixels lie under cloud, {self.shadow:.1%} in its shadow\n"
            f"{self.s2_clear}\n"
            f"  the truth below\n"
            f"{self.s1}\n"
            f"  VV and VH, misregistered by {shift}\n"
            f"{self.truth_mask}\n"
            f"  true classes"
        )
        return "\n".join([scene, *(date.summary() for date in self.earlier)])


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
        with remote_allowed(options.allow_remote):
            return run_over(options, options.over, progress)
    return run_drawn(options, progress)


def run_drawn(options: SimulateOptions, progress: Progress) -> SimulateResult:
    """Simulate a scene, and write it."""
    paths = output_paths(options.folder, _NAMES, options.overwrite)
    earlier_files = earlier_paths(options)
    size = options.size or DEFAULT_SIZE_PX
    shift = options.misregistration or DEFAULT_MISREGISTRATION_PX
    logger.info("simulating a scene of %d x %d pixels", size, size)
    scene = simulate_scene((size, size), options.seed, options.cloud_cover, shift)
    products = {
        paths["s2_cloudy"]: optical(scene, scene.cloudy, OPTICAL_TIME),
        paths["s2_clear"]: optical(scene, scene.clear, OPTICAL_TIME),
        paths["s1"]: sar(scene, SAR_TIME),
        paths["truth_mask"]: truth_mask(scene),
    }
    write_products(products, options.creation_options, progress, options.overwrite)
    earlier = write_earlier(options, scene.land, shift, earlier_files, progress)
    return _result(shift, paths, scene, earlier)


def _result(
    shift: tuple[float, float],
    paths: Mapping[str, Path],
    scene: SimulatedScene,
    earlier: tuple[EarlierDate, ...],
) -> SimulateResult:
    row, col = shift
    return SimulateResult(
        **paths,
        cloud=float((scene.mask == MaskClass.CLOUD).mean()),
        shadow=float((scene.mask == MaskClass.SHADOW).mean()),
        misregistration_px={"row": row, "col": col},
        sun_azimuth_deg=scene.sun.azimuth_deg,
        earlier=earlier,
    )
