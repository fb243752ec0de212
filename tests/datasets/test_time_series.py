"""Images of one place on many dates."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cloudfree.datasets.time_series import list_series, pair_dates


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
