"""Slices of one pass are one scene; those of two passes are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.displacement import Shift
from cloudfree.core.grid import Grid, Window
from cloudfree.errors import ErrorCode, InputError
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel1.mosaic import SarMosaic, open_sar_sources
from cloudfree.sentinel1.sar_source import open_sar_source
from tests.factories.rasters import TEN_METRES, UTM31, write_radar, write_raster
from tests.factories.sentinel1_products import NAME, level_scene, write_safe

GRID = Grid(CRS.from_string(UTM31).to_wkt(), TEN_METRES, 96, 96)


def _slice(path: Path, rows: slice, level: float) -> Path:
    """Radar of one level over some rows of the grid."""
    pixels = np.full((2, 96, 96), level, np.float32)[:, rows]
    pixels += np.random.default_rng(2).normal(0, 0.5, pixels.shape).astype(np.float32)
    corner = TEN_METRES @ Affine.translation(0, rows.start or 0)
    return write_raster(path, pixels, SAR_BANDS, transform=corner)


def test_one_scene_is_opened_as_it_is(tmp_path: Path) -> None:
    with open_sar_sources((write_radar(tmp_path / "a.tif"),)) as sar:
        assert isinstance(sar, SarScene)


def test_the_first_that_has_data_is_taken(tmp_path: Path) -> None:
    north = _slice(tmp_path / "north.tif", slice(0, 60), -8.0)
    south = _slice(tmp_path / "south.tif", slice(40, 96), -14.0)
    with (
        open_sar_sources((north, south)) as both,
        SarScene(north) as one,
        SarScene(south) as other,
    ):
        assert isinstance(both, SarMosaic)
        assert (both.path, both.units) == (north, one.units)
        whole = GRID.window
        seen = both.on_grid(GRID, whole)
        first, second = one.on_grid(GRID, whole), other.on_grid(GRID, whole)
        missing = ~np.isfinite(first)
        assert missing[:, 62:].all() and not missing[:, :58].any()
        np.testing.assert_array_equal(seen[~missing], first[~missing])
        np.testing.assert_array_equal(seen[missing], second[missing])
        assert np.isfinite(seen).all()
        assert both.overlap(GRID) == pytest.approx(1.0)
        assert one.overlap(GRID) == pytest.approx(60 / 96)
        assert both.footprint(GRID).share(Window(0, 0, 48, 96)) == pytest.approx(1.0)


def test_all_slices_are_moved_by_one_shift(tmp_path: Path) -> None:
    north = _slice(tmp_path / "north.tif", slice(0, 60), -8.0)
    south = _slice(tmp_path / "south.tif", slice(40, 96), -14.0)
    shift = Shift(5.0, -3.0)
    with open_sar_sources((north, south)) as both:
        seen = both.on_grid(GRID, GRID.window, shift)
    assert seen[:, :54, 10:].mean() == pytest.approx(-8.0, abs=0.2)
    assert seen[:, 57:90, 10:].mean() == pytest.approx(-14.0, abs=0.2)
    assert np.isnan(seen[:, :, :2]).all()


def test_where_no_slice_lies_there_is_no_data(tmp_path: Path) -> None:
    paths = [
        _slice(tmp_path / "a.tif", slice(0, 20), -8.0),
        _slice(tmp_path / "b.tif", slice(70, 96), -9.0),
    ]
    with open_sar_sources(paths) as both:
        assert both.overlap(GRID) == pytest.approx(46 / 96)
        seen = both.on_grid(GRID, Window(30, 0, 30, 96))
    assert np.isnan(seen).all()


def _product(folder: Path, start: str) -> Path:
    name = NAME.replace("20210424T173240", start)
    return write_safe(folder, level_scene(120, 160, sigma=0.1, name=name))


def test_products_of_one_pass_are_joined(tmp_path: Path) -> None:
    one, other = _product(tmp_path, "20210424T173240"), tmp_path / "b"
    named = write_radar(tmp_path / f"{NAME.replace('173240', '173305')}_geo.tif")
    with open_sar_sources((one, named)) as both:
        assert both.acquisition == open_sar_source(one).acquisition
    assert not other.exists()


@pytest.mark.parametrize(
    ("start", "text"),
    [
        ("20210424T173541", r"are 3 minutes apart; wanted slices of one pass, at most 2 minutes"),
        ("20210425T053240", r"are 12 hours apart"),
    ],
)
def test_two_passes_are_refused(tmp_path: Path, start: str, text: str) -> None:
    one = write_radar(tmp_path / f"{NAME}.tif")
    other = write_radar(tmp_path / f"{NAME.replace('20210424T173240', start)}.tif")
    with pytest.raises(InputError, match=text) as error:
        open_sar_sources((one, other))
    assert error.value.code is ErrorCode.TIME_GAP
    assert "\n" not in str(error.value)


def test_two_directions_are_refused(tmp_path: Path) -> None:
    names = (f"S1A__IW___{letter}_20210424T173240.tif" for letter in "AD")
    with pytest.raises(InputError, match="are ascending and descending; wanted slices") as error:
        open_sar_sources([write_radar(tmp_path / name) for name in names])
    assert error.value.code is ErrorCode.BAD_INPUT


def test_slices_of_unknown_time_are_taken_as_given(tmp_path: Path) -> None:
    paths = [write_radar(tmp_path / name) for name in ("a.tif", f"{NAME}.tif")]
    with open_sar_sources(paths) as both:
        assert both.overlap(GRID) == pytest.approx(1.0)


def test_slices_of_other_polarisations_are_refused(tmp_path: Path) -> None:
    both = _slice(tmp_path / "both.tif", slice(0, 60), -8.0)
    alone = np.full((1, 56, 96), -14.0, np.float32)
    corner = TEN_METRES @ Affine.translation(0, 40)
    vv = write_raster(tmp_path / "vv.tif", alone, ["VV"], transform=corner)
    with pytest.raises(InputError, match=r"of other polarisations, VV\+VH and VV"):
        open_sar_sources((both, vv))
