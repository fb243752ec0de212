"""The dates of each patch, by the names of files alone."""

from __future__ import annotations

from pathlib import Path

from cloudfree.datasets.patch import SampleDate
from cloudfree.datasets.time_series import list_time_series
from tests.factories.time_series import SERIES_TEST, SERIES_TRAIN, touch_time_series


def test_the_files_of_a_patch_are_one_series_in_the_order_of_its_dates(tmp_path: Path) -> None:
    """Ten and more dates: 10 comes after 9, though not in the alphabet."""
    paths = touch_time_series(tmp_path, SERIES_TEST, dates=12)
    (sample,), skipped = list_time_series([one for pair in paths[::-1] for one in pair], shown=3)
    assert not skipped
    assert (sample.name, sample.place, sample.shown) == (f"{SERIES_TEST}_p7", SERIES_TEST, 3)
    assert [(one.optical, one.sar) for one in sample.series] == paths
    # 6 January 2018 is day 1374; the day of a date is the mean of both sensors.
    assert [one.day for one in sample.series[:2]] == [1375.0, 1387.0]


def test_digital_numbers_have_no_offset(tmp_path: Path) -> None:
    paths = touch_time_series(tmp_path, SERIES_TEST)
    (sample,), _ = list_time_series([one for pair in paths for one in pair], shown=1)
    assert sample.offset_dn == 0.0


def test_patches_of_a_place_are_apart_and_share_its_name(tmp_path: Path) -> None:
    paths = [
        one
        for patch in (0, 1)
        for pair in touch_time_series(tmp_path, SERIES_TRAIN, patch=patch)
        for one in pair
    ]
    samples, _ = list_time_series(paths, shown=2)
    assert [sample.name for sample in samples] == [f"{SERIES_TRAIN}_p0", f"{SERIES_TRAIN}_p1"]
    assert {sample.place for sample in samples} == {SERIES_TRAIN}


def test_a_date_may_lack_radar_and_without_optical_image_it_is_none(tmp_path: Path) -> None:
    paths = touch_time_series(tmp_path, SERIES_TEST, dates=3)
    kept = [paths[0][0], paths[1][1], *paths[2]]
    (sample,), _ = list_time_series(kept, shown=1)
    assert sample.series == (
        SampleDate(paths[0][0], None, 1374.0), SampleDate(*paths[2], 1399.0),
    )  # fmt: skip
