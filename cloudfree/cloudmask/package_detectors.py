"""Detectors of other packages: s2cloudless and OmniCloudMask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import Any

import cv2
import numpy as np

from cloudfree.cloudmask.detector import Probabilities, needed_bands
from cloudfree.cloudmask.score import Planes
from cloudfree.core.radiometry import QUANTIFICATION, Float32
from cloudfree.errors import ErrorCode, InputError

# Bands of s2cloudless in its order, and of OmniCloudMask. Sources: their documentation.
S2CLOUDLESS_BANDS = ("B01", "B02", "B04", "B05", "B08", "B8A", "B09", "B10", "B11", "B12")
OMNICLOUDMASK_BANDS = ("B04", "B03", "B08")
# Radius over which s2cloudless averages, in pixels of 10 m, and its threshold: its usual settings.
AVERAGE_PX, S2CLOUDLESS_THRESHOLD = 4, 0.4
# The overlap of its own patches; less context changes what OmniCloudMask finds.
OMNICLOUDMASK_HALO_PX = 150


class S2Cloudless:
    """The pixel classifier of Sentinel Hub: cloud alone, of the 10 bands of L1C that it needs."""

    name = "s2cloudless"
    threshold = S2CLOUDLESS_THRESHOLD
    cell_px = 1
    halo_px = AVERAGE_PX

    def bands(self, available: Sequence[str]) -> tuple[str, ...]:
        """Its ten bands."""
        return needed_bands(S2CLOUDLESS_BANDS, available, self.name)

    def probabilities(self, planes: Planes) -> Probabilities:
        """Probability of cloud, averaged over its disc; nothing else."""
        pixels = np.stack([np.nan_to_num(planes[band]) for band in S2CLOUDLESS_BANDS], axis=-1)
        raw = self._classifier.get_cloud_probability_maps(pixels[None])[0]
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * AVERAGE_PX + 1,) * 2)
        kernel = disc.astype(np.float32) / np.float32(disc.sum())
        cloud = np.asarray(cv2.filter2D(raw, -1, kernel, borderType=cv2.BORDER_REFLECT), np.float32)
        nothing = np.zeros_like(cloud)
        return Probabilities(cloud, nothing, nothing, nothing)

    @cached_property
    def _classifier(self) -> Any:
        return _package("s2cloudless").S2PixelCloudDetector(all_bands=False)


class OmniCloudMask:
    """The networks of OmniCloudMask: thick and thin cloud and shadow, of red, green and infrared.

    It fetches its weights when it first runs.
    """

    name = "omnicloudmask"
    threshold = 0.5
    cell_px = 1
    halo_px = OMNICLOUDMASK_HALO_PX

    def bands(self, available: Sequence[str]) -> tuple[str, ...]:
        """Its three bands."""
        return needed_bands(OMNICLOUDMASK_BANDS, available, self.name)

    def probabilities(self, planes: Planes) -> Probabilities:
        """Its confidence in thick cloud, thin cloud and shadow."""
        numbers = np.stack([np.nan_to_num(planes[band]) for band in OMNICLOUDMASK_BANDS])
        found: Float32 = _package("omnicloudmask").predict_from_array(
            numbers * np.float32(QUANTIFICATION), export_confidence=True, apply_no_data_mask=False
        )
        _, cloud, thin_cloud, shadow = np.asarray(found, dtype=np.float32)
        return Probabilities(cloud, thin_cloud, shadow, np.zeros_like(cloud))


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"detector {name}, but the package {name} is not installed",
            wanted=f"the package {name}",
            hint=f"install it with `pip install 'cloudfree[{name}]'`, or choose another --detector",
            code=ErrorCode.MISSING_LIBRARY,
        ) from error
