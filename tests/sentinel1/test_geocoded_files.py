"""Which files together are one geocoded Sentinel-1 scene."""

from __future__ import annotations

import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import decibel, linear_power
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.dataset import Dataset
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel1.sar_source import open_sar_source
from tests.factories.rasters import TEN_METRES, write_radar, write_raster
from tests.factories.sentinel1_products import level_scene, write_safe

ID = "S1A_IW_GRDH_1SDV_20220501T103013_20220501T103038_043016_0522DB_rtc"


def _write_item(folder: Path, **changes: Any) -> Path:
    power = np.random.default_rng(0).gamma(4, 0.02, (2, 40, 50)).astype(np.float32)
    for band, image in zip(("vv", "vh"), power, strict=True):
        write_raster(folder / f"iw-{band}.rtc.tiff", image[None], [None])
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": ID, "collection": "sentinel-1-rtc",
        "geometry": None, "bbox": [0, 0, 1, 1], "links": [],
        "properties": {
            "datetime": "2022-05-01T10:30:26Z", "start_datetime": "2022-05-01T10:30:13.5Z",
            "end_datetime": "2022-05-01T10:30:38Z", "platform": "SENTINEL-1A",
            "sat:orbit_state": "descending", "sat:relative_orbit": 69,
        },
        "assets": {
            "vh": {"href": "./iw-vh.rtc.tiff"}, "vv": {"href": "./iw-vv.rtc.tiff"},
            "tilejson": {"href": "https://example.com/tilejson.json"},
        },
        **changes,
    }  # fmt: skip
    path = folder / "item.json"
    path.write_text(json.dumps(item))
    return path


def test_the_assets_of_an_item_are_one_scene(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cloudfree")
    grid = Grid(CRS.from_epsg(32631).to_wkt(), TEN_METRES, 40, 50)
    with open_sar_source(_write_item(tmp_path)) as radar:
        seen = linear_power(radar.on_grid(grid, grid.window))
        acquisition, units = radar.acquisition, radar.units
    power = np.random.default_rng(0).gamma(4, 0.02, (2, 40, 50)).astype(np.float32)
    assert np.allclose(seen, power, rtol=1e-4)
    assert units.quantity == "linear"
    assert acquisition.platform == "Sentinel-1A"
    assert (acquisition.orbit_direction, acquisition.relative_orbit) == ("descending", 69)
    assert acquisition.acquired == datetime(2022, 5, 1, 10, 30, 13, 500_000, tzinfo=UTC)
    assert "item.json holds gamma-nought flattened by the terrain" in caplog.text


def test_an_item_of_another_collection_is_refused(tmp_path: Path) -> None:
    path = _write_item(tmp_path, assets={"B02": {"href": "./b.tif"}})
    with pytest.raises(
        InputError, match=r"no asset vv and no asset vh in item\.json \(B02\); .*sentinel-1-rtc"
    ):
        open_sar_source(path)


def test_an_item_may_have_one_polarisation(tmp_path: Path) -> None:
    path = _write_item(tmp_path, assets={"vh": {"href": "./iw-vh.rtc.tiff"}})
    with open_sar_source(path) as radar:
        assert radar.bands == ("VH",)


def test_an_asset_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = _write_item(tmp_path)
    (tmp_path / "iw-vh.rtc.tiff").unlink()
    with pytest.raises(InputError, match=r"iw-vh\.rtc\.tiff cannot be opened"):
        open_sar_source(path)


@pytest.mark.parametrize("text", ["{}", "[1]", "no json", '{"type": "FeatureCollection"}'])
def test_what_is_no_item_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"a\.json is no STAC item"):
        open_sar_source(path)


GRID = Grid(CRS.from_epsg(32631).to_wkt(), TEN_METRES, 40, 50)
POWER = np.random.default_rng(5).gamma(4, 0.02, (2, 40, 50)).astype(np.float32)
NAME = "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_61_41"


def _pair(folder: Path, vv: str = f"{NAME}_VV.tif", vh: str = f"{NAME}_VH.tif") -> Path:
    folder.mkdir(exist_ok=True)
    for name, image in zip((vv, vh), decibel(POWER), strict=True):
        write_raster(folder / name, image[None], [None])
    return folder


def _seen(path: Path) -> np.ndarray:
    with open_sar_source(path) as radar:
        return radar.on_grid(GRID, GRID.window)


