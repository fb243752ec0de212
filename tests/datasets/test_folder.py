"""Which patches a folder holds, and which of them are used."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.grid import Window
from cloudfree.datasets.folder import (
    Listing,
    _cut,
    choose_split,
    evenly_spread,
    list_samples,
    list_series,
    pair_dates,
    regroup,
    require_series,
)
from cloudfree.datasets.patch import Sample, Skipped
from cloudfree.errors import InputError
from tests.factories.sample_folders import TEST, TRAIN, paths_of, touch_patch, write_triplet
from tests.factories.time_series import SERIES_TEST, SERIES_TRAIN, touch_time_series


def _names(folder: Path) -> list[str]:
    return [sample.name for sample in list_samples(folder).samples]


def test_sen12mscr_is_listed_by_names_alone(tmp_path: Path) -> None:
    """The files are empty: reading one would fail."""
    touch_patch(tmp_path, TEST, "p31")
    paths = touch_patch(tmp_path, TEST, "p30")
    listing = list_samples(tmp_path)
    assert listing.has_split
    assert listing.samples[0] == Sample(
        name=f"{TEST}_p30", place=TEST, season="spring", cloudy=paths["s2_cloudy"],
        clear=paths["s2"], sar=paths["s1"], offset_dn=0.0,
    )  # fmt: skip
    assert [sample.name for sample in listing.samples] == [f"{TEST}_p30", f"{TEST}_p31"]


def test_files_of_the_data_set_are_found_in_one_folder_too(tmp_path: Path) -> None:
    for path in touch_patch(tmp_path / "tree", TEST).values():
        path.rename(tmp_path / path.name)
    assert _names(tmp_path) == [f"{TEST}_p30"]


def test_a_folder_that_is_linked_is_looked_into_once(tmp_path: Path) -> None:
    touch_patch(tmp_path / "disk", TEST)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "back").symlink_to(tmp_path / "data")
    assert _names(tmp_path / "data") == [f"{TEST}_p30"]


def test_radar_may_be_missing_and_images_may_not(tmp_path: Path) -> None:
    touch_patch(tmp_path, TEST, "p1")["s1"].unlink()
    touch_patch(tmp_path, TEST, "p2")["s2"].unlink()
    touch_patch(tmp_path, TEST, "p3")["s2_cloudy"].unlink()
    listing = list_samples(tmp_path)
    assert [(sample.name, sample.sar) for sample in listing.samples] == [(f"{TEST}_p1", None)]
    assert listing.skipped == (
        Skipped(f"{TEST}_p2", "no clear image"),
        Skipped(f"{TEST}_p3", "no cloudy image"),
    )


def test_where_only_a_clear_image_is_needed_a_sample_has_no_cloudy_one(tmp_path: Path) -> None:
    paths = touch_patch(tmp_path, TEST)
    paths["s2_cloudy"].unlink()
    (sample,) = list_samples(tmp_path, needed=("clear",)).samples
    assert (sample.cloudy, sample.clear, sample.optical) == (None, paths["s2"], paths["s2"])


def test_a_plain_folder_is_listed_by_the_ends_of_names(tmp_path: Path) -> None:
    write_triplet(tmp_path, "0316")
    write_triplet(tmp_path / "sub", "0316")
    write_triplet(tmp_path / "scene", "")
    (tmp_path / "0316_mask.tif").touch()
    listing = list_samples(tmp_path, offset_dn=-1000.0)
    assert [sample.name for sample in listing.samples] == ["0316", "scene", "sub/0316"]
    assert [sample.place for sample in listing.samples] == ["0316", "scene", "sub/0316"]
    assert {sample.offset_dn for sample in listing.samples} == {-1000.0}
    assert not listing.has_split


def test_time_series_are_listed_where_dates_of_them_are_asked_for(tmp_path: Path) -> None:
    touch_time_series(tmp_path, SERIES_TEST, dates=4)
    write_triplet(tmp_path, "0316")
    assert _names(tmp_path) == ["0316"]
    assert [one.name for one in list_samples(tmp_path, dates=3).samples] == [
        "0316", f"{SERIES_TEST}_p7",
    ]  # fmt: skip
    listing = list_samples(tmp_path, dates=4)
    assert [sample.name for sample in listing.samples] == ["0316"]
    assert listing.skipped == (
        Skipped(f"{SERIES_TEST}_p7", "4 dates, of 5 that are needed with the target"),
    )


def test_time_series_have_a_split_of_their_own(tmp_path: Path) -> None:
    """Summer 100 is a test place there, and one to learn from in SEN12MS-CR."""
    touch_time_series(tmp_path, SERIES_TEST)
    touch_time_series(tmp_path, SERIES_TRAIN)
    listing = list_samples(tmp_path, dates=1)
    assert listing.has_split
    for split, place in (("test", SERIES_TEST), ("train", SERIES_TRAIN)):
        chosen, samples = choose_split(listing, split)  # type: ignore[arg-type]
        assert (chosen, [sample.place for sample in samples]) == (split, [place])
    with pytest.raises(InputError, match="no patch of the val split among 2 patches"):
        choose_split(listing, "val")


def test_dates_are_asked_for_of_time_series_alone(tmp_path: Path) -> None:
    touch_time_series(tmp_path, SERIES_TEST)
    require_series(list_samples(tmp_path, dates=3), 3)
    write_triplet(tmp_path, "0316")
    with pytest.raises(
        InputError,
        match=r"--dates 3 for patches of one date, such as 0316; wanted time .*leave --dates out",
    ):
        require_series(list_samples(tmp_path, dates=3), 3)


def test_scenes_are_cut_into_patches_of_one_place(tmp_path: Path) -> None:
    write_triplet(tmp_path, "large", side=80)
    samples = list_samples(tmp_path, patch_px=40).samples
    assert [sample.name for sample in samples] == [
        "large_y0_x0", "large_y0_x40", "large_y40_x0", "large_y40_x40",
    ]  # fmt: skip
    assert {sample.place for sample in samples} == {"large"}
    assert samples[1].window == Window(0, 40, 40, 40)


@given(height=st.integers(1, 90), width=st.integers(1, 90), side=st.integers(16, 64))
def test_patches_cover_a_scene_and_stay_inside(height: int, width: int, side: int) -> None:
    sample = Sample("a", "a", "", Path("a"), Path("b"), None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudfree.datasets.folder._size", lambda _: (height, width))
        windows = [part.window or Window(0, 0, height, width) for part in _cut(sample, side)]
    seen = {(row, col) for w in windows for row in range(w.row, w.row_stop)
            for col in range(w.col, w.col_stop)}  # fmt: skip
    assert seen == {(row, col) for row in range(height) for col in range(width)}
    assert all(max(window.height, window.width) <= side for window in windows)


def test_a_folder_without_patches_is_refused(tmp_path: Path) -> None:
    (tmp_path / "picture.tif").touch()
    with pytest.raises(
        InputError, match=r"no patch with a cloudy and a clear image in .*wanted SEN12MS-CR"
    ):
        list_samples(tmp_path)
    paths_of(tmp_path, TEST, "p1")["s1"].parent.mkdir(parents=True)
    paths_of(tmp_path, TEST, "p1")["s1"].touch()
    with pytest.raises(InputError, match=r"\(1 lack one, such as ROIs1158_spring_106_p1\)"):
        list_samples(tmp_path)


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def test_a_folder_of_dated_images_is_a_series_in_the_order_of_its_days(tmp_path: Path) -> None:
    touch(
        tmp_path / "one",
        "s2_ROIs2017_146_ImgNo_9_2018-04-26_patch_0.tif",
        "s2_ROIs2017_146_ImgNo_10_2018-05-06_patch_0.tif",
        "s2_20180106.tif",
        "notes_2018-01-06.txt",
    )
    touch(tmp_path / "alone", "s2_2018-01-06.tif")
    (series,) = list_series(tmp_path).values()
    assert [image.day for image in series] == [
        date(2018, 1, 6), date(2018, 4, 26), date(2018, 5, 6),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["ROIs1868_summer_s2_100_p100", "a_2018-13-40", "a_120180106", "a_2018-0106", "plain"]
)
def test_other_numbers_are_no_dates(tmp_path: Path, name: str) -> None:
    touch(tmp_path, f"{name}.tif", f"{name}_b.tif")
    assert list_series(tmp_path) == {}


def test_every_cloudy_date_has_the_nearest_clear_one(tmp_path: Path) -> None:
    days = ("2018-01-01", "2018-01-20", "2018-02-01", "2018-06-01")
    touch(tmp_path, *(f"s2_{day}.tif" for day in days))
    ((place, images),) = list_series(tmp_path).items()
    pairs = pair_dates(place, images, [False, True, False, True], offset_dn=0.0)
    assert [(pair.name, pair.clear.stem) for pair in pairs] == [
        ("s2_2018-01-01", "s2_2018-01-20"), ("s2_2018-02-01", "s2_2018-01-20"),
    ]  # fmt: skip
    assert {(pair.place, pair.offset_dn, pair.sar) for pair in pairs} == {(place, 0.0, None)}
    assert pair_dates(place, images, [False] * 4) == []


def test_the_real_series_is_one_of_thirty_dates(data: Path) -> None:
    ((place, images),) = list_series(data / "timeseries").items()
    assert Path(place).name == "rois2017_146"
    assert len(images) == 30
    assert (images[0].day, images[-1].day) == (date(2018, 1, 6), date(2018, 12, 22))


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
