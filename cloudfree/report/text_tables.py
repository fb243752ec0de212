"""Tables as Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

DASH, PLUS_MINUS = "\N{EN DASH}", "\N{PLUS-MINUS SIGN}"

# Characters that LaTeX takes for commands, and signs that its fonts lack.
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    PLUS_MINUS: r"$\pm$", DASH: "--", "\N{UPWARDS ARROW}": r"$\uparrow$",
    "\N{DOWNWARDS ARROW}": r"$\downarrow$",
}  # fmt: skip

Lines = Sequence[Sequence[str]]


def in_markdown(text: str) -> str:
    """A text of a cell with what Markdown would take for the end of the cell escaped."""
    return text.replace("|", r"\|")


def in_latex(text: str) -> str:
    """A text with what LaTeX would take for commands escaped."""
    return "".join(_LATEX.get(sign, sign) for sign in text)


def markdown_table(heads: Sequence[str], rows: Lines, numbers: int) -> str:
    """A table of pipes of escaped texts, its last columns, of `numbers`, to the right."""
    marks = ["---"] * (len(heads) - numbers) + ["---:"] * numbers
    return "".join(f"| {' | '.join(line)} |\n" for line in (heads, marks, *rows))


def latex_tabular(heads: Sequence[str], rows: Lines, numbers: int) -> str:
    """The same with the rules of the package booktabs."""
    head, *lines = (" & ".join(line) + r" \\" for line in (heads, *rows))
    columns = "l" * (len(heads) - numbers) + "r" * numbers
    begin = rf"\begin{{tabular}}{{{columns}}}"
    rules = (begin, r"\toprule", head, r"\midrule", *lines, r"\bottomrule", r"\end{tabular}")
    return "\n".join(rules)
