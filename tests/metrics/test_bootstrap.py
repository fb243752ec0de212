"""Means over patches and how far chance moves them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.evaluate.summary import ScoredPatch, summarise
from cloudfree.metrics.bootstrap import bootstrap, mean_metrics
from cloudfree.metrics.image_metrics import Metrics
from cloudfree.metrics.protocol import PatchMetrics


def figures(psnr: float | None, sam: float | None = 1.0, pixels: int = 10) -> Metrics:
    return Metrics(pixels, psnr, 0.5, sam, 0.1, 0.2)


def test_a_mean_is_over_the_patches_that_have_the_figure() -> None:
    found = mean_metrics([figures(20.0), figures(30.0, sam=None), figures(None, 4.0, pixels=0)])
    assert (found.patches, found.figures.pixels) == (2, 20)
    assert (found.figures.psnr, found.figures.sam) == (25.0, 2.5)
    assert found.intervals == {}


def test_no_patch_has_no_mean() -> None:
    found = mean_metrics([], [])
    assert (found.patches, found.figures.psnr, found.intervals) == (0, None, {})


def test_equal_images_make_the_mean_infinite_and_take_its_interval() -> None:
    found = mean_metrics([figures(20.0), figures(math.inf)], ["a", "b"])
    assert found.figures.psnr == math.inf
    assert "psnr" not in found.intervals
    assert "mae" in found.intervals


@given(st.lists(st.floats(0, 40), min_size=2, max_size=30))
def test_an_interval_lies_around_the_mean_and_is_always_the_same(values: list[float]) -> None:
    units = [str(number) for number in range(len(values))]
    interval = bootstrap(np.array(values), units)
    assert interval is not None
    assert interval == bootstrap(np.array(values), units)
    slack = 0.3 * float(np.std(values)) + 1e-9
    assert min(values) - slack <= interval.low <= np.mean(values) + slack
    assert np.mean(values) - slack <= interval.high <= max(values) + slack


def test_the_width_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(0).normal(25, 2, 400)
    interval = bootstrap(values, [str(number) for number in range(400)])
    assert interval is not None
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)


def test_patches_of_one_place_are_drawn_together() -> None:
    """Fifty alike patches at each of four places know as much as four patches."""
    levels = np.array([20.0, 24.0, 28.0, 32.0])
    places = [str(place) for place in range(4) for _ in range(50)]
    by_place = bootstrap(np.repeat(levels, 50), places)
    assert by_place == bootstrap(levels, [str(place) for place in range(4)])
    by_patch = bootstrap(np.repeat(levels, 50), [str(number) for number in range(200)])
    assert by_place is not None
    assert by_patch is not None
    assert by_place.high - by_place.low > 4 * (by_patch.high - by_patch.low)


def test_one_place_has_no_interval() -> None:
    assert bootstrap(np.array([20.0, 30.0]), ["a", "a"]) is None


def _patch(name: str, place: str, cover: float, psnr: float) -> ScoredPatch:
    own = PatchMetrics(figures(psnr), figures(psnr - 1), figures(psnr + 1), (figures(psnr),) * 2)
    return ScoredPatch(name, place, "", cover, cover, {"do nothing": own})


def test_the_summary_has_a_row_for_every_group() -> None:
    patches = [
        _patch("a", "x", 0.1, 20.0),
        _patch("b", "x", 0.2, 24.0),
        _patch("c", "y", 1.0, 28.0),
    ]
    rows = summarise(patches, ["B02", "B03"])
    found = {(row.kind, row.group): (row.means.patches, row.means.figures.psnr) for row in rows}
    assert found == {
        ("pixels", "all"): (3, 24.0),
        ("pixels", "cloudy"): (3, 23.0),
        ("pixels", "clear"): (3, 25.0),
        ("cover", "0-20 %"): (1, 20.0),
        ("cover", "20-40 %"): (1, 24.0),
        ("cover", "40-60 %"): (0, None),
        ("cover", "60-80 %"): (0, None),
        ("cover", "80-100 %"): (1, 28.0),
        ("band", "B02"): (3, 24.0),
        ("band", "B03"): (3, 24.0),
        ("place", "x"): (2, 22.0),
        ("place", "y"): (1, 28.0),
    }
    intervals = {row.group for row in rows if row.means.intervals}
    assert intervals == {"all", "x"}
