"""The table of `cloudfree models bench`, for a screen and as CSV, Markdown, LaTeX and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields

from cloudfree.core.terminal import text_table
from cloudfree.report.text_tables import (
    DASH,
    in_latex,
    in_markdown,
    latex_tabular,
    markdown_table,
)

HEADS = ("model", "network", "runtime", "tile px", "parameters", "GMAC", "ms", "memory MB")
# The last columns.
NUMBERS = 5


@dataclass(frozen=True)
class BenchRow:
    """What one tile of `size_px` x `size_px` pixels takes; see `inference.complexity`.

    `macs` are multiply-accumulates; None is not known.
    """

    model: str
    network: str
    size_px: int
    runtime: str
    parameters: int | None
    macs: int | None
    seconds: float
    memory_mb: float | None

    @property
    def cells(self) -> tuple[str, ...]:
        """As a line of the table, rounded."""
        return (
            self.model,
            self.network,
            self.runtime,
            str(self.size_px),
            DASH if self.parameters is None else f"{self.parameters:,}",
            DASH if self.macs is None else _short(self.macs / 1e9),
            _short(self.seconds * 1e3),
            DASH if self.memory_mb is None else f"{self.memory_mb:.0f}",
        )


def _short(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


Rows = Sequence[BenchRow]


def table_text(rows: Rows) -> str:
    """For a screen."""
    return text_table(HEADS, [row.cells for row in rows])


def csv_text(rows: Rows) -> str:
    """All fields, not rounded; None is empty."""
    text = io.StringIO()
    names = [field.name for field in fields(BenchRow)]
    writer = csv.DictWriter(text, fieldnames=names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(asdict, rows))
    return text.getvalue()


def json_text(rows: Rows) -> str:
    """A list of objects with all fields, not rounded."""
    return json.dumps([asdict(row) for row in rows], indent=1) + "\n"


def markdown_text(rows: Rows) -> str:
    """A table of pipes, numbers to the right."""
    return markdown_table(
        HEADS, [[in_markdown(text) for text in row.cells] for row in rows], NUMBERS
    )


def latex_text(rows: Rows) -> str:
    """A tabular with the rules of the package booktabs."""
    return (
        latex_tabular(HEADS, [[in_latex(text) for text in row.cells] for row in rows], NUMBERS)
        + "\n"
    )


# Ends of file names, and what is written there.
FORMATS: dict[str, Callable[[Rows], str]] = {
    ".csv": csv_text,
    ".md": markdown_text,
    ".tex": latex_text,
    ".json": json_text,
}
