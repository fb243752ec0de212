"""The item of a mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cloudfree.commands.mask.options import MaskOptions
from cloudfree.commands.mask.run import run
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from tests.factories.rasters import write_cloudy_scene
from tests.factories.stac_schemas import read_valid_item

NAME = "S2B_MSIL1C_20220605T105031_N0301_R051_T31TCG_20220605T125807"


def _run(folder: Path, name: str = NAME, **given: Any) -> Any:
    scene = write_cloudy_scene(folder / f"{name}.tif")
    return run(MaskOptions(scene=scene, output=folder / "mask.tif", **given), silent)


def test_the_item_has_the_classes_and_the_cloud_cover(tmp_path: Path) -> None:
    result = _run(tmp_path, stac=True, score=tmp_path / "score.tif")
    item = read_valid_item(tmp_path / "mask.json")
    assert set(item["assets"]) == {"mask", "score"}
    (band,) = item["assets"]["mask"]["bands"]
    assert [one["name"] for one in band["classification:classes"]] == [
        "clear", "cloud", "shadow", "snow", "nodata",
    ]  # fmt: skip
    cover = 100 * (result.fractions["cloud"] + result.fractions["shadow"])
    assert item["properties"]["eo:cloud_cover"] == pytest.approx(cover, abs=1e-3)
    assert item["properties"]["datetime"] == "2022-06-05T10:50:31Z"
    assert [link["href"] for link in item["links"]] == [f"{NAME}.tif"]


def test_a_scene_without_a_date_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--stac for a\.tif, which has no date.*name it after"):
        _run(tmp_path, "a", stac=True)
    assert not (tmp_path / "mask.tif").exists()


def test_a_mask_without_an_item_removes_that_of_an_earlier_one(tmp_path: Path) -> None:
    _run(tmp_path, stac=True)
    _run(tmp_path, overwrite=True)
    assert not (tmp_path / "mask.json").exists()
