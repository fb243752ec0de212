"""Means over patches, their deviation between seeds, and paired differences between models."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cloudfree.commands.compare.groups import Groups
from cloudfree.commands.compare.results import ModelResult
from cloudfree.commands.evaluate.patch import NOTHING
from cloudfree.metrics.bootstrap import Interval, bootstrap
from cloudfree.report.comparison import COLUMNS

Models = Mapping[str, Sequence[ModelResult]]


@dataclass(frozen=True)
class MeanOverSeeds:
    """The mean over seeds of the mean over patches, and the standard deviation between seeds.

    `deviation` is that of the sample (n - 1), None for a single seed; `mean` is None if no patch
    has the metric.
    """

    mean: float | None
    deviation: float | None


@dataclass(frozen=True)
class GroupRow:
    """The metrics of one model over one group of patches."""

    group: str
    model: str
    seeds: int
    patches: int
    metrics: Mapping[str, MeanOverSeeds]


@dataclass(frozen=True)
class MetricDifference:
    """The mean difference of one metric over patches, and its interval over places."""

    mean: float
    interval: Interval | None


@dataclass(frozen=True)
class ModelDifference:
    """How a model differs from the baseline on the same patches; each is the mean of its seeds."""

    model: str
    baseline: str
    patches: int
    places: int
    metrics: Mapping[str, MetricDifference]


def common_patches(models: Models) -> frozenset[str]:
    """Patches that every model has, with any of its seeds."""
    scored = [{name for one in found for name in one.patches} for found in models.values()]
    return frozenset(set.intersection(*scored))


def group_rows(models: Models, groups: Groups) -> tuple[GroupRow, ...]:
    """A row for each group and model."""
    return tuple(
        GroupRow(
            group,
            label,
            len(found),
            len(names),
            {column.field: mean_over_seeds(found, names, column.field) for column in COLUMNS},
        )
        for group, names in groups.items()
        for label, found in models.items()
    )


def mean_over_seeds(
    results: Sequence[ModelResult], names: Collection[str], metric: str
) -> MeanOverSeeds:
    """Mean and deviation over results of the means over patches of these names."""
    values = [list(_values(result, names, metric).values()) for result in results]
    means = [float(np.mean(one)) for one in values if one]
    if not means:
        return MeanOverSeeds(None, None)
    deviation = float(np.std(means, ddof=1)) if len(means) > 1 else None
    return MeanOverSeeds(float(np.mean(means)), deviation)


def _values(result: ModelResult, names: Collection[str], metric: str) -> dict[str, float]:
    """A metric by the name of the patch, of those that have it."""
    found = {name: result.patches[name].metrics[metric] for name in names & result.patches.keys()}
    return {name: value for name, value in found.items() if value is not None}


def differences(
    models: Models, names: Collection[str], baseline: str
) -> tuple[ModelDifference, ...]:
    """Each other model less the baseline, on patches that both have."""
    return tuple(
        _difference(label, models[label], baseline, models[baseline], names)
        for label in models
        if label not in (baseline, NOTHING)
    )


def _difference(
    label: str,
    results: Sequence[ModelResult],
    baseline: str,
    others: Sequence[ModelResult],
    names: Collection[str],
) -> ModelDifference:
    place_of = {name: one.place for found in results for name, one in found.patches.items()}
    metrics = {}
    for column in COLUMNS:
        own, other = (_over_seeds(found, names, column.field) for found in (results, others))
        paired = sorted(own.keys() & other.keys())
        values = np.array([own[name] - other[name] for name in paired], dtype=np.float64)
        if len(values):
            interval = bootstrap(values, [place_of[name] for name in paired])
            metrics[column.field] = MetricDifference(float(values.mean()), interval)
    places = {place_of[name] for name in names}
    return ModelDifference(label, baseline, len(names), len(places), metrics)


def _over_seeds(
    results: Sequence[ModelResult], names: Collection[str], metric: str
) -> dict[str, float]:
    """The mean over seeds of a metric, by patch."""
    values: dict[str, list[float]] = {}
    for result in results:
        for name, value in _values(result, names, metric).items():
            values.setdefault(name, []).append(value)
    return {name: float(np.mean(own)) for name, own in values.items()}
