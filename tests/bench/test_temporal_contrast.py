"""The bench of masks that other dates correct, on one place."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import MaskClass
from tests.bench.temporal_contrast import (
    Pair,
    Sky,
    corrected,
    count,
    gained,
    pairs,
    row,
    skies,
    total,
)


def test_dates_are_pairs_of_a_place_in_the_bands_of_both(data: Path) -> None:
    found = list(pairs(data))
    assert all(one.today.shape == one.other.shape for one in found)
    assert all(len(one.bands) == len(one.today) for one in found)
    assert {len(one.bands) for one in found} == {13, 12, 10}
    assert {"dubai", "finland, snow today", "punjab"} <= {one.place for one in found}


def test_a_place_is_judged_clear_and_under_three_kinds_of_cloud() -> None:
    image = np.full((13, 64, 64), 0.1, np.float32)
    clear, *cloudy = skies(Pair("place", OPTICAL_BANDS, image, image))
    assert clear.truth is None and clear.image is image
    thick = [sky.truth is not None and bool(sky.truth.thick.any()) for sky in cloudy]
    assert thick == [True, False, False]


def test_a_date_that_finds_shadow_and_hides_no_ground_gains() -> None:
    names = ("shadow", "light, shadow", "clear, cloud", "clear, shadow")
    before = {name: [50, 100] for name in names}
    assert gained(before, {**before, "shadow": [60, 100]}) == pytest.approx(10)
    assert gained(before, {**before, "clear, cloud": [53, 100]}) == pytest.approx(-3)
    assert total([before, before])["shadow"] == [100, 200]


def test_counts_are_of_what_is_looked_at() -> None:
    counts = defaultdict(lambda: [0, 0])
    mask = np.full((10, 10), MaskClass.CLEAR, np.uint8)
    mask[:2] = MaskClass.CLOUD
    mask[9] = MaskClass.NODATA
    count(counts, Sky(np.zeros((13, 10, 10), np.float32), 0.0), mask)
    assert counts == {"clear, cloud": [20, 90], "clear, shadow": [0, 90]}
    assert row("by itself", counts) == "by itself | 22.22 | 0.00"


def test_a_date_without_common_ground_changes_nothing() -> None:
    mask = np.full((20, 20), MaskClass.CLEAR, np.uint8)
    hidden = np.full((13, 20, 20), np.nan, np.float32)
    sky = Sky(np.zeros((13, 20, 20), np.float32), 0.0)
    assert corrected(sky, mask, hidden, OPTICAL_BANDS) is mask
