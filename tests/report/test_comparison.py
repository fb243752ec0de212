"""Metrics against the truth: known errors, the same pixels before and after, missing files."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import rasterio

from cloudfree.core.terminal import silent
from cloudfree.metrics.image_metrics import Metrics
from cloudfree.report.comparison import (
    COLUMNS,
    MAE,
    PSNR,
    SAM,
    Comparison,
    compare_with_truth,
    percent,
)
from cloudfree.report.sources import open_sources
from tests.factories.rasters import cloudy_scene
from tests.factories.results import ERROR, FakeResult, write_result

DASH = "\N{EN DASH}"

GOOD = Metrics(pixels=9, psnr=30.126, ssim=0.91, sam=2.0, mae=0.01, rmse=0.02)
BAD = Metrics(pixels=9, psnr=12.0, ssim=0.5, sam=20.0, mae=0.2, rmse=0.3)


def test_figures_have_the_digits_of_their_metric():
    assert [column.text(GOOD) for column in COLUMNS] == ["30.13", "0.910", "2.00", "0.0100"]


def test_no_figure_is_a_dash_and_no_error_is_infinite():
    perfect = Metrics(pixels=9, psnr=math.inf, ssim=1.0, sam=None, mae=0.0, rmse=0.0)
    assert (PSNR.text(perfect), SAM.text(perfect), MAE.text(None)) == ("∞", DASH, DASH)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.title)
def test_better_lies_where_the_arrow_points(column):
    assert column.improves(BAD, GOOD)
    assert not column.improves(GOOD, BAD)
    assert not column.improves(None, GOOD)
    rises = column.value(GOOD) > column.value(BAD)
    assert column.arrow == ("↑" if rises else "↓")


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0.0 %"), (0.0002, "< 0.1 %"), (0.3419, "34.2 %"), (1, "100.0 %")]
)
def test_shares(share, text):
    assert percent(share) == text


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
