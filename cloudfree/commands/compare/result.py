"""Result of a comparison, and its files: tables in three formats, and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudfree.commands.compare.statistics import GroupRow, ModelDifference
from cloudfree.commands.compare.tables import Table, difference_table, group_table
from cloudfree.commands.evaluate.result import csv_text
from cloudfree.core.output_files import make_folder
from cloudfree.core.output_set import OutputSet
from cloudfree.raster.encoded_picture import png
from cloudfree.report.pictures import UInt8Image

MARKDOWN, LATEX, CHART, GRID = "tables.md", "tables.tex", "cover.png", "shown.png"
# A CSV file for each table; the tables by time gap share one.
GAPS_TABLE = "gaps"
TABLES = ("overall", "cover", "differences", GAPS_TABLE)
FILES = (MARKDOWN, LATEX, *(f"{name}.csv" for name in TABLES), CHART, GRID)


@dataclass(frozen=True)
class ComparedModels:
    """Metrics of models side by side, over patches that all of them have.

    `trainings` holds what is known of each training of a model, by its label. `gaps` are rows by
    the pair of images between which days lie; `notes` say what was left out.
    """

    version: str
    protocol: str
    cover_of: str
    image: str
    trainings: Mapping[str, tuple[Mapping[str, Any], ...]]
    patches: int
    places: int
    overall: tuple[GroupRow, ...]
    cover: tuple[GroupRow, ...]
    differences: tuple[ModelDifference, ...]
    gaps: Mapping[str, tuple[GroupRow, ...]]
    notes: tuple[str, ...]
    output: Path | None

    @property
    def seeded(self) -> bool:
        """Whether a model was trained several times."""
        return any(row.seeds > 1 for row in self.overall)

    def tables(self) -> Iterator[Table]:
        """All tables, those without rows left out."""
        what = f"{self.patches} patches of {self.places} places, protocol {self.protocol}"
        means = "mean and standard deviation over seeds, " if self.seeded else ""
        yield group_table(
            "overall", f"All patches, {self.image} images ({means}{what})", "", self.overall,
            self.seeded,
        )  # fmt: skip
        cover = f"By cloud cover: {self.cover_of}" if self.cover_of else "By cloud cover"
        yield group_table("cover", cover, "cover", self.cover, self.seeded)
        if self.differences:
            yield difference_table(self.differences)
        for pair, rows in self.gaps.items():
            caption = f"By the days between {pair} image"
            name = f"{GAPS_TABLE}-{pair.replace(' ', '-')}"
            yield group_table(name, caption, "days", rows, self.seeded)

    def summary(self) -> str:
        """Tables of text."""
        parts = [table.to_text() for table in self.tables()]
        if self.notes:
            parts.append("\n".join(self.notes))
        if self.output:
            parts.append(str(self.output / MARKDOWN))
        return "\n\n".join(parts)


def write_comparison(
    folder: Path, found: ComparedModels, pictures: Mapping[str, UInt8Image], overwrite: bool
) -> None:
    """Write all tables as Markdown and LaTeX, each as CSV, and the pictures, at once.

    Raises
    ------
    OutputError
        The folder or a file in it cannot be written.
    """
    make_folder(folder)
    tables = list(found.tables())
    contents: dict[str, str | bytes] = {
        MARKDOWN: "\n".join(table.to_markdown() for table in tables),
        LATEX: "% \\usepackage{booktabs}\n\n" + "\n".join(table.to_latex() for table in tables),
    }
    for name in TABLES:
        if records := list(_records(found, tables, name)):
            contents[f"{name}.csv"] = csv_text(records)
    contents |= {name: png(pixels) for name, pixels in pictures.items()}
    outdated = [folder / name for name in FILES if name not in contents]
    with OutputSet(folder / MARKDOWN, overwrite, outdated) as outputs:
        for name, content in contents.items():
            outputs.write(folder / name, content)


def _records(found: ComparedModels, tables: list[Table], name: str) -> Iterator[Mapping[str, Any]]:
    """The numbers of the tables of a name; those by time gap say between what images."""
    if name != GAPS_TABLE:
        yield from (record for table in tables if table.name == name for record in table.records)
        return
    gaps = [table for table in tables if table.name.startswith(GAPS_TABLE)]
    for table, pair in zip(gaps, found.gaps, strict=True):
        yield from ({"between": pair, **record} for record in table.records)
