"""What a network sees where a tile has no data."""

from __future__ import annotations

import numpy as np

from cloudfree.inference.missing_pixels import fill_missing


def test_holes_take_the_median_of_their_band_or_zero() -> None:
    bands = np.float32([[[1.0, 2.0, np.nan, 9.0]], [[np.nan] * 4]])
    assert fill_missing(bands).tolist() == [[[1.0, 2.0, 2.0, 9.0]], [[0.0] * 4]]
    assert np.isnan(bands[0, 0, 2]), "the input is left as it was"
