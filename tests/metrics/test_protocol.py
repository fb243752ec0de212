"""What the protocols compare: golden numbers of the published code, known answers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.grid import Window
from cloudfree.metrics.image_metrics import HALO_PX, structural_similarity
from cloudfree.metrics.protocol import GLF_CR, NATIVE, PROTOCOLS, UNCRTAINTS

EVERY = list(PROTOCOLS.values())


def near(expected: float) -> Any:
    return pytest.approx(expected, rel=1e-6, abs=1e-6)


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.02, 0.6, shape).astype(np.float32)


@pytest.fixture(params=["pair0_64", "pair1_128"])
def pair(request: pytest.FixtureRequest, golden: Path) -> tuple[np.ndarray, np.ndarray, Any]:
    arrays = np.load(golden / "metrics" / f"{request.param}.npz")
    folder = golden / "metrics"
    expected = json.loads((folder / "golden_metrics.json").read_text())[request.param]
    keras = json.loads((folder / "golden_metrics_dsen2cr.json").read_text())["values"]
    return arrays["target"], arrays["pred"], {**expected, "dsen2cr": keras[request.param]}


def test_uncrtaints_gives_the_numbers_of_its_code(pair: Any) -> None:
    truth, image, expected = pair
    found = UNCRTAINTS.figures(truth, image, np.ones(truth.shape[1:], bool)).all
    for name, value in expected["uncrtaints"].items():
        assert getattr(found, name.lower()) == near(value), name


def test_glf_cr_gives_the_numbers_of_its_code(pair: Any) -> None:
    truth, image, expected = pair
    found = GLF_CR.figures(truth, image, np.ones(truth.shape[1:], bool)).all
    assert found.psnr == near(expected["glfcr"]["PSNR"])
    assert found.ssim == near(expected["glfcr"]["SSIM"])


def test_the_similarity_of_dsen2_cr_is_that_of_windows_inside_the_image(pair: Any) -> None:
    truth, image, expected = pair
    inner = np.s_[:, HALO_PX:-HALO_PX, HALO_PX:-HALO_PX]
    similarity = structural_similarity(truth, image)[inner].mean(dtype=np.float64)
    assert similarity == pytest.approx(expected["dsen2cr"]["cloud_ssim"], abs=2e-6)


@pytest.mark.parametrize("protocol", EVERY, ids=lambda protocol: protocol.name)
def test_equal_images_have_the_best_figures(protocol: Any) -> None:
    truth = noise(0, 3, 16, 16)
    found = protocol.figures(truth, truth, np.zeros((16, 16), bool))
    assert found.all.psnr == found.clear.psnr == found.bands[0].psnr == protocol.equal_psnr
    assert (found.all.ssim, found.all.mae, found.cloudy.psnr) == (near(1), 0, None)


def test_glf_cr_calls_equal_images_100_db_and_the_others_infinite() -> None:
    assert [protocol.equal_psnr for protocol in EVERY] == [math.inf, 100.0, math.inf]


@given(height=st.integers(1, 300), width=st.integers(1, 300))
def test_glf_cr_sees_the_middle_and_the_others_everything(height: int, width: int) -> None:
    window = GLF_CR.window(height, width)
    assert (window.height, window.width) == (min(height, 128), min(width, 128))
    assert 0 <= (height - window.row_stop) - window.row <= 1
    assert 0 <= (width - window.col_stop) - window.col <= 1
    for protocol in (NATIVE, UNCRTAINTS):
        assert protocol.window(height, width) == Window(0, 0, height, width)


def test_all_clip_what_was_observed_and_only_the_native_one_what_was_filled() -> None:
    image = np.array([-0.5, 0.5, 1.5], np.float32).reshape(1, 1, 3)
    for protocol in EVERY:
        assert protocol.observed(image).ravel().tolist() == [0, 0.5, 1]
    assert NATIVE.prediction(image).ravel().tolist() == [0, 0.5, 1]
    assert UNCRTAINTS.prediction(image) is image
    assert GLF_CR.prediction(image) is image


def test_a_pixel_without_data_is_left_out_or_costs_the_published_codes_their_angle() -> None:
    truth, image = noise(1, 3, 16, 16), noise(2, 3, 16, 16)
    truth[:, 4, 5] = np.nan
    clouds = np.zeros((16, 16), bool)
    clouds[4, 5] = True
    native = NATIVE.figures(NATIVE.observed(truth), image, clouds)
    published = UNCRTAINTS.figures(UNCRTAINTS.observed(truth), image, clouds)
    assert (native.all.pixels, native.cloudy.pixels) == (255, 0)
    assert native.all.sam is not None
    assert (published.all.pixels, published.all.sam, published.cloudy.sam) == (256, None, None)
    assert published.clear.sam == near(native.clear.sam or 0)


def test_cloudy_and_clear_pixels_make_up_the_whole() -> None:
    truth, image, clouds = noise(3, 3, 20, 20), noise(4, 3, 20, 20), noise(5, 20, 20) > 0.3
    found = NATIVE.figures(truth, image, clouds)
    parts = (found.cloudy, found.clear)
    assert sum(part.pixels for part in parts) == found.all.pixels == 400
    for metric in ("mae", "ssim", "sam"):
        whole = sum(getattr(part, metric) * part.pixels for part in parts) / 400
        assert getattr(found.all, metric) == near(whole)


def test_protocols_differ_where_their_codes_do() -> None:
    truth, image = noise(6, 3, 40, 40), noise(7, 3, 40, 40)
    similarities = {p.name: p.figures(truth, image, truth[0] > 0).all.ssim for p in EVERY}
    assert similarities["native"] == similarities["uncrtaints"] != similarities["glf-cr"]
    assert set(PROTOCOLS) == {"native", "glf-cr", "uncrtaints"}
