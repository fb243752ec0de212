"""Result of an evaluation on the dates of a place, and its files: CSV, JSON and the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cloudfree.commands.evaluate.page import PatchSection
from cloudfree.commands.evaluate.result import csv_text, json_text
from cloudfree.commands.evaluate.series.page import SeriesPage, render_series
from cloudfree.commands.evaluate.series.scoring import ScoredCase
from cloudfree.commands.evaluate.series.table import Row, series_table
from cloudfree.core.output_files import make_folder
from cloudfree.core.output_set import OutputSet
from cloudfree.datasets.patch import Skipped

PAGE, CASES, JSON = "index.html", "cases.csv", "series.json"
FILES = (PAGE, JSON, CASES)


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
        yield f"\n{found.output / PAGE}"


def write_series(
    folder: Path,
    found: SeriesEvaluation,
    sections: Sequence[PatchSection] = (),
    overwrite: bool = True,
) -> None:
    """Write a line for each case and fill as CSV, everything as JSON, and the page.

    Raises
    ------
    OutputError
        The folder or a file in it cannot be written.
    """
    make_folder(folder)
    with OutputSet(folder / PAGE, overwrite) as outputs:
        outputs.write(folder / CASES, csv_text(_records(found.cases)))
        outputs.write(folder / JSON, json_text(asdict(found)))
        outputs.write(folder / PAGE, render_series(_page(found, sections)))


def _page(found: SeriesEvaluation, sections: Sequence[PatchSection]) -> SeriesPage:
    return SeriesPage(
        title=f"Other dates of {found.series.resolve().name}",
        facts=(
            ("Scenes", str(found.series)),
            ("Dates", ", ".join(found.dates)),
            ("Clear", ", ".join(found.clear)),
            ("Bands", ", ".join(found.bands)),
        ),
        rows=found.rows,
        sections=tuple(sections),
        skipped=tuple((one.name, one.reason) for one in found.skipped),
        version=found.version,
    )


def _records(cases: Sequence[ScoredCase]) -> Iterable[Mapping[str, Any]]:
    for case in cases:
        own = {name: value for name, value in vars(case).items() if name != "figures"}
        own |= {"references": " ".join(case.references)}
        own |= {"days": " ".join(f"{days:.1f}" for days in case.days)}
        for fill, figures in case.figures.items():
            yield {**own, "fill": fill, **vars(figures)}
