"""Split files: lists, draws, and those that are shipped."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.datasets.split_file import (
    SplitDraw,
    SplitList,
    parse_split,
    read_split,
    shipped_names,
    shipped_splits,
)
from cloudfree.errors import InputError

PLACES = {f"ROIs1158_spring_{number}" for number in range(200)}


def _counts(found: SplitList) -> Counter[str]:
    return Counter(found.part_of.values())


def test_a_list_names_the_part_of_places_seasons_and_patches() -> None:
    text = '# From nowhere.\nname,split\nspring,train\nROIs1868_summer_73, test\n\n"a, b",val\n'
    found = parse_split("mine", "mine.csv", text)
    assert found == SplitList(
        "mine", ("From nowhere.",),
        {"spring": "train", "ROIs1868_summer_73": "test", "a, b": "val"},
    )  # fmt: skip
    assert isinstance(found, SplitList)
    assert parse_split("mine", "split.csv", found.to_text()) == found


def test_columns_may_stand_in_any_order() -> None:
    found = parse_split("mine", "mine.csv", "note,split,name\nx,val,a\n")
    assert isinstance(found, SplitList)
    assert found.part_of == {"a": "val"}


def test_a_list_may_come_from_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(b"\xef\xbb\xbfname,split\r\nspring,train\r\n")
    found = read_split(str(tmp_path / "mine.csv"))
    assert isinstance(found, SplitList)
    assert found.part_of == {"spring": "train"}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("a.csv", "", "split file a.csv cannot be used: its columns are missing; wanted CSV with"),
        ("a.csv", "place,part\nx,test\n", "its columns are place, part"),
        ("a.csv", "name,split\nx,tests\n", "the row x,tests"),
        ("a.csv", "name,split\nx\n", "the row x"),
        ("a.csv", "name,split\nx,test\nx,test\n", "x stands twice under test in a.csv"),
        ("a.csv", "name,split\nx,train\nx,test\n", "x stands under both train and test in a.csv"),
        ("a.toml", "train = ", "split file a.toml cannot be used: Invalid value"),
        ("a.toml", "train = 8\nval = 1\n", "train, val, test are not all positive numbers"),
        ("a.toml", "train = 8\nval = 1\ntest = 0.1\n", "are neither counts nor shares of 1"),
        ("a.toml", "train = 0.8\nval = 0.2\ntest = 0.2\n", "are neither counts nor shares of 1"),
        ("a.toml", 'train = 8\nval = 1\ntest = 1\nseed = "x"\n', "'x', not a whole number"),
        ("a.toml", "train = 8\nval = 1\ntest = 1\nseed = -1\n", "seed is below 0"),
        ("a.toml", "train = inf\nval = 1\ntest = 1\n", "inf, not a finite number @ split.train"),
        ("a.toml", "train = nan\nval = 1\ntest = 1\n", "nan, not a finite number"),
        ("a.toml", f"train = 1{'0' * 400}\nval = 1\ntest = 1\n", "..., not a finite number"),
        ("a.toml", "train = true\nval = 1\ntest = 1\n", "True, not a finite number"),
        ("a.toml", f"train = {'[' * 50_000}\n", "split file a.toml cannot be used: "),
        ("a.toml", 'same_as = "a.toml"\n', "same_as is no entry of a split"),
        ("a.csv", f"name,split\n{'x' * 200_000},test\n", "field larger than field limit"),
        ("a.toml", "train = 8\nplaces = 1\n", "places is no entry of a split"),
    ],
)  # fmt: skip
def test_what_is_no_split_is_refused_in_one_line(file: str, text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse_split("a", file, text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@given(seed=st.integers(0, 9), count=st.integers(3, 200))
def test_a_draw_puts_every_place_it_takes_on_one_side(seed: int, count: int) -> None:
    rule = SplitDraw("mine", (), {"train": 36, "val": 2, "test": 2}, seed)
    drawn = rule.draw(sorted(PLACES)[:count])
    counts = _counts(drawn)
    assert min(counts[part] for part in ("train", "val", "test")) >= 1
    assert sum(counts.values()) == min(count, 40)
    if count >= 40:
        assert counts == {"train": 36, "val": 2, "test": 2}
    assert rule.draw(sorted(PLACES, reverse=True)).part_of == rule.draw(PLACES).part_of


def test_another_seed_draws_other_places() -> None:
    first, second = (
        SplitDraw("mine", (), {"train": 149, "val": 10, "test": 10}, seed).draw(PLACES)
        for seed in (1, 2)
    )
    assert first.part_of != second.part_of
    assert first.header == ("Drawn from 200 places with seed 1: 149 train, 10 val, 10 test.",)


def test_shares_are_of_all_places() -> None:
    rule = SplitDraw("mine", (), {"train": 0.8, "val": 0.1, "test": 0.1}, 1)
    assert _counts(rule.draw(PLACES)) == {"train": 160, "val": 20, "test": 20}


def test_fewer_than_three_places_cannot_be_divided() -> None:
    rule = SplitDraw("mine", (), {"train": 36, "val": 2, "test": 2}, 1)
    with pytest.raises(InputError, match="2 places to draw the split mine from; wanted at least 3"):
        rule.draw(["a", "b"])


# --- those of the literature --------------------------------------------------------------------


def test_the_lists_of_the_data_set_have_175_places() -> None:
    for name in ("uncrtaints", "glf-cr"):
        found = read_split(name)
        assert isinstance(found, SplitList)
        assert found.partial, "few have the data set whole"
        assert _counts(found) == {"train": 155, "val": 10, "test": 10}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("glf-cr-text", {"train": 149, "val": 10, "test": 10}),
        ("sg-bafm", {"train": 36, "val": 2, "test": 2}),
        ("cloud-attentive", {"train": 140, "val": 18, "test": 17}),
    ],
)
def test_what_is_not_published_is_drawn_in_the_published_numbers(
    name: str, counts: dict[str, int]
) -> None:
    found = read_split(name)
    assert isinstance(found, SplitDraw)
    places = [f"ROIs1158_spring_{number}" for number in range(175)]
    drawn = _counts(found.draw(places))
    assert all(abs(drawn[part] - count) <= 1 for part, count in counts.items())
    assert sum(drawn.values()) == sum(counts.values())
    assert found.season == ("spring" if name == "sg-bafm" else "")
    assert re.search("not published", " ".join(found.header))


def test_a_seed_may_follow_the_name_of_a_draw() -> None:
    found = read_split("cloud-attentive:7")
    assert isinstance(found, SplitDraw)
    assert (found.name, found.seed) == ("cloud-attentive", 7)
    with pytest.raises(InputError, match="--split sg-bafm:x; wanted a number after the colon"):
        read_split("sg-bafm:x")


def test_every_shipped_file_says_where_it_comes_from() -> None:
    assert shipped_names() == ["cloud-attentive", "glf-cr", "glf-cr-text", "sg-bafm", "uncrtaints"]
    for text in shipped_splits().values():
        assert text.startswith("# ")


def test_a_file_that_is_not_there_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_split(str(tmp_path / "none.csv"))
    assert str(error.value).startswith(f"--split {tmp_path / 'none.csv'}: No such file")
    assert "one of cloud-attentive, glf-cr, glf-cr-text, sg-bafm, uncrtaints, or a" in str(
        error.value
    )
