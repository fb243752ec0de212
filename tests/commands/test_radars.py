"""Which radar of several suits a scene."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from affine import Affine
from pyproj import CRS

from cloudfree.commands.radars import nearest_radar, radars_below
from cloudfree.core.grid import Grid
from tests.factories.rasters import TEN_METRES, UTM31, write_one_band, write_radar
from tests.factories.sentinel1_products import NAME

SIDE = 64


def _days(count: float) -> timedelta:
    return timedelta(days=count)


@pytest.fixture
def grid() -> Grid:
    """The grid of a scene."""
    return Grid(CRS.from_string(UTM31).to_wkt(), TEN_METRES, SIDE, SIDE)


def _radar(path: Path, right_px: float = 0.0) -> Path:
    moved = TEN_METRES @ Affine.translation(right_px, 0)
    return write_radar(path, SIDE, SIDE, transform=moved)


def test_the_nearest_in_time_that_covers_the_scene_is_taken(tmp_path: Path, grid: Grid) -> None:
    half, whole = _radar(tmp_path / "half.tif", 32), _radar(tmp_path / "whole.tif")
    later = _radar(tmp_path / "later.tif")
    gaps = {later: _days(3), half: _days(1), whole: _days(2)}
    assert nearest_radar(gaps, grid, _days(30)) == whole
    assert nearest_radar(gaps, grid, _days(1)) == half


def test_one_of_another_place_or_that_cannot_be_opened_is_none(tmp_path: Path, grid: Grid) -> None:
    (tmp_path / "broken.tif").touch()
    gaps = {_radar(tmp_path / "away.tif", 1000): _days(0), tmp_path / "broken.tif": _days(0)}
    assert nearest_radar(gaps, grid, _days(30)) is None


def test_one_that_lacks_a_polarisation_is_none_where_that_is_wanted(
    tmp_path: Path, grid: Grid
) -> None:
    both = _radar(tmp_path / "s1.tif")
    gaps = {write_one_band(tmp_path / "vv.tif", both, "VV"): _days(0), both: _days(1)}
    assert nearest_radar(gaps, grid, _days(30)) == both
    assert nearest_radar(gaps, grid, _days(30), ("VV",)) == tmp_path / "vv.tif"
    assert nearest_radar(gaps, grid, _days(30), ("VH",)) == both


def test_products_are_found_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "deep" / f"{NAME}.SAFE").mkdir(parents=True)
    write_radar(tmp_path / "s1.tif", 8, 8)
    assert radars_below(tmp_path) == [tmp_path / "deep" / f"{NAME}.SAFE"]