def test_two_files_are_one_scene(tmp_path: Path) -> None:
    """Named by their folder, or by either of the two."""
    folder = _pair(tmp_path / NAME)
    one = write_raster(tmp_path / "one.tif", decibel(POWER), ["VV", "VH"])
    for way in (folder, folder / f"{NAME}_VV.tif", folder / f"{NAME}_VH.tif"):
        assert np.array_equal(_seen(way), _seen(one))


@pytest.mark.parametrize("name", ["vv.tif", "iw-vv.rtc.tiff", "Gamma0_VV_db.tif", "a & <b>_VV.tif"])
def test_the_other_file_differs_by_the_polarisation_in_its_name(tmp_path: Path, name: str) -> None:
    _pair(tmp_path, name, name.replace("vv", "vh").replace("VV", "VH"))
    assert np.allclose(_seen(tmp_path / name), decibel(POWER))


def test_the_order_of_bands_in_one_file_is_that_of_their_names(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", decibel(POWER[::-1]), ["sigma0_VH", "sigma0_VV"])
    assert np.array_equal(_seen(path), decibel(POWER))


def test_nodata_of_two_files_is_kept(tmp_path: Path) -> None:
    for band, image in zip(("VV", "VH"), decibel(POWER), strict=True):
        holed = image[None].copy()
        holed[:, 10:20, 10:20] = -99
        write_raster(tmp_path / f"a_{band}.tif", holed, [None], nodata=-99)
    seen = _seen(tmp_path / "a_VV.tif")
    assert np.isnan(seen[:, 10:20, 10:20]).all()
    assert np.isnan(seen).mean() == pytest.approx(100 / 2000)


@pytest.mark.parametrize(("band", "lost"), [("VV", "VH"), ("VH", "VV")])
def test_a_file_or_folder_of_one_polarisation_is_read_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, band: str, lost: str
) -> None:
    _pair(tmp_path)
    grid = Grid(CRS.from_epsg(32631).to_wkt(), TEN_METRES, 40, 50)
    with open_sar_source(tmp_path) as both:
        expected = both.on_grid(grid, grid.window)[both.bands.index(band)]
    (tmp_path / f"{NAME}_{lost}.tif").unlink()
    caplog.set_level(logging.INFO, "cloudfree")
    for path in (tmp_path / f"{NAME}_{band}.tif", tmp_path):
        with open_sar_source(path) as radar:
            assert radar.bands == (band,)
            assert np.array_equal(radar.on_grid(grid, grid.window), expected[None])
    assert f"has {band} alone: there is no {NAME}_{lost}.tif next to it" in caplog.text


def test_a_folder_with_more_than_one_scene_is_refused(tmp_path: Path) -> None:
    _pair(tmp_path)
    _pair(tmp_path, "b_VV.tif", "b_vh.tif")
    with pytest.raises(
        InputError, match=r"2 of VV and 2 of VH among the 4 GeoTIFFs in .*one scene"
    ):
        open_sar_source(tmp_path)


def test_a_folder_without_radar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="0 of VV and 0 of VH among the 0 GeoTIFFs"):
        open_sar_source(tmp_path)


def test_two_files_that_do_not_match_are_refused(tmp_path: Path) -> None:
    _pair(tmp_path)
    moved = TEN_METRES @ Affine.translation(0.5, 0)
    write_raster(tmp_path / f"{NAME}_VH.tif", decibel(POWER[:1]), [None], transform=moved)
    with pytest.raises(
        InputError, match=r"_VH\.tif \(40 x 50 pixels\) does not lie on the grid of"
    ):
        open_sar_source(tmp_path)


