"""Where on the Earth a grid lies, roughly."""

from __future__ import annotations

import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from cloudfree.core.grid import Grid
from cloudfree.raster.geographic_bounds import GeographicBounds, geographic_bounds

UTM1, UTM31, UTM60 = (CRS.from_epsg(32600 + zone).to_wkt() for zone in (1, 31, 60))


def _tile(crs: str | None, east_m: float, north_m: float = 5_000_000) -> Grid:
    """A tile of 110 km whose upper left corner lies there."""
    return Grid(crs, Affine(10, 0, east_m, 0, -10, north_m), 10_980, 10_980)


def _meet(one: Grid, other: Grid) -> bool:
    bounds, others = geographic_bounds(one), geographic_bounds(other)
    assert bounds is not None and others is not None
    return bounds.meet(others)


def test_bounds_are_degrees() -> None:
    bounds = geographic_bounds(_tile(UTM31, 500_000))
    assert bounds is not None
    assert (bounds.west, bounds.north) == pytest.approx((3.0, 45.15), abs=0.01)
    assert (bounds.east, bounds.south) == pytest.approx((4.40, 44.15), abs=0.01)


def test_a_grid_without_a_coordinate_system_lies_nowhere() -> None:
    assert geographic_bounds(_tile(None, 0)) is None


def test_tiles_that_overlap_meet_and_others_do_not() -> None:
    here = _tile(UTM31, 500_000)
    assert _meet(here, here)
    assert _meet(here, _tile(UTM31, 600_000))
    assert not _meet(here, _tile(UTM31, 700_000))
    assert not _meet(here, _tile(UTM31, 500_000, 5_200_000))


def test_tiles_meet_over_the_antimeridian() -> None:
    assert _meet(_tile(UTM60, 700_000), _tile(UTM1, 260_000))
    assert not _meet(_tile(UTM60, 500_000), _tile(UTM1, 400_000))


@given(
    west=st.floats(-180, 180), width=st.floats(1, 90),
    inside=st.floats(0.1, 0.9), turns=st.integers(-1, 1),
)  # fmt: skip
def test_rectangles_meet_whoever_is_asked_and_however_degrees_are_counted(
    west: float, width: float, inside: float, turns: int
) -> None:
    one = GeographicBounds(west, 0, west + width, 1)
    begins = west + inside * width + 360 * turns
    met = GeographicBounds(begins, 0.5, begins + width, 2)
    beside = GeographicBounds(begins + width, 0.5, begins + 2 * width, 2)
    assert one.meet(met) and met.meet(one)
    assert not one.meet(beside) and not beside.meet(one)
