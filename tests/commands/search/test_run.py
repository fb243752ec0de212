"""A search in a STAC API on this machine, and a batch of what it finds."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudfree.commands.batch.options import BatchOptions
from cloudfree.commands.batch.run import run as run_batch
from cloudfree.commands.search.options import SearchOptions
from cloudfree.commands.search.run import run
from cloudfree.core.terminal import silent
from cloudfree.errors import ErrorCode, InputError
from tests.factories.stac_items import BBOX, cloudy_item, item, radar_item
from tests.factories.stac_server import StacServer, stac_server

pytest.importorskip("pystac_client", reason="needs cloudfree[stac]")

INSIDE = (3.001, 40.642, 3.009, 40.649)


def _search(server: StacServer, **given: Any) -> Any:
    usual = {"api": server.address, "bbox": INSIDE, "date": "2022-06-01/2022-06-30",
             "s2_collection": "sentinel-2-l1c"}  # fmt: skip
    return run(SearchOptions(**{**usual, **given}), silent)


def _items() -> list[dict[str, Any]]:
    return [
        item("cloudy", "2022-06-05T10:50:31Z", **{"eo:cloud_cover": 70}),
        item("best", "2022-06-15T10:50:31Z", **{"eo:cloud_cover": 30}),
        item("elsewhere", "2022-06-15T10:50:31Z", bbox=(9, 9, 10, 10)),
        item("clear_april", "2022-04-20T10:50:31Z", **{"eo:cloud_cover": 0}),
        item("last_year", "2021-06-15T10:50:31Z", **{"eo:cloud_cover": 0}),
        item("radar_june", "2022-06-16T17:40:00Z", sensor="sentinel-1"),
        item("radar_april", "2022-04-18T17:40:00Z", sensor="sentinel-1"),
    ]


def test_the_best_scene_comes_with_references_and_radar(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="cloudfree")
    with stac_server(tmp_path, _items()) as server:
        found = _search(server, max_gap=12)
        place = f"{server.address}/collections"
    assert [(one.role, one.name) for one in found.scenes] == [
        ("scene", "best"), ("reference", "clear_april"), ("reference", "cloudy"),
    ]  # fmt: skip
    assert found.summary() == "\n".join([
        "s2,s1,name",
        f"{place}/sentinel-2-l1c/items/best,{place}/sentinel-1-rtc/items/radar_june,best",
        f"{place}/sentinel-2-l1c/items/clear_april,"
        f"{place}/sentinel-1-rtc/items/radar_april,clear_april",
        f"{place}/sentinel-2-l1c/items/cloudy,{place}/sentinel-1-rtc/items/radar_june,cloudy",
    ])  # fmt: skip
    assert "scene best of 2022-06-15: covers 100%, 30 % cloud, Sentinel-1 1.3 days" in caplog.text


def test_references_are_bounded_by_number_and_age(tmp_path: Path) -> None:
    with stac_server(tmp_path, _items()) as server:
        assert len(_search(server, references=0).scenes) == 1
        assert [one.name for one in _search(server, max_age=30).scenes] == ["best", "cloudy"]
        more = _search(server, max_age=400)
        assert "last_year" in [one.name for one in more.scenes]


def test_gaps_and_ages_beyond_all_years_are_all_there_is(tmp_path: Path) -> None:
    with stac_server(tmp_path, _items()) as server:
        assert _search(server, max_age=1e12, max_gap=1e12).scenes[0].name == "best"


def test_where_there_is_no_scene_the_refusal_says_why(tmp_path: Path) -> None:
    with stac_server(tmp_path, _items()) as server:
        with pytest.raises(InputError) as none:
            _search(server, date="2022-07-01")
        with pytest.raises(InputError) as cloudy:
            _search(server, date="2022-06-05", max_cloud=60)
    assert str(none.value) == (
        "no scene of sentinel-2-l1c in 2022-07-01; wanted a Sentinel-2 scene of the area and the "
        "time; give more days with --date, or another collection with --s2-collection"
    )
    assert "in 2022-06-05, 1 with more cloud than 60 %; wanted" in str(cloudy.value)
    assert cloudy.value.code is ErrorCode.NO_DATA


def test_an_area_that_no_item_covers_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with stac_server(tmp_path, _items()) as server:
        _search(server, bbox=(BBOX[0] - 0.021, *BBOX[1:]))
    assert "best covers 50 % of the area: no single item covers more of it" in caplog.text


@pytest.mark.parametrize(
    "bbox", [(0, 50, 1, 40), (0, 0, 200, 1), (float("nan"), 0, 1, 1), (3, 0, 3, 1)]
)
def test_what_is_no_area_is_refused(bbox: tuple[float, ...]) -> None:
    options = SearchOptions(api="x", bbox=bbox, date="2022-06-05")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"--bbox .*; wanted west, south, east and north"):
        run(options, silent)


def test_batch_fills_what_is_found(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    items = [
        cloudy_item(files, "S2A_MSIL1C_20220605T105031_T31TCG", "2022-06-05T10:50:31Z",
                    **{"eo:cloud_cover": 20}),
        radar_item(files, "S1A_rtc", "2022-06-06T17:40:00Z"),
    ]  # fmt: skip
    with stac_server(files, items) as server:
        scenes = tmp_path / "list.csv"
        scenes.write_text(_search(server).summary() + "\n")
        options = BatchOptions(
            source=scenes, output=tmp_path / "out", fill_by="scene", stac=True, allow_remote=True
        )
        with pytest.raises(InputError, match=r"list\.csv names http://.* elsewhere; .*--allow-rem"):
            run_batch(replace(options, allow_remote=False), silent)
        (outcome,) = run_batch(options, silent).scenes
        assert [one for one in server.requests if one[2] == 404] == []
    assert (outcome.state, outcome.s1 is None) == ("filled", False), outcome.message
    assert (tmp_path / "out" / f"{outcome.name}_cloudfree.json").exists()
