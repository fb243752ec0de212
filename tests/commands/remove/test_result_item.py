"""The item of a cloud-free scene."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.run import run
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.journal import Journal
from cloudfree.core.terminal import silent
from cloudfree.errors import CloudfreeError, InputError, OutputError
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import cloudy_scene, write_cloudy_scene, write_radar, write_raster
from tests.factories.stac_schemas import read_valid_item

DAY = datetime(2022, 6, 5, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_cloudy_scene(tmp_path / "l1c.tif")
    return tmp_path


def _run(folder: Path, **given: Any) -> Any:
    usual = {"s2": folder / "l1c.tif", "fill_by": "scene", "stac": True, "s2_date": DAY}
    return run(RemoveOptions(**{**usual, **given}), silent)


def test_the_item_has_all_files_of_the_run(folder: Path) -> None:
    result = _run(folder, write_mask=True, uncertainty=True)
    item = read_valid_item(folder / "l1c_cloudfree.json")
    assert {key: asset["href"] for key, asset in item["assets"].items()} == {
        "cloudfree": "./l1c_cloudfree.tif", "filled": "./l1c_cloudfree_filled.tif",
        "uncertainty": "./l1c_cloudfree_uncertainty.tif", "mask": "./l1c_cloudfree_mask.tif",
    }  # fmt: skip
    assert item["properties"]["datetime"] == "2022-06-05T12:00:00Z"
    assert item["properties"]["processing:level"] == "L1C"
    assert item["properties"]["eo:cloud_cover"] == pytest.approx(100 * result.unfilled_fraction)
    assert [(link["rel"], link["href"]) for link in item["links"]] == [("derived_from", "l1c.tif")]
    filled = item["assets"]["filled"]["bands"][0]["classification:classes"]
    assert {"value": 2, "name": "cloud-not-filled", "description": "cloud, not filled",
            "color_hint": "F5F5F5"} in filled  # fmt: skip
    statistics = item["assets"]["cloudfree"]["bands"][0]["statistics"]
    assert statistics["minimum"] <= statistics["mean"] <= statistics["maximum"]


def test_the_item_links_to_the_model_and_to_other_dates(folder: Path) -> None:
    clear = np.roll(cloudy_scene(96, 96)[0], 48, axis=2)
    may = write_raster(folder / "may.tif", clear, OPTICAL_BANDS,
                       PRODUCT_START_TIME="2022-05-20T10:50:31Z")  # fmt: skip
    radar = write_radar(folder / "s1.tif")
    given = {"references": (may,), "s1": (radar,), "fill_by": "auto", "shift": "none"}
    result = _run(folder, output=folder / "out" / "a.tif", **given)
    links = {link["title"]: link for link in read_valid_item(folder / "out" / "a.json")["links"]}
    assert {title: link["href"] for title, link in links.items() if "Model" not in title} == {
        "Sentinel-2 scene": "../l1c.tif",
        "Sentinel-1 scene": "../s1.tif",
        "Reference 1": "../may.tif",
    }
    assert result.model == "cloudfree-s"
    model = links["Model cloudfree-s"]
    assert (model["rel"], model["mlm:name"]) == ("derived_from", "cloudfree-s")
    assert (folder / "out" / model["href"]).resolve().name == "card.toml"
    assert (folder / "out" / model["href"]).exists()


def test_a_scene_without_a_date_is_refused_before_its_mask_is_made(folder: Path) -> None:
    with pytest.raises(InputError, match=r"--stac for l1c\.tif, which has no date.*--s2-date"):
        _run(folder, s2_date=None)
    assert {path.name for path in folder.iterdir()} == {"l1c.tif"}


def test_an_item_that_exists_is_refused_without_overwrite(folder: Path) -> None:
    (folder / "l1c_cloudfree.json").write_text("{}")
    with pytest.raises(OutputError, match=r"l1c_cloudfree\.json exists already"):
        _run(folder)
    _run(folder, overwrite=True)
    read_valid_item(folder / "l1c_cloudfree.json")


def test_a_result_without_an_item_removes_that_of_an_earlier_one(folder: Path) -> None:
    _run(folder)
    _run(folder, stac=False, overwrite=True)
    assert not (folder / "l1c_cloudfree.json").exists()


def test_the_item_gets_its_name_before_the_result(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[list[str]] = []
    publish = Journal.publish

    def seen(journal: Journal, place: Path) -> None:
        published.append(journal.files)
        publish(journal, place)

    monkeypatch.setattr(Journal, "publish", seen)
    _run(folder)
    names = published[-1]  # the mask that is made was before
    assert set(names[:-1]) == {"l1c_cloudfree_filled.tif", "l1c_cloudfree.json"}
    assert names[-1] == "l1c_cloudfree.tif"


def test_a_failure_leaves_no_item(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "publish", full)
    with pytest.raises(CloudfreeError, match="No space left"):
        _run(folder)
    assert {path.name for path in folder.iterdir()} == {"l1c.tif"}


def test_the_item_of_another_scene_is_no_name_for_a_result(folder: Path) -> None:
    item = folder / "a.json"
    item.write_text("{}")
    with pytest.raises(OutputError, match=r"a\.json is an input or another output"):
        _run(folder, output=folder / "a.tif", references=(item,))


def test_the_item_is_read_as_its_scene(folder: Path) -> None:
    _run(folder)
    with (
        OpticalScene(folder / "l1c_cloudfree.json") as by_item,
        OpticalScene(folder / "l1c_cloudfree.tif") as scene,
    ):
        assert by_item.product.kind == "STAC item of one raster"
        assert by_item.acquisition == scene.acquisition
        np.testing.assert_array_equal(
            by_item.native(by_item.grid.window), scene.native(scene.grid.window)
        )
