"""The folds of the bench of the own date."""

from __future__ import annotations

from pathlib import Path

from tests.bench.own_date import folds


def test_no_fold_takes_clouds_from_the_places_it_is_scored_on(data: Path) -> None:
    scored = []
    for held, others, _ in folds(data):
        names = {one.name for one in held}
        assert names
        assert not names & {one.name for one in others}
        scored += sorted(names)
    assert len(scored) == len(set(scored))
