"""What `report` asks for, and what it leaves as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.commands.report.options import ReportOptions


def test_a_page_of_results_needs_neither_truth_nor_pictures() -> None:
    options = ReportOptions((Path("a.tif"), Path("b.tif")), Path("page.html"))
    assert (options.truth, options.quicklooks) == ((), None)
    assert not options.overwrite


def test_the_page_has_no_name_of_its_own() -> None:
    with pytest.raises(TypeError, match="output"):
        ReportOptions((Path("a.tif"),))  # type: ignore[call-arg]
