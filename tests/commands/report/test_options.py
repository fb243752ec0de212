"""What `report` asks for, and what it leaves as it is."""

from __future__ import annotations

from pathlib import Path

from cloudfree.commands.report.options import ReportOptions
from cloudfree.report.page_size import LARGEST_PAGE_MB


def test_a_page_of_results_needs_neither_truth_nor_pictures() -> None:
    options = ReportOptions((Path("a.tif"), Path("b.tif")), Path("page.html"))
    assert (options.truth, options.quicklooks) == ((), None)
    assert not options.overwrite


def test_a_folder_needs_no_more_than_itself() -> None:
    options = ReportOptions((Path("filled"),))
    assert (options.output, options.pages, options.max_size) == (None, True, LARGEST_PAGE_MB)
