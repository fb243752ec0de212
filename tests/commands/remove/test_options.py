"""Where the files of a removal go, and what its summary says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cloudfree.commands.remove.options import RemoveOptions, RemoveResult
from cloudfree.core.choices import MaskSettings
from cloudfree.errors import InputError

OPTIONS = RemoveOptions(s2=Path("a/l1c.tif"))
RESULT = RemoveResult(
    output=Path("r.tif"),
    filled=Path("r_filled.tif"),
    model="m",
    runtime="cpu, fp32",
    tiles=4,
    filled_fraction=0.25,
    unfilled_fraction=0.0,
    shift_px={"row": 0.5, "col": -1.0},
    shift_applied=True,
    shift_reason="corrected",
    written=True,
)


def test_files_go_beside_the_scene_unless_a_path_is_given() -> None:
    assert OPTIONS.result == Path("a/l1c_cloudfree.tif")
    assert OPTIONS.filled_path == Path("a/l1c_cloudfree_filled.tif")
    given = replace(OPTIONS, output=Path("b/r.tif"))
    assert (given.result, given.filled_path) == (Path("b/r.tif"), Path("b/r_filled.tif"))


def test_standard_deviations_have_a_file_only_if_asked_for() -> None:
    assert OPTIONS.uncertainty_path is None
    path = replace(OPTIONS, uncertainty=True).uncertainty_path
    assert path == Path("a/l1c_cloudfree_uncertainty.tif")


def test_the_summary_has_share_tiles_and_shift() -> None:
    assert RESULT.summary().splitlines() == [
        "r.tif",
        "  25.0% of the pixels filled, mask in r_filled.tif",
        "  4 tiles, model m, cpu, fp32",
        "  Sentinel-1 shift +0.50 rows, -1.00 columns: corrected",
    ]


def test_one_tile_is_no_plural() -> None:
    assert "  1 tile, model m" in replace(RESULT, tiles=1).summary()


def test_standard_deviations_and_dry_runs_are_said() -> None:
    deviations = replace(RESULT, uncertainty=Path("r_uncertainty.tif"))
    assert "their standard deviations in r_uncertainty.tif" in deviations.summary()
    dry = replace(deviations, filled_fraction=None, written=False).summary()
    assert "nothing written (dry run)" in dry
    assert "standard deviations" not in dry


def test_a_threshold_needs_a_mask() -> None:
    with pytest.raises(InputError, match=r"--mask-threshold 0\.3 without --mask; wanted a raster"):
        replace(OPTIONS, mask_threshold=0.3)
    assert replace(OPTIONS, mask_threshold=0.3, mask=Path("p.tif")).mask_threshold == 0.3


def test_masks_are_dilated_unless_said_otherwise() -> None:
    assert OPTIONS.mask_settings == MaskSettings()
    given = replace(OPTIONS, detector="published", dilate="0").mask_settings
    assert given == MaskSettings(detector="published", dilate="0")


def test_clear_ground_has_no_say_where_the_model_is_alone_or_fills_all() -> None:
    assert OPTIONS.combines
    assert not replace(OPTIONS, fill_by="network").combines
    assert not replace(OPTIONS, replace="all").combines
