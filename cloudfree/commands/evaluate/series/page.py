"""An evaluation on a series as one HTML page: tables first, then pictures of cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cloudfree.commands.evaluate.page import PatchSection
from cloudfree.commands.evaluate.series.fills import FILLS, OURS, FilledCase
from cloudfree.commands.evaluate.series.scoring import ScoredCase, Sources
from cloudfree.commands.evaluate.series.table import TITLES, Row
from cloudfree.core.radiometry import Float32
from cloudfree.report.comparison import PSNR, SAM, percent
from cloudfree.report.page import render_template
from cloudfree.report.pictures import (
    TRUE_COLOUR,
    Picture,
    Stretch,
    error_colours,
    radar_colours,
    stretch_of,
)

# What each fill is called below its picture; a plain one, the best plain one, and ours.
SHOWN_FILLS = {
    "last clear": "The nearest clear date as it is",
    "of several": "One regression on the three nearest clear dates",
    OURS: "What remove fills",
}


@dataclass(frozen=True)
class SeriesPage:
    """Everything on the page; `facts` and `skipped` are pairs of a name and a text."""

    title: str
    facts: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    sections: tuple[PatchSection, ...]
    skipped: tuple[tuple[str, str], ...]
    version: str


@dataclass(frozen=True)
class SeriesTable:
    """Means of each fill, group by group, for one kind of sources."""

    title: str
    rows: tuple[Row, ...]


def render_series(page: SeriesPage) -> str:
    """The page; it needs nothing but itself."""
    kinds = dict.fromkeys(row.sources for row in page.rows)
    tables = [_table(kind, [row for row in page.rows if row.sources == kind]) for kind in kinds]
    return render_template(
        "series.html",
        styles=("evaluation.css",),
        title=page.title,
        page=page,
        tables=tables,
        fills=FILLS,
        version=page.version,
    )


def _table(sources: Sources, rows: Sequence[Row]) -> SeriesTable:
    return SeriesTable(TITLES[sources], tuple(rows))


def case_section(filled: FilledCase, scored: ScoredCase, bands: tuple[str, ...]) -> PatchSection:
    """The title, text and pictures of a case."""
    figures = "; ".join(f"{name} {_figures(scored, name)}" for name in SHOWN_FILLS)
    dates = ", ".join(
        f"{name} ({days:+.0f} days)"
        for name, days in zip(scored.references, scored.days, strict=True)
    )
    return PatchSection(
        title=f"{scored.name}, {TITLES[scored.sources]}",
        text=f"{percent(scored.cover_share)} hidden, filled from {dates}; {figures}",
        pictures=tuple(_pictures(filled, bands)),
    )


def _figures(scored: ScoredCase, fill: str) -> str:
    found = scored.figures[fill]
    if found.psnr is None or found.sam is None:
        return "has nothing"
    return f"{found.psnr:.{PSNR.decimals}f} dB, {found.sam:.{SAM.decimals}f} degrees"


def _pictures(filled: FilledCase, bands: tuple[str, ...]) -> Iterator[Picture]:
    case = filled.case
    places = _true_colour(bands)
    # One stretch for all, that of the truth: colours can be compared.
    stretch = stretch_of(case.truth.image[places])
    yield _picture(stretch, "before", "Hidden", "Clear ground, empty where clouds are laid",
                   case.today[places])  # fmt: skip
    yield _picture(stretch, "truth", "Truth", case.truth.name, case.truth.image[places])
    if case.truth.radar is not None and len(case.truth.radar) == 2:
        yield Picture("sar", "Radar", "VV red, VH green, VV \N{MINUS SIGN} VH blue",
                      radar_colours(case.truth.radar))  # fmt: skip
    for name, caption in SHOWN_FILLS.items():
        image = filled.images[name][places]
        shown = np.where(np.isnan(case.today[places]), image, case.today[places])
        yield _picture(stretch, "after", name, caption, shown)
    error = np.where(case.scored, filled.images[OURS], case.truth.image)
    yield Picture("error", f"{OURS}, error", "Mean over the bands",
                  error_colours(case.truth.image, error))  # fmt: skip


def _picture(stretch: Stretch, name: str, label: str, caption: str, composite: Float32) -> Picture:
    return Picture(name, label, caption, stretch.colours(composite))


def _true_colour(bands: tuple[str, ...]) -> list[int]:
    visible = set(TRUE_COLOUR) <= set(bands)
    return [bands.index(band) for band in (TRUE_COLOUR if visible else (bands[0],) * 3)]
