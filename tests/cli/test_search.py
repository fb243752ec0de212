"""`cloudfree search` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.cli.search import API_VARIABLE
from tests.factories.stac_items import item
from tests.factories.stac_server import stac_server

WORDS = ["search", "--bbox", "3,40.64,3.01,40.65", "--date", "2022-06-05",
         "--s2-collection", "sentinel-2-l1c"]  # fmt: skip


def test_the_list_is_printed_and_what_is_known_is_said(tmp_path: Path) -> None:
    pytest.importorskip("pystac_client", reason="needs cloudfree[stac]")
    items = [item("S2B", "2022-06-05T10:50:31Z", **{"eo:cloud_cover": 5})]
    with stac_server(tmp_path, items) as server:
        ran = CliRunner().invoke(group, WORDS, env={API_VARIABLE: server.address})
        as_json = CliRunner().invoke(group, [*WORDS, "--json", "--api", server.address])
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.splitlines() == [
        "s2,s1,name", f"{server.address}/collections/sentinel-2-l1c/items/S2B,,S2B",
    ]  # fmt: skip
    assert "scene S2B of 2022-06-05: covers 100%, 5 % cloud, no Sentinel-1 near" in ran.stderr
    (scene,) = json.loads(as_json.stdout)["scenes"]
    assert (scene["name"], scene["cloud_cover"], scene["s1"]) == ("S2B", 5, None)


def test_an_api_is_asked_for() -> None:
    ran = CliRunner().invoke(group, WORDS, env={API_VARIABLE: None})
    assert ran.exit_code == 2
    assert "Missing option '--api'" in ran.output
