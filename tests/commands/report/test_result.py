"""What `cloudfree report` says of what it wrote."""

from __future__ import annotations

from pathlib import Path

from cloudfree.commands.report.result import ReportResult
from cloudfree.commands.report.scene import SceneReport
from cloudfree.report.index_page import FailedScene

SCENE = SceneReport("a.tif", 0.5, 0.0, {}, {}, (), None, None, ())


def test_the_summary_ends_with_the_page() -> None:
    result = ReportResult(Path("page.html"), (), (SCENE,))
    assert result.summary() == "a.tif: 50.0 % filled\npage.html"


def test_failures_stand_behind_the_results() -> None:
    failed = FailedScene("b", "io", "the disk failed")
    result = ReportResult(Path("index.html"), (), (SCENE,), failures=(failed,))
    assert result.summary().splitlines()[1:] == ["b: failed: the disk failed", "index.html"]
