"""Tables as text, Markdown, LaTeX and numbers."""

from __future__ import annotations

import pytest

from cloudfree.commands.compare.statistics import (
    GroupRow,
    MeanOverSeeds,
    MetricDifference,
    ModelDifference,
)
from cloudfree.commands.compare.tables import difference_table, group_table
from cloudfree.metrics.bootstrap import Interval


def _row(model: str, psnr: float | None, deviation: float | None = None) -> GroupRow:
    same = {name: MeanOverSeeds(0.5, None) for name in ("ssim", "sam", "mae")}
    return GroupRow("0-20 %", model, 2, 7, {"psnr": MeanOverSeeds(psnr, deviation), **same})


ROWS = (_row("glf_cr", 28.114, 0.126), _row("a|b", 29.0), _row("none", None))
TABLE = group_table("cover", "By cloud cover", "cover", ROWS, seeded=True)


def test_the_best_of_a_group_is_bold_in_markdown() -> None:
    _, _, head, _, first, second, third = TABLE.to_markdown().splitlines()
    assert head == "| cover | model | seeds | patches | PSNR dB ↑ | SSIM ↑ | SAM deg ↓ | MAE ↓ |"
    assert first.startswith("| 0-20 % | glf_cr | 2 | 7 | 28.11 ± 0.13 | **0.500** |")
    assert second.startswith(r"| 0-20 % | a\|b | 2 | 7 | **29.00** |")
    assert third.startswith("| 0-20 % | none | 2 | 7 | \N{EN DASH} |")


def test_latex_has_no_character_that_it_would_take_for_a_command() -> None:
    text = TABLE.to_latex()
    assert r"\begin{tabular}{llllrrrr}" in text
    assert r"\label{tab:cover}" in text
    assert r"cover & model & seeds & patches & PSNR dB $\uparrow$" in text
    assert r"0-20 \% & glf\_cr & 2 & 7 & 28.11 $\pm$ 0.13 & \textbf{0.500}" in text
    assert text.isascii()


def test_a_table_without_groups_and_seeds_lacks_their_columns() -> None:
    table = group_table("overall", "All", "", ROWS, seeded=False)
    assert table.heads[:2] == ("model", "patches")
    assert table.to_text().splitlines()[1].startswith("model   patches  PSNR dB")


def test_numbers_are_not_rounded() -> None:
    assert TABLE.records[0] == {
        "cover": "0-20 %", "model": "glf_cr", "seeds": 2, "patches": 7,
        "psnr": 28.114, "psnr_deviation": 0.126, "ssim": 0.5, "ssim_deviation": None,
        "sam": 0.5, "sam_deviation": None, "mae": 0.5, "mae_deviation": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("interval", "text", "marked"),
    [
        (Interval(0.5, 1.5), "+1.00 (+0.50 to +1.50)", True),
        (Interval(-0.5, 1.5), "+1.00 (-0.50 to +1.50)", False),
        (None, "+1.00", False),
    ],
)
def test_a_difference_is_marked_where_its_interval_leaves_out_zero(
    interval: Interval | None, text: str, marked: bool
) -> None:
    found = ModelDifference("m", "b", 9, 3, {"psnr": MetricDifference(1.0, interval)})
    table = difference_table([found])
    cell = table.rows[0][3]
    assert (cell.text, cell.best) == (text, marked)
    assert table.rows[0][4].text == "\N{EN DASH}"
    assert table.records[0]["psnr_low"] == (interval.low if interval else None)
    assert table.records[0]["mae"] is None
