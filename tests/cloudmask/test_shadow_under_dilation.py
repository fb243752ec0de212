"""Shadow below the margin of clouds: told as far as it reaches, and never on clear ground."""

from __future__ import annotations

import numpy as np

from cloudfree.cloudmask.shadow_under_dilation import shadow_under_dilation
from cloudfree.core.mask_classes import MaskClass


def test_shadow_goes_on_below_the_cloud_beside_it_and_not_over_clear_ground() -> None:
    mask = np.zeros((8, 30), np.uint8)
    mask[:, 10:14], mask[:, 14:] = MaskClass.SHADOW, MaskClass.CLOUD
    told = shadow_under_dilation(mask, 5)
    assert told[:, 10:19].all()
    assert not told[:, :10].any()
    assert not told[:, 19:].any()


def test_a_cloud_without_shadow_has_none() -> None:
    assert not shadow_under_dilation(np.full((8, 8), MaskClass.CLOUD, np.uint8), 5).any()