def test_a_band_of_no_polarisation_is_refused(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", decibel(POWER[:1]), [None])
    with pytest.raises(InputError, match=r"bands \['unnamed'\]; .*put A_VH\.tif next to A_VV\.tif"):
        open_sar_source(path)


def test_a_measurement_without_its_product_is_refused(data: Path, tmp_path: Path) -> None:
    measurement = next((data / "products/aws_layout").rglob("iw-vv.tiff"))
    with pytest.raises(InputError, match=r"no folder annotation in the GRD product S1A_IW_GRDH"):
        open_sar_source(measurement)
    path = tmp_path / "iw-vv.tiff"
    path.write_bytes(measurement.read_bytes())
    text = r"iw-vv\.tiff is a GRD measurement in ground range, without its annotation; .*SAFE"
    with pytest.raises(InputError, match=text):
        open_sar_source(path)


def _measurements_elsewhere(folder: Path, root: Path) -> list[Path]:
    """Copies of the measurements of a product, in another folder."""
    folder.mkdir()
    return [Path(shutil.copy(one, folder)) for one in sorted(root.glob("measurement/*"))]


def test_measurements_by_themselves_are_refused_one_by_one_and_as_a_folder(tmp_path: Path) -> None:
    root = write_safe(tmp_path, level_scene(20, 30, 0.1))
    vh, vv = _measurements_elsewhere(tmp_path / "alone", root)
    refused = "is a GRD measurement in ground range, without its annotation; .*; give the SAFE fol"
    unnamed = Path(shutil.copy(vv, tmp_path / "x.tif"))
    for way in (vv, vh, vv.parent, unnamed):
        with pytest.raises(InputError, match=refused) as refusal:
            open_sar_source(way)
        assert refusal.value.code is ErrorCode.MISSING_FILE
        if way == vv.parent:
            assert vv.name in str(refusal.value)


def test_a_measurement_that_was_moved_within_its_product_is_refused_with_its_folder(
    tmp_path: Path,
) -> None:
    root = write_safe(tmp_path, level_scene(20, 30, 0.1))
    moved = _measurements_elsewhere(root / "mine", root)
    for way in (*moved, root / "mine"):
        with pytest.raises(InputError) as refusal:
            open_sar_source(way)
        assert refusal.value.hint == f"give {root}, in which it lies"


# When and from where ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        (f"{NAME}_VV_VH.tif", {}),
        ("a.tif", {"source": f"{NAME}/a.tif"}),
        (f"{NAME}/a.tif", {}),
    ],
)
def test_a_product_name_dates_a_file(tmp_path: Path, name: str, tags: dict[str, str]) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    with open_sar_source(write_radar(tmp_path / name, **tags)) as radar:
        assert radar.acquisition.acquired == datetime(2017, 6, 13, 16, 50, 43, tzinfo=UTC)
        assert radar.acquisition.platform == "Sentinel-1A"


