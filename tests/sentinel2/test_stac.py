"""What providers say of their files, and how far it can be trusted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudfree.core.grid import Window
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.cog import CogWriter
from cloudfree.raster.reach import remote_allowed
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.sentinel2.stac import stac_product
from tests.factories.sentinel2_products import SUN_AZIMUTH_DEG, Safe, write_band, write_stac

L2A = "sentinel-2-l2a"
APPLIED = "earthsearch:boa_offset_applied"
RASTER = {"raster:bands": [{"nodata": 0, "scale": 0.0001, "offset": -0.1}]}
ASSET_RASTER = {"raster:scale": 0.0001, "raster:offset": -0.1}


def _item(
    folder: Path, properties: dict[str, Any], added: int = 0, dark: bool = True, **asset: Any
) -> Path:
    """An item of three bands whose numbers are dark, or bright, plus what is added."""
    numbers = Safe("L2A").numbers
    for band in ("B8A", "B11", "B12"):
        pixels = numbers[band] if dark else np.maximum(numbers[band], 1500)
        write_band(folder / f"{band}.tif", pixels + np.uint16(added))
    files = {band: f"./{band}.tif" for band in ("B8A", "B11", "B12")}
    return write_stac(folder / "item.json", files, properties, L2A, **asset)


@pytest.mark.parametrize(
    ("properties", "asset", "offset", "says"),
    [
        # Planetary Computer: as ESA delivers it, so the baseline tells.
        ({"s2:processing_baseline": "03.01"}, {}, 0, "0 by baseline 03.01 of item.json"),
        ({"s2:processing_baseline": "04.00"}, {}, -1000, "-1000 by baseline 04.00 of item.json"),
        # Copernicus Data Space: scale and offset in every band.
        ({"processing:version": "05.11"}, RASTER, -1000, "-1000 by scale and offset of the bands"),
        ({}, ASSET_RASTER, -1000, "-1000 by scale and offset of the bands in item.json"),
        ({}, {"bands": [{"raster:scale": 1e-4, "raster:offset": 0}]}, 0, "0 by scale"),
        # Earth Search took it out of these, whatever their bands say.
        ({APPLIED: True, "s2:processing_baseline": "04.00"}, RASTER, 0,
         f"0 by {APPLIED}"),
        ({APPLIED: False, "s2:processing_baseline": "04.00"}, RASTER, -1000, "-1000 by baseline"),
        ({APPLIED: False, "s2:processing_baseline": "02.09"}, {}, 0, "0 by baseline 02.09"),
    ],
)  # fmt: skip
def test_each_provider_has_its_own_rule(
    tmp_path: Path, properties: dict[str, Any], asset: dict[str, Any], offset: int, says: str
) -> None:
    with OpticalScene(_item(tmp_path, properties, dark=False, added=1000, **asset)) as scene:
        assert (scene.offset.offset_dn, scene.offset.source) == (offset, "STAC")
        assert scene.offset.reason.startswith(says)


@pytest.mark.parametrize(
    ("properties", "asset", "added"),
    [
        # Known to be false for some items of 2022.
        ({APPLIED: True}, {}, 1000),
        ({APPLIED: False, "s2:processing_baseline": "04.00"}, {}, 0),
        ({"s2:processing_baseline": "04.00"}, {"raster:bands": [{"scale": 1e-4, "offset": 0}]}, 0),
        ({"s2:processing_baseline": "03.01"}, RASTER, 0),
    ],
)
def test_an_item_that_its_own_words_or_pixels_contradict_is_refused(
    tmp_path: Path, properties: dict[str, Any], asset: dict[str, Any], added: int
) -> None:
    path = _item(tmp_path, properties, added, **asset)
    if added:
        for band in ("B8A", "B11", "B12"):  # water, black in the short-wave infrared
            write_band(tmp_path / f"{band}.tif", np.full((24, 24), 1012, np.uint16))
    with pytest.raises(InputError, match=r"contradicting radiometric offsets of S2B_"):
        OpticalScene(path)


def test_a_result_of_a_mended_item_reads_back_without_an_offset(tmp_path: Path) -> None:
    """Its name and baseline would say otherwise; what was decided is in its tags."""
    uri = "S2B_MSIL2A_20220605T105031_N0400_R051_T31TCG_20220605T125031.SAFE"
    properties = {APPLIED: True, "s2:processing_baseline": "04.00", "s2:product_uri": uri}
    path, whole = tmp_path / "N0400_cloudfree.tif", Window(0, 0, 24, 24)
    with OpticalScene(_item(tmp_path, properties)) as scene:
        native = scene.native(whole)
        with CogWriter(path, scene.grid, scene.profile({}, {})) as writer:
            writer.write(whole, native)
    with OpticalScene(path) as back:
        assert back.offset.reason == f"0 by the tag CLOUDFREE_OFFSET_DN in {path.name}"
        assert back.product.baseline == "04.00"
        np.testing.assert_array_equal(back.native(whole), native)


def test_the_item_has_the_acquisition(tmp_path: Path) -> None:
    properties = {
        "view:sun_azimuth": SUN_AZIMUTH_DEG, "sat:relative_orbit": 51,
        "sat:orbit_state": "descending", "s2:processing_baseline": "03.01",
    }  # fmt: skip
    with OpticalScene(_item(tmp_path, properties)) as scene:
        assert scene.sun_azimuth_deg == SUN_AZIMUTH_DEG
        assert scene.level == "L2A"
        seen = scene.acquisition
        assert (seen.platform, seen.relative_orbit) == ("Sentinel-2B", 51)
        assert (seen.orbit_direction, str(seen.acquired)) == (
            "descending", "2022-06-05 10:50:31+00:00",
        )  # fmt: skip
        assert np.isfinite(scene.reflectance(["B11"], Window(0, 0, 24, 24))).all()


def _names(folder: Path, assets: dict[str, Any]) -> dict[str, str]:
    path = write_stac(folder / "item.json", {}, {}, L2A)
    item = json.loads(path.read_text())
    item["assets"] = assets
    path.write_text(json.dumps(item))
    return {file.band: file.path for file in stac_product(path).bands}


def test_assets_are_known_by_their_own_or_their_common_names(tmp_path: Path) -> None:
    found = _names(
        tmp_path,
        {
            "blue": {"href": "./blue.tif", "eo:bands": [{"name": "blue", "common_name": "blue"}]},
            "rededge2": {"href": "./e2.tif",
                         "eo:bands": [{"name": "rededge2", "common_name": "rededge"}]},
            "nir08": {"href": "./n.tif", "bands": [{"eo:common_name": "nir08"}]},
            "B12_20m": {"href": "./20.jp2", "gsd": 20},
            "B12_60m": {"href": "./60.jp2", "gsd": 60},
            "red-jp2": {"href": "./r.jp2", "eo:bands": [{"name": "red"}]},
            "visual": {"href": "./t.tif", "eo:bands": [{"name": "red"}, {"name": "green"}]},
            "scl": {"href": "./scl.tif"},
            "B01": {"href": "./preview.tif", "roles": ["thumbnail"]},
        },
    )  # fmt: skip
    assert found == {
        band: str(tmp_path / name)
        for band, name in {"B02": "blue.tif", "B06": "e2.tif", "B8A": "n.tif",
                           "B12": "20.jp2"}.items()
    }  # fmt: skip


def test_places_of_assets_become_names_that_gdal_opens(tmp_path: Path) -> None:
    hrefs = {
        "B01": ("/vsizip//a/b.zip/B01.tif", "/vsizip//a/b.zip/B01.tif"),
        "B02": ("https://host/B02.tif?sig=a&b", "/vsicurl/https://host/B02.tif?sig=a&b"),
        "B03": ("s3://bucket/B03.tif", "/vsis3/bucket/B03.tif"),
        "B04": ("./B04.tif", str(tmp_path / "B04.tif")),
        "B05": ("/data/B05.tif", "/data/B05.tif"),
        "B06": ("file:///data/B06.tif", "/data/B06.tif"),
    }
    with remote_allowed(True):
        found = _names(tmp_path, {band: {"href": href} for band, (href, _) in hrefs.items()})
    assert found == {band: place for band, (_, place) in hrefs.items()}


@pytest.mark.parametrize(
    "href",
    [
        "https://host/B02.tif", "s3://bucket/B02.tif", "/vsizip//a/b.zip/B02.tif", "/data/B02.tif",
        "file:///data/B02.tif", "../B02.tif", "./below/../../B02.tif",
    ],
)  # fmt: skip
def test_an_item_in_a_file_may_only_name_what_lies_below_it(tmp_path: Path, href: str) -> None:
    _names(tmp_path, {"B02": {"href": "./below/B02.tif"}})
    with pytest.raises(InputError, match="--allow-remote") as refused:
        _names(tmp_path, {"B02": {"href": href}})
    assert refused.value.code is ErrorCode.NOT_ALLOWED


@pytest.mark.parametrize(
    "text",
    ["{}", "nonsense", '{"type": "FeatureCollection"}', "[]", "[" * 100_000,
     '{"type": "FeatureCollection", "features": 3}', '{"type": ["Feature"]}'],
)  # fmt: skip
def test_what_is_no_item_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(
        InputError, match=r"a\.json is no STAC item .*; wanted the JSON of one item"
    ):
        OpticalScene(path)


def test_an_item_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no Sentinel-2 bands among the assets of item\.json"):
        _names(tmp_path, {"vv": {"href": "/a/vv.tif"}})


@pytest.mark.parametrize("key", ["scl", "SCL"])
def test_the_scene_classification_is_an_asset(tmp_path: Path, key: str) -> None:
    assert stac_product(_item(tmp_path, {})).scl is None
    item = json.loads((tmp_path / "item.json").read_text())
    item["assets"][key] = {"href": "./classes/SCL.tif"}
    item["assets"][f"{key}-jp2"] = {"href": "./classes/SCL.jp2"}
    (tmp_path / "item.json").write_text(json.dumps(item))
    assert stac_product(tmp_path / "item.json").scl == str(tmp_path / "classes" / "SCL.tif")


@pytest.mark.parametrize("scale", ["-0.0001", "Infinity", "NaN", "1e-300", "0"])
def test_a_scale_that_no_reflectance_has_is_refused(tmp_path: Path, scale: str) -> None:
    path = _item(tmp_path, {"s2:processing_baseline": "03.01"}, **{"raster:scale": 0.125})
    path.write_text(path.read_text().replace("0.125", scale))
    with pytest.raises(InputError, match=r"scale|QUANTIFICATION_VALUE"):
        OpticalScene(path)


def test_an_offset_that_no_product_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"-10000 by scale and offset .*wanted 0 or -1000"):
        OpticalScene(
            _item(tmp_path, {}, dark=False, **{"raster:scale": 1e-4, "raster:offset": -1.0})
        )


@pytest.mark.parametrize(
    ("asset", "text"),
    [
        ({"href": 5}, "item.json is no STAC item (expected str"),
        ({"roles": "data"}, "'data', not a list @ item.assets['B11'].roles"),
        ({"roles": [None]}, "None, not a text @ item.assets['B11'].roles[0]"),
        ({"eo:bands": ["B02"]}, "'B02', not a table @ item.assets['B11'].eo_bands[0]"),
        ({"bands": {"name": "B02"}}, "not a list @ item.assets['B11'].bands"),
        ({"bands": [{"name": 2}]}, "2, not a text @ item.assets['B11'].bands[0].name"),
        (
            {"raster:bands": [{"scale": "1"}]},
            "'1', not a finite number @ item.assets['B11'].raster",
        ),
        ({"gsd": "10"}, "'10', not a finite number @ item.assets['B11'].gsd"),
        ({"proj:transform": 10}, "10, not a list @ item.assets['B11'].proj_transform"),
    ],
)
def test_a_field_of_another_type_is_named_with_its_place(
    tmp_path: Path, asset: dict, text: str
) -> None:
    path = _item(tmp_path, {})
    item = json.loads(path.read_text())
    item["assets"]["B11"].update(asset)
    path.write_text(json.dumps(item))
    with pytest.raises(InputError, match=re.escape(text)):
        stac_product(path)


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ({"sat:relative_orbit": "51"}, "'51', not a whole number @ item.properties.sat_relative"),
        ({"view:sun_azimuth": []}, "[], not a finite number @ item.properties.view_sun_azimuth"),
        ({"platform": 2}, "2, not a text @ item.properties.platform"),
        ({"earthsearch:boa_offset_applied": "no"}, "'no', not true or false"),
        ({"datetime": "0001-01-01T00:00:00+14:00"}, "is no STAC item"),
    ],
)
def test_a_property_of_another_type_is_named(tmp_path: Path, properties: dict, text: str) -> None:
    with pytest.raises(InputError, match=re.escape(text)):
        stac_product(_item(tmp_path, properties))
