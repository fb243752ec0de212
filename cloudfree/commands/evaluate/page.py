"""An evaluation as one HTML page: tables first, then pictures of patches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cloudfree.commands.evaluate.calibration import Calibration
from cloudfree.commands.evaluate.patch import NOTHING, FilledPatch, raw_of
from cloudfree.commands.evaluate.summary import GroupKind, ScoredPatch, SummaryRow
from cloudfree.core.radiometry import Float32
from cloudfree.datasets.patch import Patch
from cloudfree.metrics.bootstrap import Interval
from cloudfree.report.comparison import COLUMNS, PSNR, SSIM, Column, percent
from cloudfree.report.page import render_template
from cloudfree.report.pictures import (
    TRUE_COLOUR,
    Picture,
    error_colours,
    radar_colours,
    stretch_of,
)

RMSE = Column("rmse", "RMSE", "reflectance", 4, more_is_better=False)
METRIC_COLUMNS = (*COLUMNS, RMSE)


@dataclass(frozen=True)
class PatchSection:
    """One patch to look at."""

    title: str
    text: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class EvaluationPage:
    """Everything on the page; `metadata` are texts by name, `skipped` patches and reasons."""

    title: str
    protocol: str
    metadata: Mapping[str, str]
    rows: tuple[SummaryRow, ...]
    calibration: Mapping[str, Calibration]
    skipped: tuple[tuple[str, str], ...]
    sections: tuple[PatchSection, ...]
    version: str


@dataclass(frozen=True)
class MetricCell:
    """One metric of one method: its text, its interval if known, whether it is the best."""

    text: str
    best: bool
    interval: str


@dataclass(frozen=True)
class MetricGroup:
    """One group of pixels or patches: a cell for each column, by method."""

    name: str
    patches: int
    methods: Mapping[str, tuple[MetricCell, ...]]


@dataclass(frozen=True)
class MetricTable:
    """Metrics of all methods, group by group."""

    columns: tuple[Column, ...]
    methods: tuple[str, ...]
    groups: tuple[MetricGroup, ...]


def render_evaluation(page: EvaluationPage) -> str:
    """The page; it needs nothing but itself."""
    tables = {
        "pixels": metric_table(_rows(page, "pixels"), METRIC_COLUMNS),
        "covers": metric_table(_rows(page, "cover"), (PSNR,)),
        "places": metric_table(_rows(page, "place"), (PSNR,)),
        "places_ssim": metric_table(_rows(page, "place"), (SSIM,)),
        "bands": metric_table(_rows(page, "band"), (PSNR,)),
    }
    return render_template(
        "evaluation.html",
        styles=("evaluation.css",),
        title=page.title,
        page=page,
        tables=tables,
        version=page.version,
    )


def _rows(page: EvaluationPage, kind: GroupKind) -> Sequence[SummaryRow]:
    return [row for row in page.rows if row.kind == kind]


def metric_table(rows: Sequence[SummaryRow], columns: tuple[Column, ...]) -> MetricTable:
    """These metrics of every method, group by group; the best of a group is marked."""
    groups: dict[str, list[SummaryRow]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return MetricTable(
        columns=columns,
        methods=tuple(dict.fromkeys(row.method for row in rows)),
        groups=tuple(_group(name, own, columns) for name, own in groups.items()),
    )


def _group(name: str, rows: Sequence[SummaryRow], columns: Iterable[Column]) -> MetricGroup:
    cells = {row.method: tuple(_cell(row, rows, column) for column in columns) for row in rows}
    return MetricGroup(name, rows[0].means.patches, cells)


def _cell(row: SummaryRow, rivals: Sequence[SummaryRow], column: Column) -> MetricCell:
    interval = _interval(row.means.intervals.get(column.field), column)
    return MetricCell(column.text(row.means.figures), _is_best(row, rivals, column), interval)


def _is_best(row: SummaryRow, rivals: Sequence[SummaryRow], column: Column) -> bool:
    own = row.means.figures
    others = [rival.means.figures for rival in rivals if rival is not row]
    return column.value(own) is not None and not any(
        column.improves(own, other) for other in others
    )


def _interval(interval: Interval | None, column: Column) -> str:
    if interval is None:
        return ""
    low, high = (f"{end:.{column.decimals}f}" for end in (interval.low, interval.high))
    return f"{low}\N{EN DASH}{high}"


def choose_shown(patches: Sequence[ScoredPatch], method: str, count: int) -> list[ScoredPatch]:
    """Patches from the worst to the best PSNR of a method, evenly spread in rank."""
    ranked = sorted(patches, key=lambda patch: patch.figures[method].all.psnr or 0.0)
    if count >= len(ranked):
        return ranked
    places = np.linspace(0, len(ranked) - 1, count).round().astype(int)
    return [ranked[place] for place in places]


def patch_section(
    scored: ScoredPatch, patch: Patch, filled: Mapping[str, FilledPatch]
) -> PatchSection:
    """The title, text and pictures of a patch."""
    place = "" if scored.place == scored.name else f"{scored.place}, "
    methods = [NOTHING, *map(raw_of, filled)]
    metrics = "; ".join(f"{method} {_patch_metrics(scored, method)}" for method in methods)
    return PatchSection(
        title=scored.name,
        text=f"{place}{percent(scored.cover)} clouds and shadows; {metrics}",
        pictures=tuple(patch_pictures(patch, filled)),
    )


def _patch_metrics(scored: ScoredPatch, method: str) -> str:
    metrics = scored.figures[method].all
    return f"{PSNR.text(metrics)} dB, SSIM {SSIM.text(metrics)}"


def patch_pictures(patch: Patch, filled: Mapping[str, FilledPatch]) -> Iterator[Picture]:
    """The cloudy image, radar and target of a patch; of each model both images and its error."""
    # One stretch for all, that of the clear image: colours can be compared.
    visible = set(TRUE_COLOUR) <= set(patch.bands)
    bands = TRUE_COLOUR if visible else (patch.bands[0],) * 3
    stretch = stretch_of(patch.select(patch.clear, bands))

    def seen(name: str, label: str, caption: str, image: Float32) -> Picture:
        return Picture(name, label, caption, stretch.colours(patch.select(image, bands)))

    yield seen("before", "Cloudy", "Input of the network", patch.cloudy)
    if patch.sar is not None:
        yield Picture("sar", "Radar", "VV red, VH green, VV \N{MINUS SIGN} VH blue",
                      radar_colours(patch.sar))  # fmt: skip
    yield seen("truth", "Target", "The clear image of another date", patch.clear)
    for label, one in filled.items():
        mean = one.prediction.mean
        yield seen("raw", f"{label}, raw", "The prediction for every pixel", mean)
        yield seen("after", f"{label}, written", "Clear pixels kept, as remove does", one.written)
        known = np.isfinite(mean).any(axis=(1, 2))
        yield Picture("error", f"{label}, error", "Of the prediction, mean over the bands",
                      error_colours(patch.clear[known], mean[known]))  # fmt: skip
