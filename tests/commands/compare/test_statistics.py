"""Means, deviations over seeds and paired differences: known answers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.compare.results import ModelResult, PatchScore
from cloudfree.commands.compare.statistics import (
    MeanOverSeeds,
    common_patches,
    differences,
    group_rows,
    mean_over_seeds,
)
from cloudfree.commands.evaluate.patch import NOTHING
from cloudfree.datasets.patch import UNDATED
from cloudfree.report.comparison import COLUMNS


def result(label: str, psnr: Mapping[str, float | None]) -> ModelResult:
    """A training with the PSNR of each patch, of the place that its first letter names."""
    others = {column.field: 0.5 for column in COLUMNS}
    patches = {
        name: PatchScore(name[0], 0.5, UNDATED, {**others, "psnr": one})
        for name, one in psnr.items()
    }
    return ModelResult(label, label, None, patches, {})


def test_a_single_training_has_a_mean_and_no_deviation() -> None:
    one = result("m", {"a1": 30.0, "a2": 34.0, "b1": None})
    assert mean_over_seeds([one], {"a1", "a2", "b1"}, "psnr") == MeanOverSeeds(32.0, None)


def test_several_have_the_mean_and_the_deviation_of_the_sample() -> None:
    seeds = [result("m", {"a1": db, "a2": db + 2}) for db in (29.0, 30.0, 31.0)]
    found = mean_over_seeds(seeds, {"a1", "a2"}, "psnr")
    assert found.mean == pytest.approx(31.0)
    assert found.deviation == pytest.approx(1.0)


def test_a_metric_that_no_patch_has_is_none() -> None:
    assert mean_over_seeds([result("m", {"a1": None})], {"a1"}, "psnr") == MeanOverSeeds(None, None)


def test_models_are_compared_on_patches_that_all_have() -> None:
    """Seeds of one model may be of different splits: together they have the patches."""
    models = {
        "m": [result("m", {"a1": 30.0, "a2": 30.0}), result("m", {"b1": 30.0})],
        "n": [result("n", {"a1": 30.0, "b1": 30.0, "c1": 30.0})],
    }
    assert common_patches(models) == {"a1", "b1"}


def test_rows_go_by_group_and_then_by_model() -> None:
    models = {NOTHING: [result(NOTHING, {"a1": 15.0})], "m": [result("m", {"a1": 30.0})]}
    rows = group_rows(models, {"few": frozenset({"a1"}), "none": frozenset()})
    assert [(row.group, row.model, row.patches) for row in rows] == [
        ("few", NOTHING, 1), ("few", "m", 1), ("none", NOTHING, 0), ("none", "m", 0),
    ]  # fmt: skip
    assert rows[1].metrics["psnr"].mean == 30.0
    assert rows[3].metrics["psnr"].mean is None


def test_differences_are_paired_and_leave_the_cloudy_image_out() -> None:
    models = {
        NOTHING: [result(NOTHING, {"a1": 15.0, "b1": 15.0})],
        "m": [result("m", {"a1": 30.0, "b1": 40.0})],
        "n": [result("n", {"a1": 31.0, "b1": 41.0}), result("n", {"a1": 33.0, "b1": 43.0})],
    }
    (found,) = differences(models, {"a1", "b1"}, "m")
    assert (found.model, found.baseline, found.patches, found.places) == ("n", "m", 2, 2)
    psnr = found.metrics["psnr"]
    assert psnr.mean == pytest.approx(2.0)
    assert psnr.interval is not None
    # Patches differ by 10 dB, their differences not at all: pairing takes the patch out.
    assert (psnr.interval.low, psnr.interval.high) == pytest.approx((2.0, 2.0))


def test_places_are_drawn_not_patches() -> None:
    """A hundred alike patches of two places say no more than two."""
    better = {f"a{n}": 32.0 for n in range(50)} | {f"b{n}": 29.0 for n in range(50)}
    models = {"m": [result("m", dict.fromkeys(better, 30.0))], "n": [result("n", better)]}
    (found,) = differences(models, set(better), "m")
    interval = found.metrics["psnr"].interval
    assert interval is not None
    assert interval.low == pytest.approx(-1.0)
    assert interval.high == pytest.approx(2.0)


def test_one_place_has_no_interval() -> None:
    models = {"m": [result("m", {"a1": 30.0})], "n": [result("n", {"a1": 31.0})]}
    (found,) = differences(models, {"a1"}, "m")
    assert found.metrics["psnr"].interval is None


@given(st.lists(st.floats(10, 50), min_size=1, max_size=6))
def test_the_mean_lies_between_those_of_the_seeds(values: list[float]) -> None:
    found = mean_over_seeds([result("m", {"a1": one}) for one in values], {"a1"}, "psnr")
    assert found.mean is not None
    assert min(values) - 1e-9 <= found.mean <= max(values) + 1e-9
    assert found.deviation is None or math.isfinite(found.deviation)
