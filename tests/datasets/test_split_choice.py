"""The patches that a split file chooses from a data set."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from cloudfree.datasets.folder import Listing, list_samples
from cloudfree.datasets.patch import Sample
from cloudfree.datasets.split_choice import choose_samples
from cloudfree.errors import InputError
from tests.factories.sample_folders import TEST, TRAIN, VAL, touch_patch, write_triplet

SUMMER = "ROIs1868_summer_73"


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    for place in (TEST, TRAIN, VAL, SUMMER):
        for patch in ("p30", "p31"):
            touch_patch(tmp_path / "data", place, patch)
    return list_samples(tmp_path / "data")


def _file(folder: Path, *rows: str) -> str:
    path = folder / "mine.csv"
    path.write_text("\n".join(["# Mine.", "name,split", *rows, ""]))
    return str(path)


def _names(samples: list[Sample]) -> list[str]:
    return [sample.name for sample in samples]


def test_the_nearest_name_decides(listing: Listing, tmp_path: Path) -> None:
    """A patch goes by its own name, else by its place, else by its season."""
    file = _file(tmp_path, "spring,train", f"{VAL},val", "summer,train", f"{SUMMER},test")
    learned = choose_samples(listing, file, None, "train")
    assert {sample.place for sample in learned.samples} == {TEST, TRAIN}
    assert {sample.place for sample in learned.validation} == {VAL}
    tested = choose_samples(listing, file, None, "test")
    assert _names(tested.samples) == [f"{SUMMER}_p30", f"{SUMMER}_p31"]
    assert (tested.name, learned.name) == ("mine: test", "mine: train")
    assert tested.file == (tmp_path / "mine.csv").read_text()
    assert learned.other_names == {VAL, SUMMER}


def test_a_test_list_may_name_patches_alone(listing: Listing, tmp_path: Path) -> None:
    chosen = choose_samples(listing, _file(tmp_path, f"{TEST}_p31,test"), None, "test")
    assert _names(chosen.samples) == [f"{TEST}_p31"]


def test_without_a_file_the_official_split_is_used(listing: Listing) -> None:
    for split in (None, "test"):
        chosen = choose_samples(listing, split, None, "test")
        assert (chosen.name, chosen.file) == ("test", None)
        assert {sample.place for sample in chosen.samples} == {TEST, SUMMER}
    assert choose_samples(listing, None, None, "train").name == "train"


def test_a_shipped_list_is_that_of_the_places_that_are_there(listing: Listing) -> None:
    chosen = choose_samples(listing, "uncrtaints", None, "train")
    assert {sample.place for sample in chosen.samples} == {TRAIN}
    assert {sample.place for sample in chosen.validation} == {VAL}
    assert chosen.file is not None
    rows = [line for line in chosen.file.splitlines() if not line.startswith("#")]
    assert rows == ["name,split", f"{TEST},test", f"{SUMMER},test", f"{VAL},val", f"{TRAIN},train"]


def test_a_draw_is_written_as_the_list_that_gives_the_same_patches(
    listing: Listing, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        drawn = choose_samples(listing, "glf-cr-text", None, "test")
    assert "split glf-cr-text wants 169 places, and 4 are there" in caplog.text
    assert drawn.file is not None
    assert "# Drawn from 4 places with seed 1: 2 train, 1 val, 1 test." in drawn.file
    written = tmp_path / "split.csv"
    written.write_text(drawn.file)
    assert _names(choose_samples(listing, str(written), None, "test").samples) == _names(
        drawn.samples
    )


def test_a_draw_of_a_season_leaves_the_others_out(tmp_path: Path) -> None:
    for place in (TEST, TRAIN, VAL, SUMMER):
        touch_patch(tmp_path, place)
    listing = list_samples(tmp_path)
    places = {
        sample.place
        for part in ("train", "test")
        for chosen in [choose_samples(listing, "sg-bafm", None, part)]  # type: ignore[arg-type]
        for sample in (*chosen.samples, *chosen.validation)
    }
    assert places == {TEST, TRAIN, VAL}


def test_groups_are_names_too(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_triplet(tmp_path / "data", name)
    groups = tmp_path / "groups.toml"
    groups.write_text('valley = ["a", "b"]')
    file = _file(tmp_path, "valley,train", "c,test")
    chosen = choose_samples(list_samples(tmp_path / "data"), file, groups, "train")
    assert [(one.name, one.place) for one in chosen.samples] == [("a", "valley"), ("b", "valley")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((f"{TRAIN},train", "ROIs1158_spring_999,train"),
         "1 names in split mine that no patch, place or season has, such as ROIs1158_spring_999; "
         f"wanted names such as {TEST}_p30 or {TEST}; correct the names, or take them out"),
        ((f"{TRAIN}_p30,train", f"{TRAIN}_p31,test"),
         f"place {TRAIN} has patches in both train and test of split mine; wanted each place on"),
        ((f"{TEST},test",), "no patch of the train part of split mine among 8 patches"),
    ],
    ids=["unknown", "overlap", "empty"],
)  # fmt: skip
def test_a_split_that_does_not_fit_is_refused_in_one_line(
    listing: Listing, tmp_path: Path, rows: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError) as error:
        choose_samples(listing, _file(tmp_path, *rows), None, "train")
    assert str(error.value).startswith(message)


def test_places_of_parts_that_are_not_used_may_be_elsewhere(
    listing: Listing, tmp_path: Path
) -> None:
    """Who has only the test places on disk can test by the whole list."""
    file = _file(tmp_path, "ROIs1158_spring_999,train", f"{TEST},test")
    assert len(choose_samples(listing, file, None, "test").samples) == 2
