"""Pieces of HTML that several pages are made of."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib import resources

from cloudfree.report.metric_format import Column


def part(name: str) -> str:
    """A file of the page as it lies beside this module: its frame, style or script."""
    return resources.files("cloudfree.report").joinpath(name).read_text(encoding="utf-8")


def table(head: str, rows: str) -> str:
    """A table that scrolls by itself where the page is narrow."""
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def column_head(column: Column, span: int = 1, note: str = "") -> str:
    """The title of a metric over `span` columns, with its unit or a note below."""
    unit = f'<span class="unit">{escape(note or column.unit)}</span>'
    spans = f' colspan="{span}"' if span > 1 else ""
    return f'<th scope="col"{spans}>{column.title} {column.arrow}{unit}</th>'


def fact_list(facts: Iterable[tuple[str, str]]) -> str:
    """Pairs of a name and a text."""
    pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    return f"<dl>{pairs}</dl>"
