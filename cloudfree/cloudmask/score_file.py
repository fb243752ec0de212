"""Cloud scores on disk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.core.window import Window
from cloudfree.raster.cog import CogProfile, CogWriter

# What one step of a score written as a byte means; a score of 1 is 200.
BYTE_STEP = 1 / 200
BYTE_NODATA = 255


class ScoreWriter(CogWriter):
    """Writes scores from 0 to 1 into a one-band raster: float32, or bytes of 1/200."""

    def write_score(self, window: Window, score: Float32) -> None:
        """Write the score of a window, (y, x), NaN where there is no data."""
        self.write(window, encode_score(score, self.profile.dtype)[np.newaxis])


def encode_score(score: Float32, dtype: str) -> NDArray[np.generic]:
    """The numbers that stand for a score in a file of `dtype`."""
    if dtype == "float32":
        return score
    steps = np.rint(score / np.float32(BYTE_STEP))
    return np.asarray(np.nan_to_num(steps, nan=BYTE_NODATA), dtype=np.uint8)


def score_profile(dtype: str) -> CogProfile:
    """How a score is written: as it is with NaN for nodata, or as a byte with scale and 255."""
    scaled = dtype == "uint8"
    return CogProfile(
        dtype=dtype,
        nodata=BYTE_NODATA if scaled else float("nan"),
        descriptions=("cloud score",),
        scales=(BYTE_STEP,) if scaled else (),
        offsets=(0.0,) if scaled else (),
    )
