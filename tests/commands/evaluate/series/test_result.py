"""What an evaluation on a series prints and writes."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

from cloudfree.commands.evaluate.series.fills import FILLS
from cloudfree.commands.evaluate.series.result import FILES, SeriesEvaluation, write_series
from cloudfree.commands.evaluate.series.table import rows
from cloudfree.datasets.patch import Skipped
from tests.factories.scored_cases import scored_case


def _evaluation(**changes: Any) -> SeriesEvaluation:
    cases = (scored_case(30), scored_case(math.inf, truth="2018-06-01"))
    values: dict[str, Any] = {
        "version": "1", "series": Path("place"), "bands": ("B02", "B04"),
        "dates": ("2018-05-01", "2018-06-01", "2018-07-01"), "clear": ("2018-05-01", "2018-06-01"),
        "rows": tuple(rows(cases)), "cases": cases, "skipped": (), "output": None,
    }  # fmt: skip
    return SeriesEvaluation(**values | changes)


def test_the_summary_begins_with_what_was_read() -> None:
    lines = _evaluation().summary().splitlines()
    assert lines[0] == "place: 3 dates, 2018-05-01 to 2018-07-01, 2 of them clear"
    assert lines[1] == "bands B02, B04"
    assert lines[3].startswith("filled from earlier and later dates")
    assert lines[-1].startswith("worst against gain: ")


def test_the_summary_ends_with_what_was_left_out_and_written() -> None:
    found = _evaluation(skipped=(Skipped("a", "has no date"),), output=Path("out"))
    assert found.summary().endswith(
        "\n\n1 scenes left out:\n  a: has no date\n\nout/index.html"
    )  # fmt: skip


def test_each_fill_of_a_case_is_a_line_of_the_csv(tmp_path: Path) -> None:
    write_series(tmp_path / "out", _evaluation())
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FILES)
    text = (tmp_path / "out" / "cases.csv").read_text()
    lines = [*csv.DictReader(text.splitlines())]
    assert [line["fill"] for line in lines] == [*FILLS, *FILLS]
    line = lines[len(FILLS) - 1]
    assert (line["truth"], line["fill"], line["psnr"]) == ("2018-05-01", "cloudfree", "30")
    assert (line["references"], line["days"]) == ("2018-05-11 2018-03-01", "10.0 -61.0")


def test_the_json_has_every_case_and_no_infinity(tmp_path: Path) -> None:
    write_series(tmp_path, _evaluation())
    found = json.loads((tmp_path / "series.json").read_text())
    assert [case["figures"]["cloudfree"]["psnr"] for case in found["cases"]] == [30, None]
    assert found["rows"][0]["group"] == "all"
