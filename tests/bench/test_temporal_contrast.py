"""The bench of masks that other dates correct, on one place."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from pathlib import Path

import numpy as np

from cloudfree.core.mask_classes import MaskClass
from tests.bench.other_dates import pairs_of_oscd
from tests.bench.temporal_contrast import PART_PX, Sky, corrected, count, row, skies


def test_a_place_is_judged_clear_and_under_three_kinds_of_cloud(data: Path) -> None:
    (_, _, case) = next(islice(pairs_of_oscd(data), 1))
    image = case.truth.image[:, :64, :64]
    clear, *cloudy = skies(image, "place")
    assert clear.truth is None and np.array_equal(clear.image, image)
    assert [sky.truth is not None and sky.truth.thick.any() for sky in cloudy] == [
        True,
        False,
        False,
    ]


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
    assert corrected(sky, mask, hidden) is mask
    assert PART_PX == 384
