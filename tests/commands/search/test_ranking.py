"""Which items of a search are used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.search.candidates import Candidate
from cloudfree.commands.search.ranking import (
    HALF_DAYS,
    best_radar,
    best_references,
    best_scene,
    found_scenes,
    usefulness,
)

DAY = datetime(2022, 6, 5, 10, 50, tzinfo=UTC)


def _one(name: str, days: float = 0, cloud: float | None = 0.0, coverage: float = 1.0) -> Candidate:
    moment = DAY + timedelta(days=days)
    return Candidate(name, f"https://host/{name}", moment, cloud, coverage)


SCENE = _one("scene")


def test_the_scene_shows_most_of_the_area() -> None:
    cloudy, half, best = _one("a", cloud=40), _one("b", coverage=0.5), _one("c", cloud=10)
    assert best_scene([cloudy, half, best], 80) == best
    assert best_scene([cloudy], 30) is None
    assert best_scene([_one("d", coverage=0)], 80) is None
    assert best_scene([], 80) is None


def test_of_equal_scenes_the_latest_is_taken() -> None:
    assert best_scene([_one("a"), _one("b", 3), _one("c", 1)], 80) == _one("b", 3)


def test_a_scene_that_does_not_tell_its_clouds_is_not_left_out() -> None:
    unknown = _one("a", cloud=None)
    assert best_scene([unknown], 10) == unknown


def test_references_are_other_days_the_clear_and_near_ones_first() -> None:
    near, far, cloudy = _one("near", 5), _one("far", 60), _one("cloudy", -5, cloud=60)
    same_day, other_tile = _one("same", 0.1), _one("other", 5, coverage=0.3)
    found = best_references(SCENE, [far, cloudy, same_day, other_tile, near], 80, 4)
    assert [one.name for one in found] == ["near", "far", "cloudy"]
    assert best_references(SCENE, [far, cloudy, near], 80, 1) == [near]
    assert best_references(SCENE, [far, cloudy], 50, 4) == [far]


def test_a_date_counts_half_after_so_many_days() -> None:
    assert usefulness(_one("a", HALF_DAYS), SCENE) == pytest.approx(0.5)
    assert usefulness(_one("a", -2 * HALF_DAYS), SCENE) == pytest.approx(0.25)


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(0, 100), st.floats(0, 1)), max_size=12))
def test_references_fall_in_usefulness_and_have_days_of_their_own(
    known: list[tuple[float, float, float]],
) -> None:
    found = best_references(SCENE, [_one(f"{n}", *one) for n, one in enumerate(known)], 80, 8)
    order = [usefulness(one, SCENE) for one in found]
    assert order == sorted(order, reverse=True)
    days = [one.acquired.date() for one in (SCENE, *found)]
    assert len(set(days)) == len(days)
    assert all(one.coverage and (one.cloud_cover or 0) <= 80 for one in found)


def test_the_radar_is_the_nearest_that_covers_the_area() -> None:
    part, near, far = _one("part", 0.5, coverage=0.6), _one("near", -2), _one("far", 4)
    assert best_radar(SCENE, [part, far, near], 30) == near
    assert best_radar(SCENE, [part, _one("less", 0, coverage=0.2)], 30) == part
    assert best_radar(SCENE, [near, far], 1) is None
    assert best_radar(SCENE, [_one("beside", coverage=0)], 30) is None


def test_each_date_has_the_radar_of_its_time() -> None:
    radars = [_one("june", 1), _one("april", -41)]
    scenes = found_scenes(SCENE, [_one("before", -40)], radars, 12)
    assert [(one.role, one.name, one.s1) for one in scenes] == [
        ("scene", "scene", "https://host/june"),
        ("reference", "before", "https://host/april"),
    ]
    assert scenes[1].gap_days == pytest.approx(1)
    assert found_scenes(SCENE, [], [], 12)[0].s1 is None
