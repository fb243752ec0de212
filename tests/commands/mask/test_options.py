"""Where the mask goes, and what its summary says."""

from __future__ import annotations

from pathlib import Path

from cloudfree.commands.mask.options import MaskOptions, MaskResult


def test_the_mask_goes_beside_the_scene_unless_a_path_is_given() -> None:
    assert MaskOptions(scene=Path("a/l1c.tif")).result.parent == Path("a")
    assert MaskOptions(scene=Path("a/l1c.tif")).result.name.endswith("mask.tif")
    assert MaskOptions(scene=Path("a/l1c.tif"), output=Path("b.tif")).result == Path("b.tif")


def test_the_summary_has_shares_in_per_cent_and_the_files() -> None:
    result = MaskResult(
        Path("m.tif"), Path("s.tif"), {"clear": 0.75, "cloud": 0.25}, 16, None, "none", None, False
    )
    assert result.summary() == "clear 75.0%, cloud 25.0%\nm.tif\ns.tif"
