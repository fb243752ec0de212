"""The official split, by whole names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.datasets.folder import choose_split, list_samples
from cloudfree.datasets.sen12mscr import FileName, parse_name, split_of
from tests.factories.sample_folders import touch_patch

SPLITS = ("train", "val", "test")
COLLECTIONS = ("ROIs1158_spring", "ROIs1868_summer", "ROIs1970_fall", "ROIs2017_winter")


def places_of(split: str) -> set[str]:
    places = (f"{collection}_{roi}" for collection in COLLECTIONS for roi in range(1000))
    return {place for place in places if split_of(place) == split}


@pytest.mark.parametrize("split", SPLITS)
def test_the_split_is_the_published_one(golden: Path, split: str) -> None:
    published = json.loads((golden / "splits" / "sen12mscr_uncrtaints_split.json").read_text())
    assert places_of(split) == set(published[split])


def test_no_place_is_in_two_splits() -> None:
    sizes = [len(places_of(split)) for split in SPLITS]
    together = set.union(*(places_of(split) for split in SPLITS))
    assert sizes == [155, 10, 10]
    assert len(together) == 175


def test_training_sees_no_place_of_the_test_though_its_name_begins_alike(tmp_path: Path) -> None:
    """The published loader finds s1_1 in s1_106: six test places leak into its training."""
    places = {split: places_of(split) for split in SPLITS}
    for place in set.union(*places.values()):
        touch_patch(tmp_path, place)
    listing = list_samples(tmp_path)
    for split in SPLITS:
        _, samples = choose_split(listing, split)  # type: ignore[arg-type]
        assert {sample.place for sample in samples} == places[split]
    # What that loader does, to show that the data above would show the leak.
    entries = [f"s1_{place.rsplit('_', 1)[1]}" for place in places["train"]]
    mistaken = {
        sample.place
        for sample in listing.samples
        if sample.sar and any(entry in str(sample.sar) for entry in entries)
    }
    assert len(mistaken & places["test"]) >= 6


def test_a_place_that_is_not_listed_is_in_no_split() -> None:
    assert split_of("ROIs1158_spring_10") is None
    assert split_of("1158_spring_106") is None


@given(
    roi=st.integers(0, 999),
    patch=st.integers(0, 999),
    kind=st.sampled_from([("s1", "s1"), ("s2", "clear"), ("s2_cloudy", "cloudy")]),
)
def test_names_give_place_patch_and_kind(roi: int, patch: int, kind: tuple[str, str]) -> None:
    found = parse_name(f"ROIs1970_fall_{kind[0]}_{roi}_p{patch}")
    assert found == FileName(f"ROIs1970_fall_{roi}", "fall", f"p{patch}", kind[1])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["0316_s1", "ROIs1970_fall_s3_1_p1", "ROIs1970_fall_s2_1_p1_x"])
def test_other_names_are_none_of_the_data_set(name: str) -> None:
    assert parse_name(name) is None
