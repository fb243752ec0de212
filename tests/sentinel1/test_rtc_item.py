from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import CRS

from cloudfree.core.grid import Grid
from cloudfree.core.radiometry import linear_power
from cloudfree.errors import InputError
from cloudfree.sentinel1.sar_source import open_sar_source
from tests.factories.rasters import TEN_METRES, write_raster

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
    path = _write_item(tmp_path, assets={"B02": {"href": "./b.tif"}, "vv": {"href": "./v.tif"}})
    with pytest.raises(
        InputError, match=r"no asset vh in item\.json \(B02, vv\); .*sentinel-1-rtc"
    ):
        open_sar_source(path)


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
