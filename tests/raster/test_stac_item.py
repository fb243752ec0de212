"""Items of rasters: valid, and with what the files say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine

from cloudfree import __version__
from cloudfree.core.acquisition import UNKNOWN, Acquisition
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.stac_item import (
    EXTENSIONS,
    ItemAsset,
    ItemFacts,
    ItemSource,
    check_dated,
    item_text,
    outdated_items,
)
from tests.factories.rasters import write_cloudy_scene, write_raster
from tests.factories.stac_schemas import read_valid_item

ACQUIRED = datetime(2022, 6, 5, 10, 50, 31, tzinfo=UTC)
NOW = datetime(2022, 7, 1, tzinfo=UTC)
FACTS = ItemFacts(
    acquisition=Acquisition(platform="Sentinel-2B", acquired=ACQUIRED),
    level="L1C",
    lineage="filled",
    cloud_cover=12.5,
)


def _item(path: Path, facts: ItemFacts = FACTS, **assets: Path) -> dict[str, Any]:
    files = {key: ItemAsset(file, key.title(), ("data",)) for key, file in assets.items()}
    path.write_text(item_text(path, files, facts, NOW))
    return read_valid_item(path)


def test_an_item_has_what_its_raster_says(tmp_path: Path) -> None:
    scene = write_cloudy_scene(tmp_path / "a.tif", 96, 80)
    item = _item(tmp_path / "a.json", cloudfree=scene)
    properties, bands = item["properties"], item["assets"]["cloudfree"]["bands"]
    assert item["id"] == "a"
    assert properties["datetime"] == "2022-06-05T10:50:31Z"
    assert properties["created"] == "2022-07-01T00:00:00Z"
    assert (properties["platform"], properties["constellation"]) == ("sentinel-2b", "sentinel-2")
    assert properties["eo:cloud_cover"] == 12.5
    assert properties["processing:software"] == {"cloudfree": __version__}
    assert properties["proj:code"] == "EPSG:32631"
    assert properties["proj:shape"] == [96, 80]
    assert (properties["gsd"], bands[0]["raster:spatial_resolution"]) == (10, 10)
    assert [band["name"] for band in bands] == list(OPTICAL_BANDS)
    assert bands[7]["eo:common_name"] == "nir"
    assert bands[0]["data_type"] == "uint16"
    assert set(item["stac_extensions"]) == {
        EXTENSIONS[name] for name in ("proj", "eo", "raster", "processing")
    }


def test_links_within_an_item_start_at_its_folder(tmp_path: Path) -> None:
    scene = write_cloudy_scene(tmp_path / "a.tif")
    model = ItemSource("../model/card.toml", "Model", {"mlm:name": "small"})
    sources = (ItemSource("https://host/l1c.tif?sig=1", "Sentinel-2 scene", {}), model)
    item = _item(tmp_path / "a.json", ItemFacts(**{**vars(FACTS), "sources": sources}), data=scene)
    assert item["assets"]["data"]["href"] == "./a.tif"
    assert [link["rel"] for link in item["links"]] == ["derived_from"] * 2
    assert [link["href"] for link in item["links"]] == [one.href for one in sources]
    assert item["links"][0]["type"] == "image/tiff; application=geotiff"
    assert item["links"][1]["mlm:name"] == "small"
    assert not any("mlm" in address for address in item["stac_extensions"])


def test_a_raster_without_coordinates_has_an_item_without_a_place(tmp_path: Path) -> None:
    place = write_raster(tmp_path / "a.tif", np.ones((1, 8, 8), np.uint8), ["score"], crs=None)
    item = _item(tmp_path / "a.json", score=place)
    assert item["geometry"] is None
    assert "bbox" not in item
    assert item["properties"]["proj:code"] is None


def test_a_coordinate_system_without_a_code_is_written_out(tmp_path: Path) -> None:
    own = "+proj=laea +lat_0=51 +lon_0=11 +ellps=GRS80 +units=m"
    place = write_raster(tmp_path / "a.tif", np.ones((1, 8, 8), np.float32), ["score"], crs=own,
                         transform=Affine(20, 0, 0, 0, -20, 0))  # fmt: skip
    properties = _item(tmp_path / "a.json", score=place)["properties"]
    assert properties["proj:code"] is None
    assert properties["proj:wkt2"].startswith("PROJCRS[")


def test_a_scene_without_a_date_has_no_item() -> None:
    with pytest.raises(InputError) as error:
        check_dated(UNKNOWN, "a.tif", "state it with --s2-date")
    assert str(error.value) == (
        "--stac for a.tif, which has no date; wanted the time of acquisition, which every STAC "
        "item has; state it with --s2-date"
    )
    assert error.value.code is ErrorCode.BAD_OPTION


def test_only_items_of_cloudfree_that_no_one_needs_are_outdated(tmp_path: Path) -> None:
    result = write_cloudy_scene(tmp_path / "a.tif")
    path = tmp_path / "a.json"
    _item(path, data=result)
    own = path.read_text()
    assert outdated_items(result, [path]) == (), "it is an input"
    for other in ("{}", "no json", json.dumps({"properties": {"processing:software": {"x": "1"}}})):
        path.write_text(other)
        assert outdated_items(result, []) == ()
    path.write_text(own)
    assert outdated_items(result, []) == (path,)
    path.unlink()
    assert outdated_items(result, []) == ()
