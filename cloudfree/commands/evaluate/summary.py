"""Mean metrics of many patches: by pixels, cloud cover, band and place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cloudfree.datasets.patch import UNDATED, PatchDates
from cloudfree.metrics.bootstrap import Means, mean_metrics
from cloudfree.metrics.cover_bins import BINS, bin_name, cover_bin
from cloudfree.metrics.image_metrics import Metrics
from cloudfree.metrics.protocol import PatchMetrics

GroupKind = Literal["pixels", "cover", "band", "place"]


@dataclass(frozen=True)
class ScoredPatch:
    """The metrics of one patch by method.

    `cover` is the fraction of cloud and shadow of the whole patch, `filled` that of the filled
    pixels, which include a margin around them.
    """

    name: str
    place: str
    season: str
    cover: float
    filled: float
    figures: Mapping[str, PatchMetrics]
    dates: PatchDates = UNDATED


@dataclass(frozen=True)
class SummaryRow:
    """Means of one method over one group of patches or pixels."""

    kind: GroupKind
    group: str
    method: str
    means: Means


def summarise(
    patches: Sequence[ScoredPatch], bands: Sequence[str], bins: int = BINS
) -> tuple[SummaryRow, ...]:
    """Every row of the summary; the means over all pixels and over places have intervals."""
    methods = list(patches[0].figures)
    covers = _covers(patches, bins)
    return tuple(
        row
        for part in (_pixels(patches), covers, _bands(patches, bands), _places(patches))
        for kind, group, chosen, pick, units in part
        for method in methods
        for row in [_row(kind, group, method, chosen, pick, units)]
    )


Pick = Callable[[PatchMetrics], Metrics]
PatchGroup = tuple[GroupKind, str, Sequence[ScoredPatch], Pick, Sequence[str] | None]


def _row(
    kind: GroupKind, group: str, method: str, patches: Sequence[ScoredPatch], pick: Pick,
    units: Sequence[str] | None,
) -> SummaryRow:  # fmt: skip
    figures = [pick(patch.figures[method]) for patch in patches]
    return SummaryRow(kind, group, method, mean_metrics(figures, units))


def _pixels(patches: Sequence[ScoredPatch]) -> Iterator[PatchGroup]:
    places = [patch.place for patch in patches]
    yield "pixels", "all", patches, lambda figures: figures.all, places
    yield "pixels", "cloudy", patches, lambda figures: figures.cloudy, None
    yield "pixels", "clear", patches, lambda figures: figures.clear, None


def _covers(patches: Sequence[ScoredPatch], bins: int) -> Iterator[PatchGroup]:
    for index in range(bins):
        chosen = [patch for patch in patches if cover_bin(patch.cover, bins) == index]
        yield "cover", bin_name(index, bins), chosen, lambda figures: figures.all, None


def _bands(patches: Sequence[ScoredPatch], bands: Sequence[str]) -> Iterator[PatchGroup]:
    for index, band in enumerate(bands):
        yield "band", band, patches, _band(index), None


def _band(index: int) -> Pick:
    return lambda figures: figures.bands[index]


def _places(patches: Sequence[ScoredPatch]) -> Iterator[PatchGroup]:
    for place in sorted({patch.place for patch in patches}):
        chosen = [patch for patch in patches if patch.place == place]
        yield "place", place, chosen, lambda figures: figures.all, [one.name for one in chosen]
