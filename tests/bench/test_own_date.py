"""The bench of the own date: its folds, and one of its triplets."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np

from cloudfree.datasets.scene_library import open_library
from cloudfree.inference.model import Arrays, Model
from cloudfree.metrics.own_date import HIDDEN, MEAN_COLOUR
from tests.bench.own_date import TIMES, folds, score


def _model(answer: float | None) -> Model:
    """A model that gives one reflectance everywhere, or what it sees."""

    def run(inputs: Arrays) -> Arrays:
        seen = inputs["optical"]
        return {"image": seen if answer is None else np.full_like(seen, answer)}

    return cast(Model, SimpleNamespace(runtime=SimpleNamespace(run=run)))


def test_no_fold_takes_clouds_from_the_places_it_is_scored_on(data: Path) -> None:
    scored = []
    for held, others, _ in folds(data):
        names = {one.name for one in held}
        assert names
        assert not names & {one.name for one in others}
        scored += sorted(names)
    assert len(scored) == len(set(scored))


def test_what_a_model_leaves_of_the_clouds_counts_against_it(data: Path) -> None:
    held, others, donors = next(folds(data))
    sources = open_library(others, donors, lambda sar: sar, 1).clouds
    patches = open_library(held[:1], (), lambda sar: sar, 1).clear
    seen, grey = (
        [*islice(score(_model(answer), patches, sources), TIMES)] for answer in (None, 0.2)
    )
    assert len(seen) == len(grey) == TIMES
    for cloudy, flat in zip(seen, grey, strict=True):
        # Bright ground below no cloud at all once gave 54 dB.
        assert cloudy[HIDDEN].psnr < 30
        assert cloudy[HIDDEN] != flat[HIDDEN]
        assert cloudy[MEAN_COLOUR] == flat[MEAN_COLOUR]
