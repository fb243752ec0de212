"""What an evaluation found, and how it reads on a screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudfree.commands.evaluate.calibration import Calibration
from cloudfree.commands.evaluate.page import METRIC_COLUMNS
from cloudfree.commands.evaluate.summary import GroupKind, ScoredPatch, SummaryRow
from cloudfree.commands.text_table import text_table
from cloudfree.datasets.patch import Skipped
from cloudfree.inference.model_card import toml_text
from cloudfree.report.metric_format import PSNR, Column


@dataclass(frozen=True)
class Evaluation:
    """Figures of models on a data set, and what they mean.

    `definition` says in words what `protocol` compares; `models` are names and the hashes of their
    weights; `bands` are those compared. `rows` are means over patches. `calibration` has an entry
    for each model that tells a variance, or each way to tell the errors of a model; then
    `error_models` holds by model what its card should say under `[uncertainty]`.
    """

    version: str
    data: Path
    split: str
    protocol: str
    definition: str
    models: Mapping[str, str]
    bands: tuple[str, ...]
    rows: tuple[SummaryRow, ...]
    calibration: Mapping[str, Calibration]
    patches: tuple[ScoredPatch, ...]
    skipped: tuple[Skipped, ...]
    output: Path | None
    error_models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def places(self) -> int:
        """How many places the patches lie at."""
        return len({patch.place for patch in self.patches})

    def of_kind(self, kind: GroupKind) -> list[SummaryRow]:
        """The rows of one kind."""
        return [row for row in self.rows if row.kind == kind]

    def summary(self) -> str:
        """Tables for people."""
        return "\n".join(_lines(self))


def _lines(found: Evaluation) -> Iterator[str]:
    patches = f"{len(found.patches)} patches of {found.places} places"
    yield f"{found.data}, split {found.split}: {patches}"
    yield f"protocol {found.protocol}: {found.definition}"
    if len(found.bands) < 13:
        yield f"bands {', '.join(found.bands)}"
    yield ""
    yield _pixels_table(found)
    yield "\nPSNR in dB by cloud cover (patches)"
    yield _cover_table(found)
    for label, one in found.calibration.items():
        yield (
            f"\n{label}: UCE {one.uce:.4f}, AUCE {one.auce:.4f}; {one.within_1:.1%} of the errors "
            f"within one standard deviation, {one.within_2:.1%} within two"
        )
    for label, entry in found.error_models.items():
        yield f"\n# of {label}, for its card\n{toml_text({'uncertainty': entry}).strip()}"
    if found.skipped:
        yield f"\n{len(found.skipped)} patches skipped:"
        yield from (f"  {one.name}: {one.reason}" for one in found.skipped[:5])
    if found.output:
        yield f"\n{found.output / 'index.html'}"


def _pixels_table(found: Evaluation) -> str:
    """Means over all, cloudy and clear pixels; behind them how far chance moves the PSNR."""
    heads = ["pixels", "method", *map(_head, METRIC_COLUMNS), "PSNR, 95 % of draws"]
    rows = [
        [
            row.group,
            row.method,
            *_texts(row),
            _interval(row),
        ]
        for row in found.of_kind("pixels")
    ]
    return text_table(heads, rows)


def _head(column: Column) -> str:
    return f"{column.title} {column.short_unit}".strip()


def _texts(row: SummaryRow) -> list[str]:
    return [column.text(row.means.figures) for column in METRIC_COLUMNS]


def _interval(row: SummaryRow) -> str:
    interval = row.means.intervals.get("psnr")
    return f"{interval.low:.2f} to {interval.high:.2f}" if interval else ""


def _cover_table(found: Evaluation) -> str:
    """One line for each method, one column for each range of cloud cover."""
    rows = found.of_kind("cover")
    groups = list(dict.fromkeys(row.group for row in rows))
    count = {row.group: row.means.patches for row in rows}
    heads = ["method", *(f"{group} ({count[group]})" for group in groups)]
    methods = dict.fromkeys(row.method for row in rows)
    cells = {(row.method, row.group): PSNR.text(row.means.figures) for row in rows}
    return text_table(heads, [[m, *(cells[m, group] for group in groups)] for m in methods])
