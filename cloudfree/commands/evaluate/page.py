"""An evaluation as one HTML page: tables first, then pictures of patches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Template

import numpy as np

from cloudfree.commands.evaluate.calibration import Calibration
from cloudfree.commands.evaluate.patch import NOTHING, FilledPatch, raw_of
from cloudfree.commands.evaluate.summary import GroupKind, ScoredPatch, SummaryRow
from cloudfree.core.radiometry import Float32
from cloudfree.datasets.patch import Patch
from cloudfree.metrics.bootstrap import Interval
from cloudfree.report.gallery import gallery
from cloudfree.report.html import column_head, fact_list, part, table
from cloudfree.report.metric_format import COLUMNS, PSNR, SSIM, Column, percent
from cloudfree.report.pictures import TRUE_COLOUR, error_colours, radar_colours, stretch_of
from cloudfree.report.scene_section import Picture

RMSE = Column("rmse", "RMSE", "reflectance", 4, more_is_better=False)
METRIC_COLUMNS = (*COLUMNS, RMSE)


def figure_table(rows: Sequence[SummaryRow]) -> str:
    """Every metric of every method, group by group; the best of a group is highlighted."""
    heads = "".join(map(column_head, METRIC_COLUMNS))
    body = "".join(_group(group, own) for group, own in _grouped(rows).items())
    return table(f'<tr><th scope="col">Method</th>{heads}</tr>', body)


def cross_table(rows: Sequence[SummaryRow], title: str, column: Column) -> str:
    """One metric: groups down, methods across, with its interval if there is one."""
    methods = list(dict.fromkeys(row.method for row in rows))
    heads = "".join(f'<th scope="col">{escape(method)}</th>' for method in methods)
    head = f'<tr><th scope="col">{title}</th><th scope="col">Patches</th>{heads}</tr>'
    groups = _grouped(rows).items()
    return table(head, "".join(_cross_row(group, own, column) for group, own in groups))


def calibration_table(found: Mapping[str, Calibration]) -> str:
    """How well the variances of each model fit its errors."""
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("Model", "UCE", "AUCE", "within 1 \u03c3", "within 2 \u03c3")
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td>{one.uce:.4f}</td><td>{one.auce:.4f}</td>'
        f"<td>{percent(one.within_1)}</td><td>{percent(one.within_2)}</td></tr>"
        for label, one in found.items()
    )
    return table(f"<tr>{head}</tr>", rows)


def _grouped(rows: Iterable[SummaryRow]) -> dict[str, list[SummaryRow]]:
    groups: dict[str, list[SummaryRow]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return groups


def _group(group: str, rows: Sequence[SummaryRow]) -> str:
    patches = rows[0].means.patches
    span = f'colspan="{len(METRIC_COLUMNS) + 1}" scope="colgroup"'
    head = f'<tr class="group"><th {span}>{group.title()} pixels ({patches} patches)</th></tr>'
    return head + "".join(_figure_row(row, rows) for row in rows)


def _figure_row(row: SummaryRow, rivals: Sequence[SummaryRow]) -> str:
    cells = "".join(_figure_cell(row, rivals, column) for column in METRIC_COLUMNS)
    return f'<tr><th scope="row">{escape(row.method)}</th>{cells}</tr>'


def _figure_cell(row: SummaryRow, rivals: Sequence[SummaryRow], column: Column) -> str:
    best = _is_best(row, rivals, column)
    interval = _interval(row.means.intervals.get(column.field), column)
    return _cell(column.text(row.means.figures), best, interval)


def _cross_row(group: str, rows: Sequence[SummaryRow], column: Column) -> str:
    cells = "".join(_figure_cell(row, rows, column) for row in rows)
    patches = rows[0].means.patches
    return f'<tr><th scope="row">{escape(group)}</th><td>{patches}</td>{cells}</tr>'


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
    return f'<span class="unit"> {low}\N{EN DASH}{high}</span>'


def _cell(text: str, best: bool, more: str) -> str:
    kind = ' class="better"' if best else ""
    return f"<td{kind}>{text}{more}</td>"


NOTES = (
    "Figures are means over patches of the figures of each. The range behind a mean holds 95 of "
    "100 means when places, or within a place its patches, are drawn again with replacement; one "
    "place or patch alone has none. Cloudy pixels are those that remove fills: clouds and "
    "shadows with a margin of 40 m. The target is of another date: keeping clear pixels costs "
    "figures where the ground has changed in between, and is right for the user."
)


@dataclass(frozen=True)
class PatchSection:
    """Pictures and text of one patch."""

    title: str
    text: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class EvaluationPage:
    """Everything on the page; `facts` are pairs of a name and a text."""

    title: str
    protocol: str
    facts: Mapping[str, str]
    rows: tuple[SummaryRow, ...]
    calibration: Mapping[str, Calibration]
    skipped: tuple[tuple[str, str], ...]
    sections: tuple[PatchSection, ...]
    version: str


def render_evaluation(page: EvaluationPage) -> str:
    """The page, self-contained."""
    return Template(part("page.html")).substitute(
        title=escape(page.title),
        contents=f'<p class="lede">Protocol <strong>{escape(page.protocol)}</strong></p>',
        scenes=_figures(page) + "\n".join(map(_patch, page.sections)),
        notes=f"<p>{NOTES}</p>",
        version=escape(page.version),
        style=part("page.css") + part("evaluation.css"),
        script=part("page.js"),
    )


def _figures(page: EvaluationPage) -> str:
    """The tables, the most general first."""
    cover, places, bands = (_rows(page, kind) for kind in ("cover", "place", "band"))
    tables = {
        "Means over the patches": figure_table(_rows(page, "pixels")),
        "PSNR in dB by cloud cover": cross_table(cover, "Cover", PSNR),
        "Predicted variances": calibration_table(page.calibration) if page.calibration else "",
        "What was compared": fact_list(page.facts.items()),
    }
    closed = {
        "PSNR in dB of each place": cross_table(places, "Place", PSNR),
        "SSIM of each place": cross_table(places, "Place", SSIM),
        "PSNR in dB of each band": cross_table(bands, "Band", PSNR),
        f"{len(page.skipped)} patches skipped": fact_list(page.skipped) if page.skipped else "",
    }
    opened = "".join(
        f"<section><h3>{name}</h3>{text}</section>" for name, text in tables.items() if text
    )
    folded = "".join(
        f"<details><summary>{name}</summary>{text}</details>"
        for name, text in closed.items()
        if text
    )
    return f'<article class="scene figures">{opened}{folded}</article>'


def _rows(page: EvaluationPage, kind: GroupKind) -> Sequence[SummaryRow]:
    return [row for row in page.rows if row.kind == kind]


def _patch(section: PatchSection) -> str:
    return (
        f'<article class="scene patch"><h2>{escape(section.title)}</h2>'
        f'<p class="lede">{escape(section.text)}</p>{gallery(section.pictures)}</article>'
    )


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
    """The section of a patch."""
    place = "" if scored.place == scored.name else f"{scored.place}, "
    methods = [NOTHING, *map(raw_of, filled)]
    figures = "; ".join(f"{method} {_patch_metrics(scored, method)}" for method in methods)
    return PatchSection(
        title=scored.name,
        text=f"{place}{percent(scored.cover)} clouds and shadows; {figures}",
        pictures=tuple(_pictures(patch, filled)),
    )


def _patch_metrics(scored: ScoredPatch, method: str) -> str:
    figures = scored.figures[method].all
    return f"{PSNR.text(figures)} dB, SSIM {SSIM.text(figures)}"


def _pictures(patch: Patch, filled: Mapping[str, FilledPatch]) -> Iterator[Picture]:
    # One stretch for all, that of the clear image: colours can be compared.
    visible = set(TRUE_COLOUR) <= set(patch.bands)
    bands = TRUE_COLOUR if visible else (patch.bands[0],) * 3
    stretch = stretch_of(patch.select(patch.clear, bands))

    def shown(name: str, label: str, caption: str, image: Float32) -> Picture:
        return Picture(name, label, caption, stretch.colours(patch.select(image, bands)))

    yield shown("before", "Cloudy", "What the network sees", patch.cloudy)
    if patch.sar is not None:
        yield Picture("sar", "Radar", "VV red, VH green, VV \N{MINUS SIGN} VH blue",
                      radar_colours(patch.sar))  # fmt: skip
    yield shown("truth", "Target", "The clear image of another date", patch.clear)
    for label, one in filled.items():
        yield shown("raw", f"{label}, raw", "The prediction for every pixel", one.prediction.mean)
        yield shown("after", f"{label}, written", "Clear pixels kept, as remove does", one.written)
        known = np.isfinite(one.prediction.mean).any(axis=(1, 2))
        yield Picture("error", f"{label}, error", "Of the prediction, mean over the bands",
                      error_colours(patch.clear[known], one.prediction.mean[known]))  # fmt: skip
