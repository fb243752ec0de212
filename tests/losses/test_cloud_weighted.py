"""The numbers that the published code gives."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cloudfree.losses.cloud_weighted import carl, masked_l1, published_cloud_aware
from cloudfree.losses.pixel import gaussian_likelihood, l1, spectral_angle_loss, spectrum_likelihood
from cloudfree.losses.structural_similarity import similarity_loss

DSEN2_CR_SCALE = 5.0  # reflectance to the units of DSen2-CR


def near(expected: float) -> Any:
    return pytest.approx(expected, rel=1e-6, abs=1e-6)


def arrays(path: Path) -> dict[str, Tensor]:
    with np.load(path) as stored:
        return {name: torch.from_numpy(stored[name]) for name in stored.files}


@pytest.fixture
def losses(golden: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = json.loads(
        (golden / "losses" / "golden_losses.json").read_text()
    )
    return found


def test_the_losses_of_cloud_attentive(golden: Path, losses: dict[str, dict[str, float]]) -> None:
    given = arrays(golden / "losses" / "cloud_attentive.npz")
    image, target, mask = given["pred"], given["target"], given["mask"]
    expected = losses["cloud_attentive_code"]
    assert masked_l1(image, target, mask).item() == near(expected["masked_L1"])
    assert l1(image, target).item() == near(expected["mae"])
    assert similarity_loss(image, target).item() == near(expected["ssim_loss"])
    for error, key in (("l1", "total_mae_cfg"), ("mse", "total_mse_cfg")):
        found = published_cloud_aware(image, target, mask, error)  # type: ignore[arg-type]
        assert found.item() == near(expected[key])


@pytest.mark.parametrize("batch", ["B1", "B3"])
def test_the_likelihoods_of_uncrtaints(
    golden: Path, losses: dict[str, dict[str, float]], batch: str
) -> None:
    given = {k: v[:, 0] for k, v in arrays(golden / "losses" / f"mgnll_{batch}.npz").items()}
    values = given["pred"], given["target"], given["var"]
    expected = losses[batch]
    assert gaussian_likelihood(*values).item() == near(expected["gnll_official"])
    published = spectrum_likelihood(*values, published=True)
    assert published.item() == near(expected["mgnll_official"])
    precise = [value.double() for value in values]
    assert spectrum_likelihood(*precise).item() == pytest.approx(
        expected["formula_per_sample"], rel=1e-12
    )
    assert spectrum_likelihood(*precise, published=True).item() == pytest.approx(
        expected["formula_logdet_summed_over_batch"], rel=1e-12
    )


@pytest.mark.parametrize("pair", ["pair0_64", "pair1_128"])
def test_carl_and_the_spectral_angle_of_dsen2_cr(golden: Path, pair: str) -> None:
    given = {k: v.unsqueeze(0) for k, v in arrays(golden / "metrics" / f"{pair}.npz").items()}
    stored = json.loads((golden / "metrics" / "golden_metrics_dsen2cr.json").read_text())
    expected = stored["values"][pair]
    images = (DSEN2_CR_SCALE * given[name] for name in ("pred", "target", "cloudy"))
    assert carl(*images, mask=given["mask"]).item() == near(expected["carl_error"])
    angle = spectral_angle_loss(given["pred"], given["target"])
    assert angle.item() == near(expected["cloud_mean_sam"])
