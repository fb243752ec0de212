"""How figures are written."""

from __future__ import annotations

import math

import pytest

from cloudfree.metrics.image_metrics import Metrics
from cloudfree.report.metric_format import COLUMNS, MAE, PSNR, SAM, percent

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
