"""Which patches are used."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.datasets.folder import Listing
from cloudfree.datasets.patch import Sample
from cloudfree.datasets.splits import choose_split, evenly_spread, regroup
from cloudfree.errors import InputError
from tests.factories.sample_folders import TEST, TRAIN


def _samples(*names: str, season: str = "") -> list[Sample]:
    places = [name.rsplit("_p", 1)[0] for name in names]
    return [
        Sample(name, place, season, Path("a"), Path("b"), None)
        for name, place in zip(names, places, strict=True)
    ]


OFFICIAL = Listing(tuple(_samples(f"{TEST}_p1", f"{TRAIN}_p1", season="spring")), ())
PLAIN = Listing(tuple(_samples("0316", "0581", "large_p1", "large_p2")), ())


def test_sen12mscr_is_tested_on_its_test_split_and_other_data_as_a_whole() -> None:
    assert choose_split(OFFICIAL, None) == ("test", [OFFICIAL.samples[0]])
    assert choose_split(OFFICIAL, "train") == ("train", [OFFICIAL.samples[1]])
    assert choose_split(OFFICIAL, "all") == ("all", list(OFFICIAL.samples))
    assert choose_split(PLAIN, None) == ("all", list(PLAIN.samples))


def test_a_split_of_other_data_is_refused() -> None:
    with pytest.raises(InputError, match="--split test for patches that are not named as in"):
        choose_split(PLAIN, "test")


def test_a_split_without_patches_is_refused() -> None:
    with pytest.raises(InputError, match="no patch of the val split among 2 patches"):
        choose_split(OFFICIAL, "val")


@given(count=st.integers(1, 60), limit=st.integers(1, 80))
def test_a_limit_takes_patches_from_all_over_the_list(count: int, limit: int) -> None:
    samples = _samples(*(f"{number:03}" for number in range(count)))
    chosen = [int(sample.name) for sample in evenly_spread(samples, limit)]
    assert len(chosen) == min(count, limit)
    gaps = {after - before for before, after in pairwise(chosen)}
    assert max(gaps, default=0) - min(gaps, default=0) <= 1
    assert evenly_spread(samples, None) == samples


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.toml", 'north = ["0316", "large"]\n'),
        ("p.csv", "name,place\n0316,north\nlarge,north\n"),
    ],
)
def test_a_file_groups_patches_and_scenes(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    grouped = regroup(PLAIN.samples, tmp_path / name, PLAIN)
    assert [sample.place for sample in grouped] == ["north", "0581", "north", "north"]


def test_a_name_that_no_patch_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('north = ["0316", "0317"]')
    with pytest.raises(InputError, match=r"1 names in p.toml that no patch has, such as 0317"):
        regroup(PLAIN.samples[1:], tmp_path / "p.toml", PLAIN)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.toml", "north = ["),
        ("p.toml", "north = 3"),
        ("p.csv", "a,b\n1,2\n"),
        ("p.csv", "a,b\n"),
        ("p.csv", ""),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=r"p\.\w+ cannot be read .*correct the file"):
        regroup(PLAIN.samples, tmp_path / name, PLAIN)
