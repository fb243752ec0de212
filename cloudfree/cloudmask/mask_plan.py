"""From a Sentinel-2 scene to its mask: thresholds of the whole scene, then classes in strips."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cloudfree import __version__
from cloudfree.cloudmask.class_rules import REQUIRED_BANDS, ClassRules
from cloudfree.cloudmask.classifier import Classifier, Shadows, Strip
from cloudfree.cloudmask.detected_classes import DetectedClassifier, FirstLook
from cloudfree.cloudmask.detection import OnScore, detect
from cloudfree.cloudmask.detector import Detector
from cloudfree.cloudmask.mask_file import DILATION_TAG, ScoreWriter, mask_profile
from cloudfree.cloudmask.morphology import parse_distance
from cloudfree.cloudmask.network_detector import NetworkDetector
from cloudfree.cloudmask.package_detectors import OmniCloudMask, S2Cloudless
from cloudfree.cloudmask.patch_check import PatchCheck
from cloudfree.cloudmask.printed_score import PrintedScore
from cloudfree.cloudmask.scene_statistics import OpticalSource, collect_statistics
from cloudfree.cloudmask.score import CIRRUS_BAND, HazeThreshold
from cloudfree.cloudmask.shadow import PixelAxes, ShadowProjection
from cloudfree.cloudmask.sun_geometry import (
    NO_SUN,
    Sun,
    decide_sun,
    log_sun,
    projection_of,
    sun_tags,
)
from cloudfree.core.choices import PUBLISHED_THRESHOLD, DetectorName, MaskSettings
from cloudfree.core.mask_classes import FILE_CLASSES, MaskClass
from cloudfree.core.output_set import OutputSet
from cloudfree.core.terminal import Progress, silent
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.raster.provenance import VERSION, warning_tags
from cloudfree.raster.qgis_style import with_style
from cloudfree.raster.warp import pixel_size_m

logger = logging.getLogger("cloudfree")


# The default detector was trained on pixels of 10 to 20 m; in pixels of 160 m it misses clouds.
COARSEST_PX_M = 30.0
# How far from clouds a sensitive mask counts cirrus and haze as cloud.
THIN_CLOUD_REACH_M = 200.0


class MaskSource(OpticalSource, Protocol):
    """What a mask is made from: a scene on disk, or a patch in memory."""

    @property
    def name(self) -> str:
        """Name of the scene for messages."""
        ...

    @property
    def sun_azimuth_deg(self) -> float | None:
        """Azimuth of the sun, clockwise from north; None if unknown."""
        ...

    @property
    def sun_is_stated(self) -> bool:
        """Whether the user gave this azimuth, and not the metadata."""
        ...

    def require(self, bands: Sequence[str], purpose: str) -> None:
        """Check that the scene has all `bands`."""
        ...


class Classes(Protocol):
    """The classes of a scene, strip by strip, by whatever detector."""

    def strips(
        self, source: OpticalSource, progress: Progress = silent, on_score: OnScore | None = None
    ) -> Generator[Strip, None, None]:
        """Windows and their masks from top to bottom; `on_score` is given each window's score."""
        ...


@dataclass(frozen=True)
class MaskPlan:
    """How the pixels of a scene are classified, decided before the first one is written.

    `check` has warnings about the clouds once all pixels are classified.
    """

    settings: MaskSettings
    threshold: float
    classifier: Classes
    sun: Sun
    check: PatchCheck


def plan_mask(
    scene: MaskSource, settings: MaskSettings, progress: Progress, detector: Detector | None = None
) -> MaskPlan:
    """Decide how the pixels of a scene are classified; for shadows, the whole scene is read.

    A `detector` that is given takes the place of the one in the settings.

    Raises
    ------
    InputError
        Missing bands, no valid pixel, or a dilation that is no distance.
    """
    dilation_px = parse_distance(settings.dilate).pixels(pixel_size_m(scene.grid))
    if detector is None and settings.detector == "published":
        return _plan_published(scene, settings, dilation_px, progress)
    found = detector or make_detector(settings.detector)
    threshold = found.threshold if settings.threshold is None else settings.threshold
    found.bands(scene.bands)  # raises before a pixel is read
    _warn_of_coarse_pixels(scene, found)
    check = PatchCheck.for_grid(scene.grid)
    classes = DetectedClassifier(found, threshold, dilation_px=dilation_px, check=check)
    if not settings.shadow:
        return MaskPlan(settings, threshold, classes, NO_SUN, check)
    look = FirstLook.at(scene, detect(scene, found, threshold, progress, check=check))
    if look.valid_px == 0:
        raise _no_valid_pixel(scene)
    classes, sun = _with_shadows(classes, look, scene)
    return MaskPlan(settings, threshold, classes, sun, check)


def _with_shadows(
    classes: DetectedClassifier, look: FirstLook, scene: MaskSource
) -> tuple[DetectedClassifier, Sun]:
    """The classifier with the shadows that the clouds of the scene throw, and the sun."""
    axes = PixelAxes.of_grid(scene.grid)
    fit, likeliest = look.sun(axes, scene.sun_azimuth_deg), None
    if fit and (distance := look.shadow_distance(axes, fit.azimuth_deg)):
        away = partial(ShadowProjection.away_from_sun, fit.azimuth_deg, axes)
        fit, likeliest = replace(fit, distance_m=distance.reach), away(distance.likeliest)
    sun = decide_sun(scene.sun_azimuth_deg, fit, scene.sun_is_stated)
    log_sun(sun, fit)
    projection = projection_of(sun, axes)
    shown = replace(classes, projection=projection, likeliest=likeliest, cached=look.classes)
    return shown, sun


