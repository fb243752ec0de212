"""What is known of an item of a search."""

from __future__ import annotations

from typing import Any

import pytest

from cloudfree.commands.search.candidates import candidate
from cloudfree.errors import InputError
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


WHOLE = item("a", "2022-06-05T10:50:31Z")


@pytest.mark.parametrize(
    ("damaged", "why"),
    [
        (None, "None, not a table"),
        ("text", "'text', not a table"),
        ({key: value for key, value in WHOLE.items() if key != "id"}, "no entry id @ item"),
        ({**WHOLE, "id": 7}, "7, not a text"),
        ({**WHOLE, "id": ""}, "'', not a name"),
        ({**WHOLE, "id": "\x1b[2J"}, "not a name"),
        ({**WHOLE, "properties": []}, "[], not a table"),
        ({**WHOLE, "properties": {"datetime": 2022}}, "2022, not a text"),
        ({**WHOLE, "properties": {"datetime": "2022-06-31"}}, "day is out of range"),
        ({**WHOLE, "properties": {"datetime": "0001-01-01T00:00:00+14:00"}}, "beyond all years"),
        ({**WHOLE, "properties": {"datetime": "2022-06-05", "eo:cloud_cover": "20"}}, "'20', not"),
        (
            {**WHOLE, "properties": {"datetime": "2022-06-05", "eo:cloud_cover": 101}},
            "cover of 101",
        ),
        ({**WHOLE, "links": "none"}, "'none', not a list"),
        ({**WHOLE, "links": [{"rel": ["self"]}]}, "['self'], not a text"),
        ({**WHOLE, "geometry": {"type": "Polygon"}}, "coordinates"),
        ({**WHOLE, "geometry": {"type": "Round", "coordinates": []}}, "round"),
        ({**WHOLE, "geometry": {"type": "Point", "coordinates": [1e308, 0]}}, "on the Earth"),
        (
            {**WHOLE, "geometry": {"type": "Point", "coordinates": [float("nan"), 0]}},
            "on the Earth",
        ),
        ({**WHOLE, "geometry": None, "bbox": None}, "a bbox of 0 numbers"),
        ({**WHOLE, "geometry": None, "bbox": [1, 2, 3]}, "a bbox of 3 numbers"),
    ],
)
def test_a_damaged_item_is_refused_with_what_is_wrong(damaged: Any, why: str) -> None:
    with pytest.raises(InputError, match=r"^no item of STAC \(") as refused:
        candidate(damaged, AREA, "https://api")
    assert why in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("link", ["/etc/hostname", "file:///etc/hostname", "a.json", "/vsicurl/x"])
def test_a_link_that_leads_to_no_network_is_not_the_address(link: str) -> None:
    """A list of `search` is read by `batch`, and may name files of this computer there."""
    found = candidate({**WHOLE, "links": [{"rel": "self", "href": link}]}, AREA, "https://api")
    assert found is not None
    assert found.address == "https://api/collections/sentinel-2-l1c/items/a"


def test_a_rectangle_may_have_heights() -> None:
    high = {**WHOLE, "geometry": None, "bbox": [3.5, 40, -10, 9, 41, 300]}
    found = candidate(high, AREA, "https://api")
    assert found is not None
    assert found.coverage == pytest.approx(0.5)
