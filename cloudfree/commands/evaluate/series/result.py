"""Result of an evaluation on the dates of a place, and its files: CSV and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cloudfree.commands.evaluate.result import csv_text, json_text
from cloudfree.commands.evaluate.series.scoring import ScoredCase
from cloudfree.commands.evaluate.series.table import Row, series_table
from cloudfree.core.output_files import make_folder
from cloudfree.core.output_set import OutputSet
from cloudfree.datasets.patch import Skipped

CASES, JSON = "cases.csv", "series.json"
FILES = (JSON, CASES)


@dataclass(frozen=True)
class SeriesEvaluation:
    """How well the dates of a place fill each other.

    `dates` are all days and `clear` those that are truths. `rows` are means over `cases`.
    """

    version: str
    series: Path
    bands: tuple[str, ...]
    dates: tuple[str, ...]
    clear: tuple[str, ...]
    rows: tuple[Row, ...]
    cases: tuple[ScoredCase, ...]
    skipped: tuple[Skipped, ...]
    output: Path | None

    def summary(self) -> str:
        """Tables of text."""
        return "\n".join(_lines(self))


def _lines(found: SeriesEvaluation) -> Iterator[str]:
    span = f"{found.dates[0]} to {found.dates[-1]}"
    yield f"{found.series}: {len(found.dates)} dates, {span}, {len(found.clear)} of them clear"
    yield f"bands {', '.join(found.bands)}\n"
    yield series_table(found.cases, found.rows)
    if found.skipped:
        yield f"\n{len(found.skipped)} scenes left out:"
        yield from (f"  {one.name}: {one.reason}" for one in found.skipped[:5])
    if found.output:
        yield f"\n{found.output / JSON}"


def write_series(folder: Path, found: SeriesEvaluation, overwrite: bool = True) -> None:
    """Write a line for each case and fill as CSV, and everything as JSON.

    Raises
    ------
    OutputError
        The folder or a file in it cannot be written.
    """
    make_folder(folder)
    with OutputSet(folder / JSON, overwrite) as outputs:
        outputs.write(folder / CASES, csv_text(_records(found.cases)))
        outputs.write(folder / JSON, json_text(asdict(found)))


def _records(cases: Sequence[ScoredCase]) -> Iterable[Mapping[str, Any]]:
    for case in cases:
        own = {name: value for name, value in vars(case).items() if name != "figures"}
        own |= {"references": " ".join(case.references)}
        own |= {"days": " ".join(f"{days:.1f}" for days in case.days)}
        for fill, figures in case.figures.items():
            yield {**own, "fill": fill, **vars(figures)}
