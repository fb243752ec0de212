"""The item of Sentinel-1 on an optical grid."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudfree.commands.coregister.options import CoregisterOptions
from cloudfree.commands.coregister.run import run
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from tests.factories.rasters import write_cloudy_scene, write_radar
from tests.factories.stac_schemas import read_valid_item

DAY = datetime(2022, 6, 6, 12, tzinfo=UTC)


def _run(folder: Path, **given: Any) -> None:
    usual = {"s1": (write_radar(folder / "s1.tif"),), "s2": write_cloudy_scene(folder / "s2.tif"),
             "stac": True, "s1_date": DAY, "shift": "none"}  # fmt: skip
    run(CoregisterOptions(**{**usual, **given}), silent)


def test_the_item_is_of_the_time_of_the_radar(tmp_path: Path) -> None:
    _run(tmp_path)
    item = read_valid_item(tmp_path / "s1_coregistered.json")
    assert item["properties"]["datetime"] == "2022-06-06T12:00:00Z"
    assert [link["href"] for link in item["links"]] == ["s1.tif", "s2.tif"]
    assert [band["name"] for band in item["assets"]["radar"]["bands"]] == ["VV", "VH"]
    assert not any("/eo/" in address for address in item["stac_extensions"])


def test_a_radar_without_a_date_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--stac for s1\.tif, which has no date.*--s1-date"):
        _run(tmp_path, s1_date=None)


def test_a_result_without_an_item_removes_that_of_an_earlier_one(tmp_path: Path) -> None:
    _run(tmp_path)
    _run(tmp_path, stac=False, overwrite=True)
    assert not (tmp_path / "s1_coregistered.json").exists()


def test_a_dry_run_writes_none(tmp_path: Path) -> None:
    _run(tmp_path, dry_run=True)
    assert {path.name for path in tmp_path.iterdir()} == {"s1.tif", "s2.tif"}
