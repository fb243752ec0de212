"""Radar of the time of a reference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudfree.commands.options import RadarOptions
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.references.radar import dated_radars, radar_of_date
from cloudfree.core.acquisition import UNKNOWN, Acquisition
from cloudfree.core.displacement import NO_SHIFT
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories import sentinel1_products as sentinel1
from tests.factories.dates_of_a_place import SIDE, write_date
from tests.factories.rasters import write_radar

DATE = Acquisition(acquired=datetime(2022, 5, 26, 10, tzinfo=UTC))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[CloudyScene]:
    """The scene on whose grid everything is put."""
    with OpticalScene(write_date(tmp_path / "s2.tif"), 0.0) as optical:
        yield CloudyScene(optical, None)


def _radar(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_radar(path, SIDE, SIDE)


def _days(radars: dict[Path, Acquisition]) -> dict[str, str | None]:
    return {
        path.name: f"{one.acquired:%Y%m%d}" if one.acquired else None
        for path, one in radars.items()
    }


def test_files_are_taken_and_folders_are_searched(tmp_path: Path) -> None:
    folder = tmp_path / "radar"
    named = _radar(tmp_path / "vv_vh_2022-05-20.tif")
    _radar(folder / "May_s1_20220501.tif")
    _radar(folder / "s2_20220502.tif")
    product = sentinel1.write_safe(folder, sentinel1.level_scene(40, 40, 0.1))
    assert _days(dated_radars([named, folder])) == {
        "vv_vh_2022-05-20.tif": "20220520", product.name: "20210424",
        "May_s1_20220501.tif": "20220501",
    }  # fmt: skip
    assert _days(dated_radars([product])) == {product.name: "20210424"}


def test_what_cannot_be_opened_has_no_date(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s1_20220501.tif"
    path.touch()
    assert dated_radars([path]) == {path: UNKNOWN}
    assert f"radar {path} is left out" in caplog.text


def test_the_nearest_in_time_is_opened(tmp_path: Path, scene: CloudyScene) -> None:
    radars = dated_radars([_radar(tmp_path / f"s1_202205{day}.tif") for day in (10, 24, 31)])
    with ExitStack() as stack:
        found = radar_of_date(radars, DATE, scene, RadarOptions(), stack)
        assert found is not None
        assert (found.sar.path.name, found.shift) == ("s1_20220524.tif", NO_SHIFT)


def test_a_date_without_a_radar_of_its_time_has_none(tmp_path: Path, scene: CloudyScene) -> None:
    radars = dated_radars([_radar(tmp_path / "s1_20220301.tif"), _radar(tmp_path / "s1.tif")])
    with ExitStack() as stack:
        for date in (DATE, UNKNOWN):
            assert radar_of_date(radars, date, scene, RadarOptions(), stack) is None
        assert radar_of_date(radars, DATE, scene, RadarOptions(max_gap=90), stack) is not None
