"""Shadow that goes on below the margin of a cloud."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.morphology import near
from cloudfree.core.mask_classes import Mask, MaskClass, in_shadow


def shadow_under_dilation(mask: Mask, reach_px: int) -> NDArray[np.bool_]:
    """Shadow of a mask, (y, x), and what is called cloud at most `reach_px` from it.

    A mask that grows calls the ground beside a cloud cloud, even where it lies in shadow: a dark
    line would stay there.
    """
    below = near(mask, MaskClass.SHADOW, reach_px) & np.equal(mask, MaskClass.CLOUD)
    return in_shadow(mask) | below
