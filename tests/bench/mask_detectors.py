"""Cloud detectors by name: functions from reflectance to the classes of a mask, not dilated.

A detector is made for a region, so that one that was trained by fold takes the weights that never
saw the region.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cloudfree.api.arrays import cloud_mask
from cloudfree.cloudmask.class_rules import REQUIRED_BANDS
from cloudfree.cloudmask.network_detector import NetworkDetector
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32
from tests.bench.mask_regions import fold_of

# From reflectance, (band, y, x), NaN without data, the names of its bands and the sun's azimuth, if
# known, to classes, (y, x); None where the detector cannot take the bands.
Detect = Callable[[Float32, tuple[str, ...], float | None], Mask | None]
# From the name of a region and the folder of weights by fold, if there is one.
Make = Callable[[str, Path | None], Detect]

# As the package's README has it, for pixels of 10 m.
S2CLOUDLESS_THRESHOLD, S2CLOUDLESS_AVERAGE_PX, S2CLOUDLESS_DILATION_PX = 0.4, 4, 2


def weights_file(region: str, folder: Path) -> Path:
    """The weights that were trained without the fold of a region: A.onnx, B.onnx or C.onnx."""
    return folder / f"{fold_of(region)}.onnx"


def _published(region: str, weights: Path | None) -> Detect:
    del region, weights
    return partial(_package, sensitive=False)


def _sensitive(region: str, weights: Path | None) -> Detect:
    del region, weights
    return partial(_package, sensitive=True)


def _package(
    planes: Float32, bands: tuple[str, ...], sun_azimuth_deg: float | None, *, sensitive: bool
) -> Mask | None:
    if not set(REQUIRED_BANDS) <= set(bands):
        return None
    return cloud_mask(
        planes,
        bands,
        sun_azimuth_deg=sun_azimuth_deg,
        detector="published",
        sensitive=sensitive,
        dilate="0",
    )


def _default(region: str, weights: Path | None) -> Detect:
    detector = NetworkDetector(weights_file(region, weights) if weights else None)

    return partial(_with, detector)


def _with(
    detector: NetworkDetector,
    planes: Float32,
    bands: tuple[str, ...],
    sun_azimuth_deg: float | None,
) -> Mask | None:
    return cloud_mask(
        planes, bands, sun_azimuth_deg=sun_azimuth_deg, custom_detector=detector, dilate="0"
    )


def _s2cloudless(region: str, weights: Path | None) -> Detect:
    del region, weights
    return partial(_from_probability, dilation_px=None)


def _s2cloudless_dilated(region: str, weights: Path | None) -> Detect:
    del region, weights
    return partial(_from_probability, dilation_px=S2CLOUDLESS_DILATION_PX)


def _from_probability(
    planes: Float32,
    bands: tuple[str, ...],
    sun_azimuth_deg: float | None,
    *,
    dilation_px: int | None,
) -> Mask | None:
    del sun_azimuth_deg
    if bands != OPTICAL_BANDS:
        return None
    detector = _s2cloudless_detector(dilation_px)
    cloud = detector.get_mask_from_prob(_Probability.of(planes)[np.newaxis])[0] > 0
    mask = np.where(cloud, np.uint8(MaskClass.CLOUD), np.uint8(MaskClass.CLEAR))
    mask[~np.isfinite(planes).all(axis=0)] = MaskClass.NODATA
    return np.asarray(mask, dtype=np.uint8)


@cache
def _s2cloudless_detector(dilation_px: int | None) -> Any:
    from s2cloudless import S2PixelCloudDetector

    cv2.setNumThreads(1)
    return S2PixelCloudDetector(
        threshold=S2CLOUDLESS_THRESHOLD,
        average_over=S2CLOUDLESS_AVERAGE_PX,
        dilation_size=dilation_px,
        all_bands=True,
    )


class _Probability:
    """The probability of the last image: it takes seconds, and two detectors share it."""

    last: tuple[Float32, Float32] | None = None

    @classmethod
    def of(cls, planes: Float32) -> Float32:
        if cls.last is None or cls.last[0] is not planes:
            stack = np.moveaxis(np.nan_to_num(planes), 0, -1)[np.newaxis]
            probability = _s2cloudless_detector(None).get_cloud_probability_maps(
                stack, num_threads=1
            )[0]
            cls.last = (planes, probability)
        return cls.last[1]


# A detector of the package with weights by fold takes `weights_file(region, weights)`.
DETECTORS: dict[str, Make] = {
    "default": _default,
    "published": _published,
    "sensitive": _sensitive,
    "s2cloudless": _s2cloudless,
    "s2cloudless_dilated": _s2cloudless_dilated,
}
