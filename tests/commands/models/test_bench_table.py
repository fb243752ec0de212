"""The table of what networks take, in every format."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace

from cloudfree.commands.models.bench_table import (
    FORMATS,
    HEADS,
    BenchRow,
    csv_text,
    json_text,
    latex_text,
    markdown_text,
    table_text,
)
from cloudfree.report.text_tables import DASH

ROW = BenchRow("a_b", "glf_cr", 128, "torch on cpu", 14_827_373, 61_234_567_890, 1.5, 812.4)
UNKNOWN = replace(ROW, parameters=None, macs=None, seconds=0.0123, memory_mb=None)


def test_cells_are_rounded_and_what_is_not_known_is_a_dash() -> None:
    assert ROW.cells == (
        "a_b", "glf_cr", "torch on cpu", "128", "14,827,373", "61.2", "1500", "812",
    )  # fmt: skip
    assert UNKNOWN.cells[4:] == (DASH, DASH, "12.3", DASH)


def test_a_screen_gets_a_line_for_each_row() -> None:
    head, line = table_text([ROW]).splitlines()
    assert head.split() == " ".join(HEADS).split()
    assert line.endswith("14,827,373  61.2  1500  812")


def test_files_hold_numbers_that_are_not_rounded() -> None:
    first, second = csv.DictReader(csv_text([ROW, UNKNOWN]).splitlines())
    assert (first["macs"], first["seconds"], second["macs"]) == ("61234567890", "1.5", "")
    assert json.loads(json_text([ROW, UNKNOWN])) == [asdict(ROW), asdict(UNKNOWN)]


def test_markdown_and_latex_have_all_columns() -> None:
    lines = markdown_text([ROW, UNKNOWN]).splitlines()
    assert {line.count("|") for line in lines} == {len(HEADS) + 1}
    assert lines[1].count("---:") == 5
    latex = latex_text([ROW, UNKNOWN])
    assert r"a\_b & glf\_cr & torch on cpu & 128 & 14,827,373 & 61.2 & 1500 & 812 \\" in latex
    assert r"-- & -- & 12.3 & --" in latex
    assert latex.startswith(r"\begin{tabular}{lllrrrrr}")


def test_every_format_has_an_end_of_a_name() -> None:
    assert list(FORMATS) == [".csv", ".md", ".tex", ".json"]
