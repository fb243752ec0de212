"""Losses of single pixels: known answers, and the numbers that the published code gives."""

import math
from pathlib import Path

import pytest
import torch

from cloudfree.losses.pixel import (
    charbonnier,
    gaussian_likelihood,
    l1,
    spectral_angle_loss,
    spectrum_likelihood,
)
from cloudfree.metrics.image_metrics import spectral_angle_deg
from tests.factories.golden_weights import golden_arrays
from tests.factories.images import image
from tests.losses.conftest import near


class TestPixel:
    def test_l1_is_the_mean_distance(self) -> None:
        assert l1(image(1) + 0.25, image(1)).item() == pytest.approx(0.25)

    def test_charbonnier_is_l1_far_away_and_a_parabola_near(self) -> None:
        zero = torch.zeros(1, 1, 2, 2, dtype=torch.float64)
        assert charbonnier(zero + 0.5, zero).item() == pytest.approx(0.5, abs=1e-5)
        rise = charbonnier(zero + 1e-5, zero).item() - 1e-3
        assert rise == pytest.approx(1e-10 / 2e-3, rel=1e-3)


class TestSpectralAngle:
    def test_it_is_the_figure_of_the_report(self) -> None:
        one, other = image(1, n=1).float(), image(2, n=1).float()
        figure = spectral_angle_deg(other[0].numpy(), one[0].numpy()).mean()
        found = math.degrees(spectral_angle_loss(one, other).item())
        assert found == pytest.approx(float(figure), rel=1e-5)

    def test_brightness_does_not_matter(self) -> None:
        torch.testing.assert_close(
            spectral_angle_loss(3 * image(1), image(2)), spectral_angle_loss(image(1), image(2))
        )

    def test_bands_that_share_nothing_are_perpendicular(self) -> None:
        one, other = torch.zeros(2, 1, 13, 4, 4)
        one[:, 3], other[:, 7] = 0.4, 0.2
        assert spectral_angle_loss(one, other).item() == pytest.approx(math.pi / 2)


class TestLikelihood:
    def test_it_is_that_of_normal_distributions(self) -> None:
        mean, target, variance = image(1), image(2), image(3) + 0.1
        values = -torch.distributions.Normal(mean, variance.sqrt()).log_prob(target)
        torch.testing.assert_close(gaussian_likelihood(mean, target, variance), values.mean())
        torch.testing.assert_close(
            spectrum_likelihood(mean, target, variance), values.sum(dim=1).mean()
        )

    def test_the_best_variance_is_the_squared_error(self) -> None:
        target = torch.zeros(1, 13, 4, 4)
        cost = {
            v: gaussian_likelihood(target + 0.1, target, torch.full_like(target, v)).item()
            for v in (0.005, 0.01, 0.02)
        }
        assert min(cost, key=cost.__getitem__) == 0.01

    def test_the_published_one_differs_by_the_batch_only(self) -> None:
        values = image(1, n=4), image(2, n=4), image(3, n=4) + 0.1
        excess = spectrum_likelihood(*values, published=True) - spectrum_likelihood(*values)
        torch.testing.assert_close(excess, 3 * 0.5 * values[2].log().sum(dim=1).mean())


@pytest.mark.parametrize("batch", ["B1", "B3"])
def test_the_likelihoods_of_uncrtaints(
    golden: Path, losses: dict[str, dict[str, float]], batch: str
) -> None:
    given = {k: v[:, 0] for k, v in golden_arrays(golden / "losses" / f"mgnll_{batch}.npz").items()}
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
