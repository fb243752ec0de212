"""The published detector, by its own numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.cloudmask.published_cover import published_clouds, published_shadows
from tests.cloudmask.test_score import GOLDEN
from tests.factories.cloudy_scenes import CLOUD, VEGETATION, planes_of, spectrum


@pytest.mark.parametrize("source", ["dsen2cr", "glfcr"])
@pytest.mark.parametrize("name", GOLDEN)
def test_clouds_and_shadows_are_those_of_the_published_code(
    golden: Path, name: str, source: str
) -> None:
    published = np.load(golden / "cloud_mask" / f"{name}.npz")
    planes = planes_of(published["s2_dn"] / np.float32(10_000))
    clouds, shadows = published_clouds(planes), published_shadows(planes)
    # Scores on the threshold fall on either side in single precision.
    sure = np.abs(published[f"{source}_score"] - 0.2) > 1e-6
    assert np.array_equal(clouds[sure], published[f"{source}_binary_t0.2"][sure] != 0)
    assert np.array_equal(shadows, published[f"{source}_shadow"] != 0)
    both = published[f"{source}_cloudshadow_t0.2"] != 0
    assert np.array_equal((clouds | shadows)[sure], both[sure])


def test_clouds_end_before_the_border_as_published() -> None:
    """The mean counts zeros beyond the border, so that a corner needs three times the score."""
    hazy = 0.75 * spectrum(VEGETATION) + 0.25 * spectrum(CLOUD)
    planes = planes_of(np.broadcast_to(hazy, (13, 20, 20)).astype(np.float32))
    clouds = published_clouds(planes)
    assert clouds[10, 10]
    assert not clouds[0, 0]


def test_pixels_without_data_are_no_clouds() -> None:
    bright = np.broadcast_to(spectrum(CLOUD), (13, 40, 40)).astype(np.float32).copy()
    bright[:, :, :20] = np.nan
    clouds = published_clouds(planes_of(bright))
    assert not clouds[:, :10].any()
    assert clouds[20, 30]


def test_shadows_are_dark_in_infrared_and_blue() -> None:
    ground = np.broadcast_to(spectrum(VEGETATION), (13, 40, 40)).astype(np.float32).copy()
    ground[:, 10:20, 10:20] *= 0.2
    ground[:, 30, 30] *= 0.2  # a pixel alone is none
    shadows = published_shadows(planes_of(ground))
    assert shadows[15, 15]
    assert shadows.sum() == 10 * 10 - 4 * 3, "the median takes three pixels of each corner"
