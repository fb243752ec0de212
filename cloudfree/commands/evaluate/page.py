"""An evaluation as one HTML page: figures first, then patches to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Template

from cloudfree.commands.evaluate.calibration import Calibration
from cloudfree.commands.evaluate.summary import GroupKind, SummaryRow
from cloudfree.commands.evaluate.tables import calibration_table, cross_table, figure_table
from cloudfree.report.gallery import gallery
from cloudfree.report.html import fact_list, part
from cloudfree.report.metric_format import PSNR, SSIM
from cloudfree.report.scene_section import Picture

NOTES = (
    "Figures are means over patches of the figures of each. The range behind a mean holds 95 of "
    "100 means when places, or within a place its patches, are drawn again with replacement; one "
    "place or patch alone has none. Cloudy pixels are those that remove restores: clouds and "
    "shadows with a margin of 40 m. The target is of another date: keeping clear pixels costs "
    "figures where the ground has changed in between, and is right for the user."
)


@dataclass(frozen=True)
class PatchSection:
    """One patch to look at."""

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
    chapters: tuple[PatchSection, ...]
    version: str


def render_evaluation(page: EvaluationPage) -> str:
    """The page; it needs nothing but itself."""
    return Template(part("page.html")).substitute(
        title=escape(page.title),
        contents=f'<p class="lede">Protocol <strong>{escape(page.protocol)}</strong></p>',
        scenes=_figures(page) + "\n".join(map(_patch, page.chapters)),
        notes=f"<p>{NOTES}</p>",
        version=escape(page.version),
        style=part("page.css") + part("evaluation.css"),
        script=part("page.js"),
    )


def _figures(page: EvaluationPage) -> str:
    """The tables, the most general first."""
    cover, places, bands = (_rows(page, kind) for kind in ("cover", "place", "band"))
    sections = {
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
        f"<section><h3>{name}</h3>{text}</section>" for name, text in sections.items() if text
    )
    folded = "".join(
        f"<details><summary>{name}</summary>{text}</details>"
        for name, text in closed.items()
        if text
    )
    return f'<article class="scene figures">{opened}{folded}</article>'


def _rows(page: EvaluationPage, kind: GroupKind) -> Sequence[SummaryRow]:
    return [row for row in page.rows if row.kind == kind]


def _patch(chapter: PatchSection) -> str:
    return (
        f'<article class="scene patch"><h2>{escape(chapter.title)}</h2>'
        f'<p class="lede">{escape(chapter.text)}</p>{gallery(chapter.pictures)}</article>'
    )
