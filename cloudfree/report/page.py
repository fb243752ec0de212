"""Chapters to one HTML page that needs nothing but itself: style, script and pictures inside."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import Template

from cloudfree.core.mask_classes import MASK_COLOURS, MaskClass
from cloudfree.report.gallery import gallery, swatch, viewer
from cloudfree.report.html import fact_list, part
from cloudfree.report.metadata_table import NOTES, band_table, contents_table, region_table
from cloudfree.report.metric_format import percent
from cloudfree.report.scene_section import SceneSection


def render(chapters: Sequence[SceneSection], version: str) -> str:
    """The page of one or several results."""
    one = len(chapters) == 1
    numbered = enumerate(chapters, start=1)
    return Template(part("templates/frame.html")).substitute(
        title=escape(chapters[0].title) if one else f"{len(chapters)} cloud-free scenes",
        contents="" if one else f'<div class="contents">{contents_table(chapters)}</div>',
        scenes="\n".join(_scene(number, chapter, headed=not one) for number, chapter in numbered),
        notes=f"<p>{NOTES}</p>" if any(chapter.comparison for chapter in chapters) else "",
        version=escape(version),
        style=part("page.css"),
        script=part("page.js"),
    )


def _scene(number: int, chapter: SceneSection, headed: bool) -> str:
    heading = f"<h2>{escape(chapter.title)}</h2>" if headed else ""
    return (
        f'<article class="scene" id="scene-{number}">{heading}{_lede(chapter)}'
        f"{_warnings(chapter)}"
        f'<div class="spread">{viewer(chapter)}<div class="panel">{_panel(chapter)}</div></div>'
        f"{gallery(chapter.pictures)}"
        f"{_bands(chapter)}</article>"
    )


def _lede(chapter: SceneSection) -> str:
    if chapter.reconstructed is None:
        return ""
    model = f" with {escape(chapter.model)}" if chapter.model else ""
    share = percent(chapter.reconstructed)
    return f'<p class="lede"><strong>{share}</strong> of the pixels reconstructed{model}.</p>'


def _warnings(chapter: SceneSection) -> str:
    if not chapter.warnings:
        return ""
    lines = "".join(f"<li>{escape(warning)}</li>" for warning in chapter.warnings)
    return f'<ul class="warnings" role="note" aria-label="Warnings">{lines}</ul>'


def _panel(chapter: SceneSection) -> str:
    """What stands beside the slider."""
    sections = {
        "Against the truth": region_table(chapter.comparison) if chapter.comparison else "",
        "Mask of the cloudy scene": _shares(chapter) if chapter.fractions else "",
        "How it was made": fact_list(chapter.facts),
    }
    return "".join(
        f"<section><h3>{name}</h3>{content}</section>"
        for name, content in sections.items()
        if content
    )


def _shares(chapter: SceneSection) -> str:
    """A bar of the classes, as wide as their shares, and the shares in words."""
    classes = [(MaskClass[name.upper()], share) for name, share in chapter.fractions.items()]
    bar = "".join(
        f'<span style="width: {100 * share:.2f}%; background: rgb{MASK_COLOURS[value]}"></span>'
        for value, share in classes
        if value is not MaskClass.NODATA
    )
    legend = "".join(
        f"<li>{swatch(value)}{value.name.lower()} {percent(share)}</li>" for value, share in classes
    )
    return f'<div class="shares" aria-hidden="true">{bar}</div><ul class="legend">{legend}</ul>'


def _bands(chapter: SceneSection) -> str:
    if chapter.comparison is None:
        return ""
    where = "reconstructed" if chapter.comparison.cloudy else "all"
    return (
        f'<details class="bands"><summary>Figures of each band, on {where} pixels</summary>'
        f"{band_table(chapter.comparison)}</details>"
    )
