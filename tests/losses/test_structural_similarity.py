"""Known answers of SSIM as a loss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from cloudfree.losses.pixel import l1, spectral_angle_loss
from cloudfree.losses.structural_similarity import (
    carl,
    cloud_aware,
    error_and_structure,
    masked_l1,
    pixel_and_structure,
    published_cloud_aware,
    similarity_loss,
    similarity_map,
)
from cloudfree.metrics.image_metrics import structural_similarity
from tests.factories.golden_weights import golden_arrays
from tests.factories.images import cloud_mask, image
from tests.losses.conftest import near


class TestSimilarity:
    def test_it_is_the_figure_of_the_report(self) -> None:
        one, other = image(1, n=1).float(), image(2, n=1).float()
        figure = structural_similarity(other[0].numpy(), one[0].numpy())
        torch.testing.assert_close(
            similarity_map(one, other)[0], torch.from_numpy(figure), rtol=1e-5, atol=1e-5
        )

    def test_it_does_not_mind_which_image_is_the_target(self) -> None:
        torch.testing.assert_close(
            similarity_loss(image(1), image(2)), similarity_loss(image(2), image(1))
        )

    def test_pixel_and_structure_is_l1_and_a_tenth_of_it(self) -> None:
        found = pixel_and_structure(image(1), image(2)) - l1(image(1), image(2))
        torch.testing.assert_close(found, 0.1 * similarity_loss(image(1), image(2)))


DSEN2_CR_SCALE = 5.0  # reflectance to the units of DSen2-CR


def test_the_losses_of_cloud_attentive(golden: Path, losses: dict[str, dict[str, float]]) -> None:
    given = golden_arrays(golden / "losses" / "cloud_attentive.npz")
    image, target, mask = given["pred"], given["target"], given["mask"]
    expected = losses["cloud_attentive_code"]
    assert masked_l1(image, target, mask).item() == near(expected["masked_L1"])
    assert l1(image, target).item() == near(expected["mae"])
    assert similarity_loss(image, target).item() == near(expected["ssim_loss"])
    for error, key in (("l1", "total_mae_cfg"), ("mse", "total_mse_cfg")):
        found = published_cloud_aware(image, target, mask, error)  # type: ignore[arg-type]
        assert found.item() == near(expected[key])


@pytest.mark.parametrize("pair", ["pair0_64", "pair1_128"])
def test_carl_and_the_spectral_angle_of_dsen2_cr(golden: Path, pair: str) -> None:
    given = {
        k: v.unsqueeze(0) for k, v in golden_arrays(golden / "metrics" / f"{pair}.npz").items()
    }
    stored = json.loads((golden / "metrics" / "golden_metrics_dsen2cr.json").read_text())
    expected = stored["values"][pair]
    images = (DSEN2_CR_SCALE * given[name] for name in ("pred", "target", "cloudy"))
    assert carl(*images, mask=given["mask"]).item() == near(expected["carl_error"])
    angle = spectral_angle_loss(given["pred"], given["target"])
    assert angle.item() == near(expected["cloud_mean_sam"])


class TestCloudAware:
    def test_clouded_pixels_weigh_four_times(self) -> None:
        one, other, mask = image(1), image(2), cloud_mask()
        everywhere, nowhere = torch.ones_like(mask), torch.zeros_like(mask)
        clouded, clear = (cloud_aware(one, other, m).item() for m in (everywhere, nowhere))
        assert clouded == pytest.approx(4 * clear)
        assert clear < cloud_aware(one, other, mask).item() < clouded

    def test_over_cloud_it_is_error_and_similarity_half_and_half(self) -> None:
        one, other, mask = image(1), image(2), torch.ones_like(cloud_mask())
        expected = 0.5 * (one - other).square().mean() + 0.5 * similarity_loss(one, other)
        torch.testing.assert_close(cloud_aware(one, other, mask), 0.8 * expected)

    def test_unweighted_it_is_that_everywhere(self) -> None:
        one, other, everywhere = image(1), image(2), torch.ones_like(cloud_mask())
        unweighted = error_and_structure(one, other)
        torch.testing.assert_close(cloud_aware(one, other, everywhere), 0.8 * unweighted)
        torch.testing.assert_close(cloud_aware(one, other, 0 * everywhere), 0.2 * unweighted)

    def test_each_pixel_has_its_own_weight(self) -> None:
        """An error where the mask is 1 costs more than the same error beside it."""
        target = torch.full((1, 13, 16, 40), 0.3, dtype=torch.float64)
        mask, left, right = cloud_mask(1, 16, 40), target.clone(), target.clone()
        left[..., 8, 8] += 0.1
        right[..., 8, 31] += 0.1
        ratio = cloud_aware(left, target, mask) / cloud_aware(right, target, mask)
        assert ratio.item() == pytest.approx(4.0)

    def test_the_masked_term_sees_masked_pixels_only_and_counts_all(self) -> None:
        target, mask = image(1), cloud_mask()
        spoilt = target + 0.2 * (1 - mask.double()).unsqueeze(1)
        assert masked_l1(spoilt, target, mask).item() == 0.0
        assert masked_l1(target + 0.2, target, mask).item() == pytest.approx(0.1)


class TestCarl:
    def test_clear_pixels_are_drawn_to_both_input_and_target(self) -> None:
        target = torch.full((1, 13, 4, 4), 0.2, dtype=torch.float64)
        cloudy, clear = target + 0.5, torch.zeros(1, 4, 4)
        assert carl(target, target, cloudy, clear).item() == pytest.approx(0.5)
        assert carl(cloudy, target, cloudy, clear).item() == pytest.approx(0.5)

    def test_under_cloud_it_is_twice_l1_whatever_the_input(self) -> None:
        hidden = torch.ones_like(cloud_mask())
        found = carl(image(1), image(2), image(3), hidden)
        torch.testing.assert_close(found, 2 * l1(image(1), image(2)))
