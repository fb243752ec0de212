"""Tables of a comparison as text, Markdown, LaTeX and CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudfree.commands.compare.statistics import (
    GroupRow,
    MeanOverSeeds,
    MetricDifference,
    ModelDifference,
)
from cloudfree.core.terminal import text_table
from cloudfree.metrics.bootstrap import Interval
from cloudfree.report.comparison import COLUMNS, Column
from cloudfree.report.text_tables import (
    DASH,
    PLUS_MINUS,
    in_latex,
    in_markdown,
    latex_tabular,
    markdown_table,
)


@dataclass(frozen=True)
class Cell:
    """The text of a cell, and whether it is the best of its group."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class Table:
    """One table; `name` is that of its CSV file, `records` are its numbers unrounded."""

    name: str
    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    records: tuple[Mapping[str, Any], ...]

    def to_text(self) -> str:
        """For a screen."""
        rows = [[cell.text for cell in row] for row in self.rows]
        return f"{self.caption}\n{text_table(self.heads, rows)}"

    def to_markdown(self) -> str:
        """The best of each group in bold."""
        rows = self._marked("**{}**", in_markdown)
        return f"{self.caption}\n\n{markdown_table(self.heads, rows, len(COLUMNS))}"

    def to_latex(self) -> str:
        """For the packages graphicx and booktabs; the best of each group in bold."""
        heads = [in_latex(head) for head in self.heads]
        tabular = latex_tabular(heads, self._marked(r"\textbf{{{}}}", in_latex), len(COLUMNS))
        caption = rf"\caption{{{in_latex(self.caption)}}}"
        label = rf"\label{{tab:{self.name}}}"
        begin, end = r"\begin{table}", r"\end{table}"
        return "\n".join([begin, r"\centering", caption, label, tabular, end, ""])

    def _marked(self, bold: str, escape: Callable[[str], str]) -> list[list[str]]:
        return [
            [(bold if cell.best else "{}").format(escape(cell.text)) for cell in row]
            for row in self.rows
        ]


def group_table(
    name: str, caption: str, group: str, rows: Sequence[GroupRow], seeded: bool
) -> Table:
    """Metrics by group and model, the best of each group marked.

    `group` is the head of the column of groups, empty for a table of one group; with `seeded` a
    column counts the trainings.
    """
    heads = [*([group] if group else []), "model", *(["seeds"] if seeded else []), "patches"]
    return Table(
        name,
        caption,
        (*heads, *map(_head, COLUMNS)),
        tuple(_group_cells(row, rows, bool(group), seeded) for row in rows),
        tuple(_group_record(row, group) for row in rows),
    )


def _group_cells(
    row: GroupRow, rows: Sequence[GroupRow], grouped: bool, seeded: bool
) -> tuple[Cell, ...]:
    rivals = [one for one in rows if one.group == row.group]
    texts = [
        *([row.group] if grouped else []),
        row.model,
        *([str(row.seeds)] if seeded else []),
        str(row.patches),
    ]
    metrics = [_metric_cell(row, rivals, column) for column in COLUMNS]
    return (*map(Cell, texts), *metrics)


def _metric_cell(row: GroupRow, rivals: Sequence[GroupRow], column: Column) -> Cell:
    own = row.metrics[column.field]
    means = [one.metrics[column.field].mean for one in rivals]
    known = [mean for mean in means if mean is not None]
    if own.mean is None or not known:
        return Cell(DASH)
    best = max(known) if column.more_is_better else min(known)
    return Cell(mean_text(own, column), len(known) > 1 and own.mean == best)


def mean_text(found: MeanOverSeeds, column: Column) -> str:
    """A mean with its deviation between seeds, if there are several."""
    if found.mean is None:
        return DASH
    mean = f"{found.mean:.{column.decimals}f}"
    if found.deviation is None:
        return mean
    return f"{mean} {PLUS_MINUS} {found.deviation:.{column.decimals}f}"


def _group_record(row: GroupRow, group: str) -> dict[str, Any]:
    record: dict[str, Any] = {group: row.group} if group else {}
    record |= {"model": row.model, "seeds": row.seeds, "patches": row.patches}
    for name, found in row.metrics.items():
        record |= {name: found.mean, f"{name}_deviation": found.deviation}
    return record


def difference_table(found: Sequence[ModelDifference]) -> Table:
    """Paired differences to the baseline, with intervals; marked where these leave out zero."""
    baseline = found[0].baseline
    caption = (
        f"Difference to {baseline} on the same patches, with the interval of 95 % of the means of "
        "places drawn with replacement; marked where it leaves out zero"
    )
    return Table(
        "differences",
        caption,
        ("model", "patches", "places", *map(_head, COLUMNS)),
        tuple(_difference_cells(one) for one in found),
        tuple(_difference_record(one) for one in found),
    )


def _difference_cells(found: ModelDifference) -> tuple[Cell, ...]:
    counts = (Cell(found.model), Cell(str(found.patches)), Cell(str(found.places)))
    return (*counts, *(_difference_cell(found.metrics.get(c.field), c) for c in COLUMNS))


def _difference_cell(found: MetricDifference | None, column: Column) -> Cell:
    if found is None:
        return Cell(DASH)
    mean = f"{found.mean:+.{column.decimals}f}"
    if found.interval is None:
        return Cell(mean)
    low, high = (f"{end:+.{column.decimals}f}" for end in _ends(found.interval))
    return Cell(f"{mean} ({low} to {high})", found.interval.low > 0 or found.interval.high < 0)


def _difference_record(found: ModelDifference) -> dict[str, Any]:
    record: dict[str, Any] = {
        "model": found.model, "baseline": found.baseline,
        "patches": found.patches, "places": found.places,
    }  # fmt: skip
    for column in COLUMNS:
        one = found.metrics.get(column.field)
        ends = _ends(one.interval) if one and one.interval else (None, None)
        record[column.field] = one.mean if one else None
        record |= {f"{column.field}_low": ends[0], f"{column.field}_high": ends[1]}
    return record


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def _head(column: Column) -> str:
    return f"{column.title} {column.short_unit}".strip() + f" {column.arrow}"
