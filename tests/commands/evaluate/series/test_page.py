"""The page of an evaluation on a series."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from cloudfree.commands.evaluate.series.cases import Case
from cloudfree.commands.evaluate.series.fills import fill_case
from cloudfree.commands.evaluate.series.page import SeriesPage, case_section, render_series
from cloudfree.commands.evaluate.series.scoring import score
from cloudfree.commands.evaluate.series.table import rows
from tests.factories.date_series import BANDS, HIDDEN_ROWS, date
from tests.factories.scored_cases import scored_case


@pytest.fixture(scope="module")
def case() -> Case:
    others = (date(-5, 1.0), date(8, 1.02))
    return Case(date(0), date(100, hidden_rows=HIDDEN_ROWS), others)


def test_a_case_shows_what_was_hidden_the_truth_and_the_fills(case: Case) -> None:
    filled = fill_case(case, BANDS)
    section = case_section(filled, score(filled, "both"), BANDS)
    assert section.title == "day 0 under day 100, filled from earlier and later dates"
    assert "filled from day -5 (-5 days), day 8 (+8 days)" in section.text
    assert re.search(r"cloudfree \d\d\.\d\d dB, \d\.\d\d degrees", section.text)
    pictures = {picture.label: picture.pixels for picture in section.pictures}
    assert list(pictures) == [
        "Hidden", "Truth", "last clear", "of several", "cloudfree", "cloudfree, error",
    ]  # fmt: skip
    hidden, ours = pictures["Hidden"], pictures["cloudfree"]
    assert not hidden[:HIDDEN_ROWS].any(), "no colour and no opacity below the clouds"
    assert np.array_equal(hidden[HIDDEN_ROWS:], ours[HIDDEN_ROWS:])
    assert (ours[:HIDDEN_ROWS, :, 3] == 255).all()


def test_a_way_that_fills_nothing_says_so(case: Case) -> None:
    filled = fill_case(case, BANDS)
    nothing = np.full_like(filled.images["last clear"], np.nan)
    blind = replace(filled, images={**filled.images, "last clear": nothing})
    assert "last clear has nothing" in case_section(blind, score(blind, "both"), BANDS).text


def test_the_best_fill_of_each_row_stands_out_and_texts_are_escaped() -> None:
    cases = (scored_case(30), scored_case(28))
    page = SeriesPage("a <place>", (("Dates", "1 & 2"),), tuple(rows(cases)), (),
                      (("x<1>", "has no date"),), "1.2.3")  # fmt: skip
    html = render_series(page)
    assert "a &lt;place&gt;" in html and "x&lt;1&gt;" in html and "1 &amp; 2" in html
    _, row = html.split("PSNR in dB, all", 1)
    assert re.findall(r'class="better">([\d.]+)<', row.split("</tr>")[0]) == ["29.00"]
    assert "http://" not in html and "https://" not in html
