"""Tables as texts that Markdown and LaTeX read."""

from __future__ import annotations

from cloudfree.report.text_tables import (
    DASH,
    PLUS_MINUS,
    in_latex,
    in_markdown,
    latex_tabular,
    markdown_table,
)

HEADS, ROWS = ("model", "dB"), [("a", "1.0"), ("b", "2.0")]


def test_numbers_stand_to_the_right_in_markdown() -> None:
    lines = ["| model | dB |", "| --- | ---: |", "| a | 1.0 |", "| b | 2.0 |", ""]
    assert markdown_table(HEADS, ROWS, 1) == "\n".join(lines)


def test_latex_has_the_rules_of_booktabs() -> None:
    assert latex_tabular(HEADS, ROWS, 1).splitlines() == [
        r"\begin{tabular}{lr}", r"\toprule", r"model & dB \\", r"\midrule", r"a & 1.0 \\",
        r"b & 2.0 \\", r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip


def test_no_text_is_taken_for_a_command() -> None:
    assert in_latex(f"a_b & 5 % \\x{{}} {DASH} 1 {PLUS_MINUS} 2") == (
        r"a\_b \& 5 \% \textbackslash{}x\{\} -- 1 $\pm$ 2"
    )
    assert in_markdown("a|b") == r"a\|b"
