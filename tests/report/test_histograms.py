"""Histograms of bands: known answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.report.histograms import BINS, BandHistogram, Distribution, band_histograms
from cloudfree.report.sources import open_sources
from tests.factories.rasters import FIELD
from tests.factories.results import ERROR, write_result
from tests.report.test_page import changed, page_of


def test_each_band_has_its_images_and_their_medians(tmp_path: Path) -> None:
    fake = write_result(tmp_path)
    with open_sources(fake.result, fake.truth) as sources:
        found = band_histograms(sources)
    assert tuple(one.band for one in found) == OPTICAL_BANDS
    for one, field in zip(found, FIELD, strict=True):
        assert list(one.images) == ["before", "after", "truth"]
        assert one.images["truth"].median == pytest.approx(field, abs=0.03)
        assert one.low <= one.images["after"].median <= one.high
        assert all(len(image.bins) == BINS for image in one.images.values())
        assert max(max(image.bins) for image in one.images.values()) == 1


def test_filled_pixels_that_are_too_bright_move_the_result(tmp_path: Path) -> None:
    """The truth and the result differ by a constant where there was cloud."""
    fake = write_result(tmp_path)
    with open_sources(fake.result, fake.truth) as sources:
        one = band_histograms(sources)[3]
    centres = np.linspace(one.low, one.high, 2 * BINS + 1)[1::2]
    means = {name: np.average(centres, weights=image.bins) for name, image in one.images.items()}
    assert 0 < means["after"] - means["truth"] <= ERROR


def test_clouds_do_not_stretch_the_axis(tmp_path: Path) -> None:
    fake = write_result(tmp_path)
    with open_sources(fake.result, None) as sources:
        one = band_histograms(sources)[1]
    assert one.high < 0.3, "the cloud is brighter than that"
    assert sum(one.images["before"].bins) < sum(one.images["after"].bins)


def test_a_result_without_data_has_none(tmp_path: Path) -> None:
    fake = write_result(tmp_path, 4, 6)
    with open_sources(fake.result, None) as sources:
        assert band_histograms(sources) == ()


def test_the_path_of_a_distribution_has_a_step_for_each_bin() -> None:
    path = Distribution((1.0, 0.5), 0.1).path
    assert path == "M0 24 H0 V0.0 H1 V12.0 H64 V24"


def test_histograms_have_a_description_of_each_band():
    one = BandHistogram("B04", 0.02, 0.3, {"before": Distribution((1.0,) * 64, 0.2),
                                           "after": Distribution((0.5,) * 64, 0.1)})  # fmt: skip
    _, parsed = page_of(changed(histograms=(one,)))
    labels = [a["aria-label"] for a in parsed.all("svg") if a.get("role") == "img"]
    assert labels == ["B04: median before 0.200, after 0.100"]
    assert [a["class"] for a in parsed.all("path")] == ["of-before", "of-after"]