def _warn_of_coarse_pixels(scene: MaskSource, detector: Detector) -> None:
    pixel_m = pixel_size_m(scene.grid)
    if detector.name == "default" and pixel_m > COARSEST_PX_M:
        logger.warning(
            "pixels of %.0f m in %s: the default detector knows clouds in pixels of 10 to %.0f m, "
            "and may miss some; look at the mask, or choose --detector published",
            pixel_m, scene.name, COARSEST_PX_M,
        )  # fmt: skip


def make_detector(name: DetectorName) -> Detector:
    """The detector of a name, other than the published one."""
    detectors: dict[str, Callable[[], Detector]] = {
        "default": NetworkDetector,
        "printed": PrintedScore,
        "s2cloudless": S2Cloudless,
        "omnicloudmask": OmniCloudMask,
    }
    return detectors[name]()


def _plan_published(
    scene: MaskSource, settings: MaskSettings, dilation_px: float, progress: Progress
) -> MaskPlan:
    """The same by the published score."""
    scene.require(REQUIRED_BANDS, "the published detector")
    if CIRRUS_BAND not in scene.bands:
        logger.info("no band %s in %s: the cirrus test is left out", CIRRUS_BAND, scene.name)
    threshold = PUBLISHED_THRESHOLD if settings.threshold is None else settings.threshold
    rules = ClassRules(threshold, settings.ndsi, settings.sensitive)
    reach_px = THIN_CLOUD_REACH_M / pixel_size_m(scene.grid) if settings.sensitive else 0.0
    check = PatchCheck.for_grid(scene.grid)
    classifier = Classifier(
        rules, dilation_px=dilation_px, thin_cloud_reach_px=reach_px, check=check
    )
    if not settings.shadow:
        return MaskPlan(settings, threshold, classifier, NO_SUN, check)
    shadows, haze, sun = _measure_scene(scene, rules, progress)
    classifier = replace(classifier, shadows=shadows, haze=haze)
    return MaskPlan(settings, threshold, classifier, sun, check)


def write_mask(
    scene: MaskSource,
    path: Path,
    plan: MaskPlan,
    progress: Progress,
    creation_options: Mapping[str, str],
    scores: ScoreWriter | None = None,
    styled: bool = False,
    outputs: OutputSet | None = None,
) -> NDArray[np.int64]:
    """Write the mask that `plan` describes; the number of pixels per mask value, 256 entries.

    What the plan's check warns of goes into the log and the tags. A QGIS style lies beside the
    mask if `styled`. With `outputs` the mask is a file of that set.

    Raises
    ------
    InputError
        No valid pixel; then no file is left.
    """
    counts = np.zeros(256, dtype=np.int64)
    on_score = scores.write_score if scores else None
    profile = _profile(plan, creation_options)
    with (
        CogWriter(path, scene.grid, with_style(profile) if styled else profile, outputs) as writer,
        closing(plan.classifier.strips(scene, progress, on_score)) as strips,
    ):
        for window, mask in strips:
            writer.write(window, mask[np.newaxis])
            for value in FILE_CLASSES:
                counts[value] += np.count_nonzero(mask == value)
        if counts[MaskClass.NODATA] == counts.sum():
            raise _no_valid_pixel(scene)
        if warnings := plan.check.warnings():
            writer.tag(**warning_tags(warnings))
    for warning in warnings:
        logger.warning(warning)
    return counts


def _measure_scene(
    scene: MaskSource, rules: ClassRules, progress: Progress
) -> tuple[Shadows, HazeThreshold | None, Sun]:
    """Thresholds of shadows and haze from the whole scene, and its sun."""
    axes = PixelAxes.of_grid(scene.grid)
    statistics = collect_statistics(scene, rules, axes, scene.sun_azimuth_deg, progress)
    if statistics.valid_px == 0:
        raise _no_valid_pixel(scene)
    sun = decide_sun(scene.sun_azimuth_deg, statistics.sun, scene.sun_is_stated)
    log_sun(sun, statistics.sun)
    return (
        Shadows(statistics.thresholds, projection_of(sun, axes), statistics.lit),
        statistics.haze,
        sun,
    )


def _profile(plan: MaskPlan, creation_options: Mapping[str, str]) -> CogProfile:
    """How the mask is written, with its settings and sun as tags."""
    profile, settings = mask_profile(), plan.settings
    own = {
        VERSION: __version__,
        "MASK_DETECTOR": settings.detector,
        "MASK_THRESHOLD": f"{plan.threshold:g}",
        **_published_tags(settings),
        DILATION_TAG: settings.dilate,
        **sun_tags(plan.sun),
    }
    tags = {**profile.tags, **own}
    return replace(profile, tags=tags, creation_options=creation_options)


def _published_tags(settings: MaskSettings) -> dict[str, str]:
    """Tags of the settings that the published detector alone has."""
    if settings.detector != "published":
        return {}
    return {
        "MASK_NDSI": str(settings.ndsi),
        "MASK_THOROUGH": "yes" if settings.sensitive else "no",
    }


def _no_valid_pixel(scene: MaskSource) -> InputError:
    return InputError(
        f"no valid pixel in {scene.name}",
        wanted="a scene with data",
        hint="check the file and its nodata value",
        code=ErrorCode.NO_DATA,
    )
