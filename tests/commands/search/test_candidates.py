"""What is known of an item of a search."""

from __future__ import annotations

import pytest

from cloudfree.commands.search.candidates import candidate
from tests.factories.stac_items import item

AREA = (3.0, 40.0, 4.0, 41.0)


def _coverage(bbox: tuple[float, ...], area: tuple[float, float, float, float] = AREA) -> float:
    found = candidate(item("a", "2022-06-05T10:50:31Z", bbox=bbox), area, "https://api")
    assert found is not None
    return found.coverage


def test_coverage_is_a_share_of_the_area() -> None:
    assert _coverage((2, 39, 5, 42)) == pytest.approx(1)
    assert _coverage((3.5, 40, 9, 41)) == pytest.approx(0.5)
    assert _coverage((5, 40, 6, 41)) == 0


def test_an_area_may_reach_over_the_antimeridian() -> None:
    area = (179.0, -17.0, -179.0, -16.0)
    assert _coverage((178, -18, 180, -15), area) == pytest.approx(0.5)
    assert _coverage((-180, -18, -178, -15), area) == pytest.approx(0.5)


def test_cloud_cover_and_coverage_make_the_share_that_is_seen() -> None:
    cloudy = item("a", "2022-06-05T10:50:31Z", bbox=(3.5, 40, 9, 41), **{"eo:cloud_cover": 20})
    found = candidate(cloudy, AREA, "https://api")
    assert found is not None
    assert found.clear_share == pytest.approx(0.4)
    unknown = candidate(item("a", "2022-06-05", bbox=(2, 39, 5, 42)), AREA, "https://api")
    assert unknown is not None
    assert (unknown.cloud_cover, unknown.clear_share) == (None, pytest.approx(0.5))


def test_the_address_is_the_items_own_or_the_usual_one() -> None:
    one = item("a", "2022-06-05T10:50:31Z")
    for links, address in (
        ([{"rel": "self", "href": "https://host/a"}], "https://host/a"),
        ([], "https://api/v1/collections/sentinel-2-l1c/items/a"),
    ):
        found = candidate({**one, "links": links}, AREA, "https://api/v1/")
        assert found is not None
        assert found.address == address


def test_an_item_without_a_date_is_none() -> None:
    one = item("a", "2022-06-05T10:50:31Z")
    assert candidate({**one, "properties": {"datetime": None}}, AREA, "https://api") is None
    started = {**one, "properties": {"datetime": None, "start_datetime": "2022-06-05T10:00:00Z"}}
    found = candidate(started, AREA, "https://api")
    assert found is not None
    assert f"{found.acquired:%H}" == "10"
