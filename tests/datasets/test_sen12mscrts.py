"""The names and the official split of SEN12MS-CR-TS."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.datasets.sen12mscr import split_of
from cloudfree.datasets.sen12mscrts import SeriesFileName, parse_series_name, split_of_series

COLLECTIONS = {"ROIs1158": "spring", "ROIs1868": "summer", "ROIs1970": "fall", "ROIs2017": "winter"}
PLACES = [(collection, roi) for collection in COLLECTIONS for roi in range(1000)]


def _places(split: str) -> set[str]:
    return {f"{c}_{roi}" for c, roi in PLACES if split_of_series(f"{c}_{roi}") == split}


def test_the_split_has_as_many_places_as_the_published_one() -> None:
    assert {split: len(_places(split)) for split in ("train", "val", "test")} == {
        "train": 35, "val": 5, "test": 13,
    }  # fmt: skip


def test_no_test_place_of_sen12mscr_is_learned_from() -> None:
    """Both data sets show the same places; the reverse does not hold, as of summer 100."""
    tested = {
        f"{c}_{roi}" for c, roi in PLACES if split_of(f"{c}_{COLLECTIONS[c]}_{roi}") == "test"
    }
    assert not tested & _places("train")
    assert split_of("ROIs1868_summer_100") == "train"
    assert split_of_series("ROIs1868_100") == "test"


def test_places_are_matched_by_their_whole_name() -> None:
    assert split_of_series("ROIs2017_14") is None
    assert split_of_series("ROIs2017_140") == "test"


@given(
    st.sampled_from(["s1", "s2"]), st.integers(0, 999), st.integers(0, 29), st.integers(0, 999),
    st.dates(date(2014, 4, 3), date(2030, 1, 1)),
)  # fmt: skip
def test_names_give_place_patch_date_and_sensor(
    sensor: str, roi: int, number: int, patch: int, day: date
) -> None:
    found = parse_series_name(f"{sensor}_ROIs1970_{roi}_ImgNo_{number}_{day}_patch_{patch}")
    assert found == SeriesFileName(f"ROIs1970_{roi}", f"p{patch}", number, sensor, day)


@pytest.mark.parametrize(
    "name",
    [
        "ROIs1970_fall_s2_1_p1",
        "s3_ROIs1970_1_ImgNo_1_2018-01-01_patch_1",
        "s2_ROIs1970_1_ImgNo_1_2018-13-01_patch_1",
        "s2_ROIs1970_1_ImgNo_1_2018-01-01_patch_1_mask",
    ],
)
def test_other_names_are_none_of_the_data_set(name: str) -> None:
    assert parse_series_name(name) is None
