"""What a comparison writes."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from cloudfree.commands.compare.result import ComparedModels, write_comparison
from cloudfree.commands.compare.statistics import GroupRow, MeanOverSeeds
from cloudfree.report.comparison import COLUMNS


def _row(group: str, psnr: float) -> GroupRow:
    return GroupRow(
        group, "m", 1, 3, {column.field: MeanOverSeeds(psnr, None) for column in COLUMNS}
    )


FOUND = ComparedModels(
    version="1.2.3",
    protocol="glf-cr",
    cover_of="clouds",
    image="raw",
    trainings={"m": ({"seed": 1},)},
    patches=3,
    places=2,
    overall=(_row("all", 30.0),),
    cover=(_row("0-20 %", 31.0),),
    differences=(),
    gaps={
        "cloudy and clear": (_row("0-7 days", 32.0),),
        "radar and clear": (_row("0-7 days", 33.0),),
    },
    notes=("a note",),
    output=None,
)  # fmt: skip


def test_the_summary_has_all_tables_and_notes() -> None:
    text = FOUND.summary()
    assert text.startswith(
        "All patches, raw images (3 patches of 2 places, protocol glf-cr)\nmodel"
    )
    assert "\n\nBy cloud cover: clouds\n" in text
    assert "\n\nBy the days between radar and clear image\n" in text
    assert text.endswith("\n\na note")
    assert replace(FOUND, output=Path("out")).summary().endswith("\n\nout/tables.md")


def test_seeds_are_a_column_only_if_there_are_several() -> None:
    assert "seeds" not in FOUND.summary()
    several = replace(FOUND, overall=(replace(FOUND.overall[0], seeds=3),))
    assert "(mean and standard deviation over seeds, 3 patches" in several.summary()


def test_each_table_is_a_csv_and_all_are_markdown_and_latex(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "differences.csv").write_text("of an earlier comparison")
    picture = np.zeros((4, 4, 4), dtype=np.uint8)
    write_comparison(folder, FOUND, {"cover.png": picture}, overwrite=True)
    assert {path.name for path in folder.iterdir()} == {
        "tables.md", "tables.tex", "overall.csv", "cover.csv", "gaps.csv", "cover.png",
    }  # fmt: skip
    with (folder / "gaps.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["between"], row["days"], row["psnr"]) for row in rows] == [
        ("cloudy and clear", "0-7 days", "32.0"), ("radar and clear", "0-7 days", "33.0"),
    ]  # fmt: skip
    latex = (folder / "tables.tex").read_text()
    assert latex.count(r"\begin{table}") == latex.count(r"\end{table}") == 4
    assert len({line for line in latex.splitlines() if "label" in line}) == 4
    assert (folder / "tables.md").read_text().count("| --- |") > 0
