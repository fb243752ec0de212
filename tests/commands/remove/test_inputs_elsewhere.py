"""Scenes that lie elsewhere: items by their addresses, collections, and results in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.commands.batch.options import BatchOptions
from cloudfree.commands.batch.run import run as run_batch
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.run import run
from cloudfree.core.terminal import silent
from cloudfree.errors import OutputError
from cloudfree.raster.outputs_elsewhere import exists
from tests.factories.rasters import cloudy_scene, write_cloudy_scene
from tests.factories.stac_items import cloudy_item, local, radar_item
from tests.factories.stac_schemas import read_valid_item
from tests.factories.stac_server import StacServer, stac_server

S2, S1 = "S2A_MSIL1C_20220605T105031_T31TCG", "S1A_IW_GRDH_1SDV_20220606T174000_rtc"


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, object]]]:
    """A folder with the files of a cloudy scene and a radar scene, and their items."""
    folder = tmp_path_factory.mktemp("served")
    return folder, [
        cloudy_item(folder, S2, "2022-06-05T10:50:31Z"),
        radar_item(folder, S1, "2022-06-06T17:40:00Z"),
    ]


@pytest.fixture
def server(items: tuple[Path, list[dict[str, object]]]) -> Iterator[StacServer]:
    with stac_server(*items) as running:
        yield running


def test_a_scene_is_filled_by_the_addresses_of_its_items(
    server: StacServer, tmp_path: Path
) -> None:
    place = f"{server.address}/collections"
    optical = f"{place}/sentinel-2-l1c/items/{S2}"
    radar = f"{place}/sentinel-1-rtc/items/{S1}"
    result = run(
        RemoveOptions(s2=Path(optical), s1=(Path(radar),), fill_by="scene", stac=True,
                      output=tmp_path / "a.tif"),
        silent,
    )  # fmt: skip
    assert result.filled_fraction is not None
    assert result.filled_fraction > 0.1
    assert [link["href"] for link in read_valid_item(tmp_path / "a.json")["links"]] == [
        optical, radar,
    ]  # fmt: skip
    assert [one for one in server.requests if one[2] == 404] == []
    with rasterio.open(result.output) as dataset:
        corner = dataset.read(window=((0, 16), (0, 16)))
    np.testing.assert_array_equal(corner, cloudy_scene(96, 96)[0][:, :16, :16])


def test_the_command_line_takes_addresses(server: StacServer, tmp_path: Path) -> None:
    address = f"{server.address}/collections/sentinel-2-l1c/items/{S2}"
    ran = CliRunner().invoke(group, ["mask", address, "-o", str(tmp_path / "mask.tif")])
    assert ran.exit_code == 0, ran.output
    assert (tmp_path / "mask.tif").exists()


def test_the_command_line_takes_items_of_collections_that_exist(tmp_path: Path) -> None:
    (tmp_path / "items.json").write_text('{"type": "FeatureCollection", "features": []}')
    for file, message in (("items", "0 items S2B among the 0 in items.json"),
                          ("none", "none.json#S2B' does not exist")):  # fmt: skip
        ran = CliRunner().invoke(group, ["mask", f"{tmp_path / file}.json#S2B"])
        assert message in ran.output


def test_a_result_and_its_companions_are_written_elsewhere(tmp_path: Path) -> None:
    scene, output = write_cloudy_scene(tmp_path / "l1c.tif"), Path("/vsimem/remove/a.tif")
    kept = RemoveOptions(s2=scene, output=output, fill_by="scene", uncertainty=True)
    run(kept, silent)
    here = run(RemoveOptions(s2=scene, fill_by="scene", output=tmp_path / "a.tif"), silent)
    with rasterio.open(str(output)) as dataset, rasterio.open(here.output) as same:
        np.testing.assert_array_equal(dataset.read(), same.read())
        assert dataset.tags()["CLOUDFREE_S2"] == str(scene)
    companions = [output.with_name(f"a_{what}.tif") for what in ("filled", "uncertainty")]
    assert [exists(path) for path in companions] == [True, True]
    with pytest.raises(OutputError, match=r"a\.tif exists already"):
        run(kept, silent)
    run(replace(kept, uncertainty=False, overwrite=True), silent)
    assert [exists(path) for path in companions] == [True, False]


def test_an_item_is_not_written_elsewhere(tmp_path: Path) -> None:
    scene = write_cloudy_scene(tmp_path / "l1c.tif")
    with pytest.raises(OutputError, match=r"b\.json beside a result that is written elsewhere"):
        run(RemoveOptions(s2=scene, output=Path("/vsimem/remove/b.tif"), stac=True), silent)


def test_a_batch_pairs_the_items_of_a_collection(
    items: tuple[Path, list[dict[str, object]]], tmp_path: Path
) -> None:
    folder, found = items
    path = tmp_path / "items.json"
    features = [local(one, folder) for one in found]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    options = BatchOptions(
        source=path, output=tmp_path / "out", fill_by="scene", dry_run=True, allow_remote=True
    )
    (scene,) = run_batch(options, silent).scenes
    assert (scene.name, scene.state) == (S2, "checked")
    assert scene.s1 == Path(f"{path}#{S1}")
