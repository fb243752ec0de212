"""Which of the items that are found are used: the scene, its references, and their radar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from cloudfree.commands.radars import COVERING
from cloudfree.commands.search.candidates import Candidate
from cloudfree.commands.search.options import FoundScene, Role

# After so many days a date counts half: crops grow and are reaped.
HALF_DAYS = 60.0


def best_scene(candidates: Iterable[Candidate], max_cloud: float) -> Candidate | None:
    """The one that shows most of the area without cloud, of equal ones the latest."""
    return max(
        _clear_enough(candidates, max_cloud),
        key=lambda one: (round(one.clear_share, 3), one.acquired),
        default=None,
    )


def best_references(
    scene: Candidate, candidates: Iterable[Candidate], max_cloud: float, count: int
) -> list[Candidate]:
    """Other days of the place, the most useful first: clear over the area, and near in time.

    Of items of one day, such as neighbouring tiles, the best is taken.
    """
    by_day: dict[object, Candidate] = {}
    for one in _clear_enough(candidates, max_cloud):
        day = one.acquired.date()
        if day != scene.acquired.date() and one.clear_share > 0:
            by_day[day] = max(by_day.get(day, one), one, key=lambda each: each.clear_share)
    ranked = sorted(by_day.values(), key=lambda one: usefulness(one, scene), reverse=True)
    return ranked[:count]


def usefulness(reference: Candidate, scene: Candidate) -> float:
    """The share of the area that a date shows, halved for every `HALF_DAYS` from the scene."""
    days = reference.gap(scene) / timedelta(days=1)
    return float(reference.clear_share * 0.5 ** (days / HALF_DAYS))


def best_radar(
    scene: Candidate, radars: Iterable[Candidate], max_gap_days: float
) -> Candidate | None:
    """The nearest in time that covers the area, or else the one that covers most of it."""
    near = [one for one in radars if one.gap(scene) / timedelta(days=1) <= max_gap_days]
    whole = [one for one in near if one.coverage >= COVERING]
    if whole:
        return min(whole, key=scene.gap)
    return max((one for one in near if one.coverage), key=lambda one: one.coverage, default=None)


def found_scenes(
    scene: Candidate,
    references: Sequence[Candidate],
    radars: Sequence[Candidate],
    max_gap_days: float,
) -> tuple[FoundScene, ...]:
    """The scene and its references, each with its radar."""
    found = [_found(scene, "scene", radars, max_gap_days)]
    found += [_found(one, "reference", radars, max_gap_days) for one in references]
    return tuple(found)


def _found(
    one: Candidate, role: Role, radars: Sequence[Candidate], max_gap_days: float
) -> FoundScene:
    radar = best_radar(one, radars, max_gap_days)
    alone = FoundScene(
        one.name, role, one.address, None, one.acquired, one.cloud_cover, one.coverage, None
    )
    if radar is None:
        return alone
    return replace(alone, s1=radar.address, gap_days=one.gap(radar) / timedelta(days=1))


def _clear_enough(candidates: Iterable[Candidate], max_cloud: float) -> list[Candidate]:
    """Those that see the area and have no more cloud than that, or do not say how much."""
    return [
        one
        for one in candidates
        if one.coverage and (one.cloud_cover is None or one.cloud_cover <= max_cloud)
    ]
