"""A folder of scenes read as dates of one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from cloudfree.commands.evaluate.series import dates
from cloudfree.commands.evaluate.series.dates import Series, read_series
from cloudfree.commands.remove.made_masks import MadeMasks
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from tests.factories.dates_of_a_place import SIDE, write_date
from tests.factories.rasters import TEN_METRES, write_radar

CLOUD = (slice(0, 64), slice(0, 64))
Read = Callable[[], Series]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    masks = tmp_path / "masks"
    masks.mkdir()
    return lambda: read_series(tmp_path / "in", 0.0, MadeMasks(masks), silent)


def test_dates_come_in_order_of_time_with_their_clouds(tmp_path: Path, read: Read) -> None:
    write_date(tmp_path / "in" / "april_2018-04-01.tif", CLOUD)
    write_date(tmp_path / "in" / "below" / "s2_20180312.tif")
    found = read()
    assert found.bands == OPTICAL_BANDS
    assert [one.name for one in found.dates] == ["2018-03-12", "2018-04-01"]
    clear, cloudy = found.dates
    assert cloudy.day - clear.day == 20
    assert clear.cover < 0.02
    assert cloudy.hidden[8:56, 8:56].all() and 0.2 < cloudy.cover < 0.4
    assert np.isnan(cloudy.image[:, cloudy.hidden]).all()
    assert np.nanmean(clear.image) == pytest.approx(np.nanmean(cloudy.image), rel=0.1)


def test_another_grid_is_put_on_that_of_the_first(tmp_path: Path, read: Read) -> None:
    write_date(tmp_path / "in" / "s2_20180301.tif")
    east = TEN_METRES @ Affine.translation(32, 0)
    write_date(tmp_path / "in" / "s2_20180401.tif", CLOUD, transform=east)
    first, second = read().dates
    assert second.image.shape == first.image.shape
    assert np.isnan(second.image[:, :, :32]).all() and not second.hidden[:, :32].any()
    assert second.hidden[8:56, 40:88].all()


def test_radar_belongs_to_the_dates_that_it_is_near(tmp_path: Path, read: Read) -> None:
    write_date(tmp_path / "in" / "s2_20180301.tif")
    write_date(tmp_path / "in" / "s2_20180801.tif")
    write_radar(tmp_path / "in" / "s1_20180304.tif", SIDE, SIDE)
    near, far = read().dates
    assert near.radar is not None and near.radar.shape == (2, SIDE, SIDE)
    assert far.radar is None


def test_what_does_not_belong_is_left_out_with_the_reason(tmp_path: Path, read: Read) -> None:
    write_date(tmp_path / "in" / "s2_20180301.tif")
    write_date(tmp_path / "in" / "a_20180301.tif")
    write_date(tmp_path / "in" / "undated.tif")
    l2a = tuple(band for band in OPTICAL_BANDS if band != "B10")
    write_date(tmp_path / "in" / "l2a_20180501.tif", bands=l2a)
    far = TEN_METRES @ Affine.translation(5000, 0)
    write_date(tmp_path / "in" / "far_20180601.tif", transform=far)
    (tmp_path / "in" / "broken_20180701.tif").write_text("broken")
    found = read()
    assert [one.name for one in found.dates] == ["2018-03-01"]
    reasons = {one.name: one.reason for one in found.skipped}
    assert reasons.pop("broken_20180701.tif")
    assert reasons == {
        "s2_20180301.tif": "is of the day of a_20180301.tif",
        "undated.tif": "has no date in its metadata or its name",
        "l2a_20180501.tif": "is L2A and a_20180301.tif L1C",
        "far_20180601.tif": "shows another place than a_20180301.tif",
    }


def test_bands_are_those_that_all_dates_have(tmp_path: Path, read: Read) -> None:
    write_date(tmp_path / "in" / "s2_20180301.tif")
    fewer = tuple(band for band in OPTICAL_BANDS if band not in ("B01", "B09"))
    write_date(tmp_path / "in" / "s2_20180401.tif", bands=fewer)
    found = read()
    assert found.bands == fewer
    assert {len(one.image) for one in found.dates} == {11}


def test_a_folder_without_dated_scenes_is_refused(tmp_path: Path, read: Read) -> None:
    write_date(tmp_path / "in" / "undated.tif")
    with pytest.raises(InputError, match=r"no Sentinel-2 scene of a known date in .*undated\.tif"):
        read()


def test_scenes_too_large_for_memory_are_refused(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_date(tmp_path / "in" / "s2_20180301.tif")
    monkeypatch.setattr(dates, "MAX_PIXELS", SIDE * SIDE - 1)
    with pytest.raises(InputError, match="of 128 x 128 pixels; wanted at most 16383 pixels"):
        read()