def test_an_output_of_this_program_is_dated_by_its_tags(tmp_path: Path) -> None:
    tags = {
        "CLOUDFREE_S1_SENSED": "2020-05-06T07:08:09+00:00",
        "CLOUDFREE_S1_PLATFORM": "Sentinel-1B",
        "CLOUDFREE_S1_ORBIT": "descending 22",
    }
    with open_sar_source(write_radar(tmp_path / f"{NAME}.tif", **tags)) as radar:
        seen = radar.acquisition
    assert seen.acquired == datetime(2020, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert (seen.orbit_direction, seen.relative_orbit) == ("descending", 22)


@pytest.mark.parametrize("tags", [{}, {"PRODUCT_START_TIME": "yesterday"}])
def test_a_file_without_metadata_is_undated(tmp_path: Path, tags: dict[str, str]) -> None:
    with open_sar_source(write_radar(tmp_path / "a.tif", **tags)) as radar:
        assert radar.acquisition.acquired is None


# The valid edge -----------------------------------------------------------------------------------


def _framed(numbers: np.ndarray, mark: float) -> np.ndarray:
    """Missing pixels along a slanting left edge, and a hole inside."""
    framed = numbers.copy()
    framed[:, np.arange(300) < 20 + np.arange(200)[:, None] // 10] = mark
    framed[:, 80:140, 150:250] = mark
    return framed


SPECKLE = np.random.default_rng(5).gamma(4, 0.02, (2, 200, 300)).astype(np.float32)
LARGE = Window(0, 0, 200, 300)


@pytest.mark.parametrize(
    ("numbers", "mark"),
    [(SPECKLE, 0.0), (SPECKLE, -9999.0), (decibel(SPECKLE), -9999.0), (decibel(SPECKLE), -32768.0)],
    ids=["zeros in power", "-9999 in power", "-9999 in dB", "-32768 in dB"],
)
def test_the_margin_of_undeclared_nodata_is_removed(
    tmp_path: Path, numbers: np.ndarray, mark: float, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cloudfree")
    framed = _framed(numbers, mark)
    path = write_raster(tmp_path / "a.tif", framed, ["VV", "VH"])
    with SarScene(path) as sar:
        missing = np.isnan(sar.on_grid(sar.grid, LARGE)[0])
        part = Window(30, 10, 60, 40)
        assert np.array_equal(np.isnan(sar.on_grid(sar.grid, part)[0]), missing[part.slices])
    edge = np.arange(300) < 23 + np.arange(200)[:, None] // 10
    assert missing[edge].all()
    hole = np.zeros((200, 300), bool)
    hole[80:140, 150:250] = True
    assert np.array_equal(missing[:, 100:], hole[:, 100:]), "a hole inside does not grow"
    assert "3 pixels are removed next to undeclared nodata of a.tif" in caplog.text


# Larger than what is read whole to look at it.
WIDE = np.random.default_rng(6).gamma(4, 0.02, (2, 600, 900)).astype(np.float32)


@pytest.mark.parametrize(
    "frame",
    [
        np.s_[:, :20, 9:-9], np.s_[:, -20:, 9:-9], np.s_[:, 9:-9, :20], np.s_[:, 9:-9, -20:],
        np.s_[:, 500:, 850:],
    ],
    ids=["top", "bottom", "left", "right", "a corner"],
)  # fmt: skip
def test_a_frame_is_found_wherever_it_is(tmp_path: Path, frame: tuple[slice, ...]) -> None:
    numbers = WIDE.copy()
    numbers[frame] = 0
    with SarScene(write_raster(tmp_path / "a.tif", numbers, ["VV", "VH"])) as sar:
        seen = sar.on_grid(sar.grid, sar.grid.window)
    assert np.isnan(seen[frame]).all()
    mixed = np.isnan(seen).sum() - np.isnan(seen[frame]).sum()
    assert mixed > 0, "pixels mixed with those of the frame are cut off"


def test_a_radar_without_a_frame_is_not_decoded_whole_to_look_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scene of a whole swath would take ten seconds before the first tile."""
    path, windows = write_raster(tmp_path / "a.tif", WIDE, ["VV", "VH"]), []
    read = Dataset.read

    def noted(self: Dataset, indexes: list[int], window: Window | None, **asked: Any) -> Any:
        windows.append(window)
        return read(self, indexes, window, **asked)

    monkeypatch.setattr(Dataset, "read", noted)
    SarScene(path).close()
    assert None not in windows
    assert sum(window.height * window.width for window in windows) < 0.6 * WIDE[0].size


def test_a_radar_with_data_at_one_end_alone_is_understood(tmp_path: Path) -> None:
    numbers = np.full_like(WIDE, np.nan)
    numbers[:, :, :40] = decibel(WIDE[:, :, :40])
    with SarScene(write_raster(tmp_path / "a.tif", numbers, ["VV", "VH"])) as sar:
        assert sar.units.quantity == "db"


@pytest.mark.parametrize(
    ("numbers", "nodata"),
    [
        (_framed(SPECKLE, 0.0), 0.0),
        (_framed(SPECKLE, np.nan), np.nan),
        (_framed(decibel(SPECKLE), -9999.0), -9999.0),
        (SPECKLE, None),
    ],
    ids=["zeros declared", "not a number", "-9999 declared", "nothing missing"],
)
def test_declared_nodata_is_left_as_it_is(
    tmp_path: Path, numbers: np.ndarray, nodata: float | None
) -> None:
    path = write_raster(tmp_path / "a.tif", numbers, ["VV", "VH"], nodata=nodata)
    marked = np.isnan(numbers[0]) if nodata is None else numbers[0] == nodata
    with SarScene(path) as sar:
        missing = np.isnan(sar.on_grid(sar.grid, LARGE)[0])
    assert np.array_equal(missing, marked | np.isnan(numbers[0]))


def test_zeros_in_decibels_are_bright_targets_at_the_edge_too(tmp_path: Path) -> None:
    numbers = decibel(SPECKLE)
    numbers[:, :, :30] = 0
    path = write_raster(tmp_path / "a.tif", numbers, ["VV", "VH"])
    with SarScene(path) as sar:
        assert np.array_equal(sar.on_grid(sar.grid, LARGE), numbers)


def test_real_patches_of_two_files_are_read(data: Path) -> None:
    folder = data / f"bigearthnet_l2a/s1-tiny/{NAME}"
    with open_sar_source(folder) as radar:
        seen = radar.on_grid(radar.grid, radar.grid.window)
        assert radar.units.quantity == "db"
        assert radar.acquisition.acquired == datetime(2017, 6, 13, 16, 50, 43, tzinfo=UTC)
    assert seen.shape == (2, 120, 120)
    assert np.isfinite(seen).all()
    assert seen[0].mean() - seen[1].mean() > 4, "VV is brighter than VH"
