"""Equations 13 to 16 of Cloud-Attentive, taken literally."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloudfree.cloudmask.mask_plan import plan_mask
from cloudfree.cloudmask.printed_score import PRINTED_BANDS, PrintedScore
from cloudfree.cloudmask.score import Planes
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import DetectorName, MaskSettings
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import cloudy_scene, write_raster


def _planes(**reflectance: float) -> Planes:
    """One pixel that is cloud by every term, but for the bands that are given."""
    usual = {"B01": 0.4, "B02": 0.6, "B03": 0.4, "B04": 0.6, "B08": 0.6, "B10": 0.01, "B11": 0.5}
    return {name: np.full((1, 1), value, np.float32)
            for name, value in {**usual, **reflectance}.items()}  # fmt: skip


def _score(**reflectance: float) -> float:
    return float(PrintedScore().probabilities(_planes(**reflectance)).cloud[0, 0])


@pytest.mark.parametrize(
    ("reflectance", "score"),
    [
        ({}, 1.0),
        ({"B02": 0.2}, 0.25),
        ({"B01": 0.2}, 0.5),
        ({"B01": 0.15, "B10": 0.03}, 0.25),
        ({"B01": 0.15, "B10": 0.005}, 0.1),
        ({"B02": 0.3, "B03": 0.1, "B04": 0.1}, 0.5),
        ({"B02": 0.05}, 0.0),
    ],
)
def test_the_score_is_the_least_of_the_terms(reflectance: dict[str, float], score: float) -> None:
    assert _score(**reflectance) == pytest.approx(score, abs=1e-6)


def test_above_a_snow_index_of_six_tenths_there_is_no_cloud() -> None:
    assert _score(B03=0.5, B11=0.13) == 1.0, "0.587: the published score would be lower, at 1.06"
    found = PrintedScore().probabilities(_planes(B03=0.5, B11=0.12))
    assert (found.cloud[0, 0], found.snow[0, 0]) == (0.0, 1.0)
    water = PrintedScore().probabilities(_planes(B03=0.5, B11=0.12, B08=0.05))
    assert (water.cloud[0, 0], water.snow[0, 0]) == (0.0, 0.0)


@given(st.integers(0, 2**32 - 1))
def test_a_pixel_does_not_depend_on_its_neighbours(seed: int) -> None:
    draw = np.random.default_rng(seed)
    planes = {band: draw.random((5, 6), dtype=np.float32) for band in PRINTED_BANDS}
    whole = PrintedScore().probabilities(planes).cloud
    alone = PrintedScore().probabilities({b: plane[2:3, 3:4] for b, plane in planes.items()}).cloud
    assert alone[0, 0] == whole[2, 3]
    assert PrintedScore().halo_px == 0


def test_all_its_bands_are_needed() -> None:
    with pytest.raises(InputError, match=r"no band B10 .*the bands of printed: B01, .*, B11"):
        PrintedScore().bands([band for band in OPTICAL_BANDS if band != "B10"])


def _clouds(path: Path, detector: DetectorName) -> NDArray[np.bool_]:
    """Clouds of a scene, without shadows and dilation."""
    settings = MaskSettings(detector=detector, sensitive=False, shadow=False, dilate="0")
    with OpticalScene(path) as scene:
        plan = plan_mask(scene, settings, silent)
        rows = [mask for _, mask in plan.classifier.strips(scene)]
    return np.asarray(np.concatenate(rows) == MaskClass.CLOUD)


def test_the_mask_of_a_scene_is_the_equations_of_each_pixel(tmp_path: Path) -> None:
    pixels, _ = cloudy_scene(64, 64)
    path = write_raster(tmp_path / "l1c.tif", pixels, OPTICAL_BANDS)
    b01, b02, b03, b04, b10, b11 = (
        pixels[OPTICAL_BANDS.index(band)] / 10_000
        for band in ("B01", "B02", "B03", "B04", "B10", "B11")
    )
    terms = ((b02 - 0.1) / 0.4, (b01 - 0.1) / 0.2, (b10 + b01 - 0.15) / 0.05)
    score = np.min([*terms, (b04 + b03 + b02 - 0.2) / 0.6], axis=0)
    expected = (score >= 0.2) & ((b03 - b11) / (b03 + b11) <= 0.6)
    assert np.array_equal(_clouds(path, "printed"), expected)
    assert 0.0 < expected.mean() < 1.0


def test_it_differs_from_the_published_detector_on_four_per_cent_of_the_triplets(
    data: Path,
) -> None:
    scenes = sorted((data / "triplets").glob("*_s2_cloudy.tif"))
    shares = [(_clouds(path, "printed") != _clouds(path, "published")).mean() for path in scenes]
    assert len(shares) == 16
    assert np.mean(shares) == pytest.approx(0.040, abs=0.0005)
    assert max(shares) == pytest.approx(0.155, abs=0.0005)
