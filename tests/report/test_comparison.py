"""Metrics against the truth: known errors, the same pixels before and after, missing files."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import rasterio

from cloudfree.core.terminal import silent
from cloudfree.report.comparison import Comparison, compare_with_truth
from cloudfree.report.sources import open_sources
from tests.factories.rasters import cloudy_scene
from tests.factories.results import ERROR, FakeResult, write_result

VALID_PX = 48 * 64 - 4 * 6


def compared(fake: FakeResult) -> Comparison:
    with open_sources(fake.result, fake.truth) as sources:
        return compare_with_truth(sources, silent)


def test_a_constant_error_has_its_metrics_over_filled_and_over_all_pixels(tmp_path: Path) -> None:
    found = compared(write_result(tmp_path))
    filled_px = int(cloudy_scene(48, 64)[1].sum())
    assert found.cloudy is not None
    assert found.cloudy.after.mae == pytest.approx(ERROR, rel=1e-4)
    assert found.cloudy.after.psnr == pytest.approx(-20 * math.log10(ERROR), rel=1e-4)
    assert found.all.after.mae == pytest.approx(ERROR * filled_px / VALID_PX, rel=1e-4)
    assert (found.cloudy.after.pixels, found.all.after.pixels) == (filled_px, VALID_PX)
    assert set(found.bands) >= {"B02", "B12"}


def test_before_and_after_are_scored_on_the_pixels_that_all_images_have(tmp_path: Path) -> None:
    fake = write_result(tmp_path)
    with rasterio.open(fake.s2, "r+") as scene:
        pixels = scene.read()
        pixels[:, 40:] = 0
        scene.write(pixels)
    found = compared(fake)
    assert found.all.before is not None
    assert found.all.before.pixels == found.all.after.pixels == VALID_PX - 8 * 64


def test_without_the_scene_there_is_no_before(tmp_path: Path) -> None:
    fake = write_result(tmp_path)
    fake.s2.unlink()
    found = compared(fake)
    assert found.all.before is None
    assert all(pair.before is None for pair in found.bands.values())


def test_without_the_mask_of_filled_pixels_bands_are_scored_on_all(tmp_path: Path) -> None:
    fake = write_result(tmp_path)
    fake.filled.unlink()
    found = compared(fake)
    assert found.cloudy is None
    assert found.bands["B02"].after.pixels == VALID_PX


def test_the_metrics_do_not_depend_on_the_strips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = write_result(tmp_path)
    whole = compared(fake).all.after
    monkeypatch.setattr("cloudfree.report.comparison.STRIP_ROWS", 7)
    assert vars(compared(fake).all.after) == pytest.approx(vars(whole), rel=1e-6)
