"""Asking a STAC API; without pystac-client the refusal names it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cloudfree.commands.search.stac_api import StacApi
from cloudfree.core.period import Period
from cloudfree.errors import ErrorCode, InputError
from tests.factories.stac_items import BBOX, item
from tests.factories.stac_server import ADDRESS, landing_page, stac_server
from tests.fuzz.answers import answering

JUNE = Period.from_text("2022-06-01/2022-06-30")


@pytest.fixture
def _client() -> None:
    pytest.importorskip("pystac_client", reason="needs cloudfree[stac]")


@pytest.mark.usefixtures("_client")
def test_all_pages_of_a_search_are_read(tmp_path: Path) -> None:
    days = [item(f"S2_{day}", f"2022-06-{day:02d}T10:50:31Z") for day in range(1, 6)]
    others = [
        item("S1", "2022-06-03T17:40:00Z", sensor="sentinel-1"),
        item("May", "2022-05-03T10:50:31Z"),
        item("far", "2022-06-03T10:50:31Z", bbox=(9, 9, 10, 10)),
    ]
    with stac_server(tmp_path, [*days, *others]) as server:
        found = StacApi(server.address).items("sentinel-2-l1c", BBOX, JUNE)
        assert server.statuses("/search") == [200] * 3
    assert [one.name for one in found] == [one["id"] for one in days]


@pytest.mark.usefixtures("_client")
def test_a_server_that_is_gone_is_no_answer(tmp_path: Path) -> None:
    with stac_server(tmp_path) as server:
        api = StacApi(server.address)
    for ask in (
        lambda: api.items("sentinel-2-l1c", BBOX, JUNE),
        lambda: StacApi(server.address),
    ):
        with pytest.raises(InputError) as error:
            ask()
        assert str(error.value).startswith(f"no answer from {server.address} (")
        assert str(error.value).endswith("check --api and the network, or try again later")
        assert error.value.code is ErrorCode.UNREACHABLE
        assert error.value.code.retry


@pytest.mark.usefixtures("_client")
def test_items_that_cannot_be_used_are_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = item("whole", "2022-06-05T10:50:31Z")
    damaged = {**whole, "id": "damaged", "links": "none"}
    with stac_server(tmp_path, [damaged, whole]) as server:
        found = StacApi(server.address).items("sentinel-2-l1c", BBOX, JUNE)
    assert [one.name for one in found] == ["whole"]
    assert (
        f"1 of 2 items of {server.address} are left out, such as one that is no item of STAC ("
        "'none', not a list @ item.links)"
    ) in caplog.text


@pytest.mark.usefixtures("_client")
def test_a_search_that_lies_in_a_file_of_this_computer_is_not_read(tmp_path: Path) -> None:
    """pystac-client opens an address that leads to no network as a file."""
    page = landing_page(ADDRESS)
    search = {"rel": "search", "type": "application/geo+json", "href": "file:///etc/hostname"}
    (tmp_path / "landing.json").write_text(json.dumps({**page, "links": [search]}))
    with answering(tmp_path) as address, pytest.raises(InputError) as refused:
        StacApi(address)
    assert str(refused.value).startswith(
        f"{address} is no STAC API (its search lies at file:///etc/hostname); wanted "
    )


@pytest.mark.usefixtures("_client")
@pytest.mark.parametrize(
    "text", ["", "[]", "7", "null", '{"type": null}', '{"type": "\\u001b[2J"}', "[" * 100_000],
    ids=["nothing", "list", "number", "null", "no type", "type", "deep"],
)  # fmt: skip
def test_a_first_page_that_is_damaged_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "landing.json").write_text(text)
    with answering(tmp_path) as address, pytest.raises(InputError) as refused:
        StacApi(address)
    assert str(refused.value).startswith(f"{address} is no STAC API (")
    assert str(refused.value).isprintable()


@pytest.mark.usefixtures("_client")
def test_what_is_no_api_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html></html>")
    with stac_server(tmp_path) as server:
        address = f"{server.address}/files/page.html"
        with pytest.raises(InputError, match=r"page\.html is no STAC API \(.*; wanted the first"):
            StacApi(address)


def test_without_the_extra_the_refusal_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pystac_client", None)
    with pytest.raises(InputError) as error:
        StacApi("https://api")
    assert str(error.value) == (
        "--api https://api, but pystac-client is not installed; wanted it, which asks STAC APIs; "
        "pip install 'cloudfree[stac]'"
    )
    assert error.value.code is ErrorCode.MISSING_LIBRARY
