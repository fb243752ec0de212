"""The page of an evaluation: everything in it, nothing outside it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from cloudfree.commands.evaluate.calibration import Calibration
from cloudfree.commands.evaluate.page import (
    EvaluationPage,
    PatchSection,
    metric_table,
    render_evaluation,
)
from cloudfree.commands.evaluate.summary import SummaryRow
from cloudfree.metrics.bootstrap import Interval, Means
from cloudfree.metrics.image_metrics import Metrics
from cloudfree.report.comparison import PSNR, SAM
from cloudfree.report.pictures import Picture


def row(method: str, psnr: float | None, group: str = "all", kind: Any = "pixels") -> SummaryRow:
    sam = None if psnr is None else 40 - psnr
    figures = Metrics(100, psnr, 0.5, sam, 0.1, 0.2)
    intervals = {} if psnr is None else {"psnr": Interval(psnr - 1, psnr + 2)}
    return SummaryRow(kind, group, method, Means(3, figures, intervals))


ROWS = (
    row("do nothing", 18.0), row("m, raw", 26.0), row("m, written", None, "clear"),
    row("m, raw", 27.0, "0-20 %", "cover"), row("m, raw", 28.0, "spring_1", "place"),
    row("m, raw", 29.0, "B02", "band"),
)  # fmt: skip


def render(rows: tuple[SummaryRow, ...] = ROWS) -> str:
    pixels = np.zeros((4, 4, 4), np.uint8)
    return render_evaluation(
        EvaluationPage(
            title="a <model>",
            protocol="glf-cr",
            metadata={"Data": "/data/<x>", "Protocol": "words"},
            rows=rows,
            calibration={"m": Calibration(10, 0.0123, 0.0234, 0.7, 0.95)},
            skipped=(("p<9>", "broken & lost"),),
            sections=(PatchSection("p1", "spring", (Picture("before", "Cloudy", "c", pixels),)),),
            version="1.2.3",
        )
    )


@pytest.fixture
def page() -> str:
    return render()


def test_the_page_needs_nothing_but_itself(page: str) -> None:
    assert page.startswith("<!DOCTYPE html>")
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "$" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_the_page_runs_its_own_script_and_has_no_style_of_single_elements(page: str) -> None:
    assert 'http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;;' in page
    assert not re.search(r"<[^>]* (style|on\w+)=", page)


def test_it_shows_figures_groups_and_what_was_skipped(page: str) -> None:
    for text in (
        "glf-cr", "26.00", "All pixels (3 patches)", "0-20 %", "spring_1", "B02", "0.0123",
        "1 patches skipped", "broken &amp; lost", "1.2.3", "<h2>p1</h2>", "70.0 %",
    ):  # fmt: skip
        assert text in page, text


def test_names_cannot_break_the_page(page: str) -> None:
    assert "<model>" not in page
    assert "a &lt;model&gt;" in page
    assert "/data/&lt;x&gt;" in page
    assert "p&lt;9&gt;" in page


def test_the_best_of_a_group_stands_out_in_every_column() -> None:
    page = render((row("bad", 20.0), row("good", 30.0), row("none", None)))
    lines = {name: page.split(f">{name}</th>")[1].split("</tr>")[0] for name in ("bad", "good")}
    assert '<td class="better">30.00' in lines["good"]
    assert '<td class="better">10.00' in lines["good"], "a smaller angle is better"
    assert "<td>20.00" in lines["bad"]


def test_an_interval_stands_behind_its_figure() -> None:
    dash = "\N{EN DASH}"
    assert f"25.00{dash}28.00" in render((row("m", 26.0, "spring_1", "place"),))
    assert f"<td>{dash}</td>" in render((row("m", None, "spring_1", "place"),))


def test_a_table_has_methods_in_order_and_a_cell_for_each_column() -> None:
    table = metric_table([row("a", 20.0), row("b", 30.0), row("a", 9.0, "clear")], (PSNR, SAM))
    assert table.methods == ("a", "b")
    assert [(group.name, list(group.methods)) for group in table.groups] == [
        ("all", ["a", "b"]),
        ("clear", ["a"]),
    ]
    best = {name: [cell.best for cell in cells] for name, cells in table.groups[0].methods.items()}
    assert best == {"a": [False, False], "b": [True, True]}
