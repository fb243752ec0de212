"""Where the coregistered scene goes, and what its summary says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cloudfree.commands.coregister.options import CoregisterOptions, CoregisterResult

RESULT = CoregisterResult(
    output=Path("c.tif"),
    shift_px={"row": 1.25, "col": -0.5},
    model="translation",
    length_px=1.35,
    matches=40,
    matches_used=36,
    residual_px={"before": {"median": 1.4, "p95": 2.0}, "after": {"median": 0.2, "p95": 0.5}},
    gate="",
    reliability=0.9,
    reliable=True,
    applied=True,
    reason="corrected",
    overlap=0.975,
    s1_units="db",
    written=True,
)


def test_the_result_goes_beside_sentinel_1_unless_a_path_is_given() -> None:
    options = CoregisterOptions((Path("a/vv_vh.tif"),), Path("b/l1c.tif"))
    assert options.result == Path("a/vv_vh_coregistered.tif")
    assert replace(options, output=Path("c.tif")).result == Path("c.tif")


def test_the_summary_has_shift_tie_points_and_overlap() -> None:
    assert RESULT.summary().splitlines() == [
        "c.tif",
        "  shift +1.25 rows, -0.50 columns: corrected",
        "  36 of 40 tie points used; they lie off by 1.40 px (95th percentile 2.00), "
        "and by 0.20 px (95th percentile 0.50) once corrected",
        "  Sentinel-1 (db) covers 97.5% of the scene",
    ]


def test_a_dry_run_and_a_field_of_shifts_are_said() -> None:
    text = replace(RESULT, written=False, model="field").summary()
    assert "nothing written (dry run)" in text
    assert "columns in the mean, 1.35 px at most (field)" in text


def test_without_tie_points_there_is_no_line_of_them() -> None:
    text = replace(RESULT, residual_px={}).summary()
    assert "tie points" not in text
    assert len(text.splitlines()) == 3
