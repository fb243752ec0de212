"""Items in files, in collections and on servers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pystac import Asset

from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.reach import remote_allowed
from cloudfree.raster.stac_files import gdal_name, item_paths, read_item, sensor_of
from tests.factories.stac_items import item
from tests.factories.stac_server import stac_server

SCENES = [
    item("S2A", "2022-06-05T10:50:31Z"),
    item("S2B", "2022-06-10T10:50:31Z"),
    item("S1A", "2022-06-06T17:40:00Z", sensor="sentinel-1"),
]


def _collection(folder: Path, items: list[dict[str, Any]] = SCENES) -> Path:
    path = folder / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    return path


@pytest.mark.parametrize(
    ("href", "name"),
    [
        ("https://a.org/b.tif", "/vsicurl/https://a.org/b.tif"),
        ("s3://bucket/b.tif", "/vsis3/bucket/b.tif"),
        ("gs://bucket/b.tif", "/vsigs/bucket/b.tif"),
        ("file:///data/b.tif", "/data/b.tif"),
        ("/data/b.tif", "/data/b.tif"),
    ],
)
def test_assets_elsewhere_have_a_name_for_gdal(href: str, name: str) -> None:
    with remote_allowed(True):
        assert gdal_name(Asset(href), Path("item.json")) == name
    with pytest.raises(InputError) as refused:
        gdal_name(Asset(href), Path("item.json"))
    assert refused.value.code is ErrorCode.NOT_ALLOWED
    assert refused.value.found == f"item.json names {name}, which lies elsewhere"


def test_what_is_no_item_is_refused(tmp_path: Path) -> None:
    for text in ('{"type": "Feature"}', "no json", "[]"):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(InputError, match=r"a\.json is no STAC item .*; wanted the JSON of one"):
            read_item(tmp_path / "a.json")
    with pytest.raises(InputError) as error:
        read_item(tmp_path / "none.json")
    assert error.value.code is ErrorCode.MISSING_FILE


def test_an_item_of_a_collection_is_named_by_its_id(tmp_path: Path) -> None:
    path = _collection(tmp_path)
    assert read_item(Path(f"{path}#S2B")).id == "S2B"
    assert read_item(path, "sentinel-1").id == "S1A", "it is the only one"
    with pytest.raises(InputError) as error:
        read_item(path, "sentinel-2")
    assert str(error.value) == (
        "2 items of sentinel-2 among the 3 in items.json (S2A, S2B, S1A); wanted one item; "
        "name it by its ID, as in FILE.json#ID"
    )
    with pytest.raises(InputError, match=r"0 items S2C among the 3 in items\.json"):
        read_item(Path(f"{path}#S2C"))


def test_a_collection_names_the_items_of_a_sensor(tmp_path: Path) -> None:
    path = _collection(tmp_path)
    assert item_paths(path, "sentinel-2") == [Path(f"{path}#S2A"), Path(f"{path}#S2B")]
    assert item_paths(Path(f"{path}#S2A"), "sentinel-1") == [Path(f"{path}#S2A")]
    alone = tmp_path / "one.json"
    alone.write_text(json.dumps(SCENES[0]))
    others = [alone, tmp_path / "a.tif", tmp_path / "none.json", Path("https://host/items.json")]
    assert [item_paths(one, "sentinel-2") for one in others] == [[one] for one in others]


def test_links_of_an_item_of_a_collection_start_at_the_item(tmp_path: Path) -> None:
    own = {**SCENES[0], "assets": {"B02": {"href": "./B02.tif"}},
           "links": [{"rel": "self", "href": "https://host/s2/item.json"}]}  # fmt: skip
    path = _collection(tmp_path, [own])
    with remote_allowed(True):
        name = gdal_name(read_item(path).assets["B02"], path)
    assert name == "/vsicurl/https://host/s2/B02.tif"


def test_an_item_is_read_from_its_address(tmp_path: Path) -> None:
    with stac_server(tmp_path, SCENES) as server:
        place = f"{server.address}/collections/sentinel-2-l1c/items"
        assert read_item(Path(f"{place}/S2B")).id == "S2B"
        with pytest.raises(InputError) as error:
            read_item(Path(f"{place}/S2C"))
    assert str(error.value).startswith(f"{place}/S2C cannot be read (HTTP Error 404: Not Found)")
    assert error.value.code is ErrorCode.UNREACHABLE


def test_an_item_in_a_bucket_is_refused() -> None:
    with pytest.raises(InputError, match=r"the STAC item s3://bucket/a\.json; wanted an item in a"):
        read_item(Path("s3://bucket/a.json"))


@pytest.mark.parametrize(
    ("fields", "sensor"),
    [
        ({"properties": {"platform": "SENTINEL-1A"}}, "sentinel-1"),
        ({"properties": {"platform": "Sentinel-2B"}}, "sentinel-2"),
        ({"collection": "sentinel-2-l2a", "properties": {}}, "sentinel-2"),
        ({"properties": {"platform": "landsat-9"}}, None),
    ],
)
def test_the_sensor_of_an_item_is_known(fields: dict[str, Any], sensor: str | None) -> None:
    assert sensor_of(fields) == sensor
