"""Known answers of single losses."""

import math

import pytest
import torch
from torch.nn import functional

from cloudfree.losses.adversarial import (
    PIX2PIX_SHARE,
    attention_loss,
    discriminator_loss,
    fusion_loss,
    generator_loss,
)
from cloudfree.losses.cloud_weighted import carl, cloud_aware, masked_l1
from cloudfree.losses.ib_hfn_loss import (
    blurred,
    bottleneck_divergence,
    contrastive_sharpness,
    laplacian,
)
from cloudfree.losses.pixel import (
    charbonnier,
    gaussian_likelihood,
    l1,
    spectral_angle_loss,
    spectrum_likelihood,
)
from cloudfree.losses.structural_similarity import (
    pixel_and_structure,
    similarity_loss,
    similarity_map,
)
from cloudfree.metrics.image_metrics import spectral_angle_deg, structural_similarity
from tests.factories.images import cloud_mask, image


class TestPixel:
    def test_l1_is_the_mean_distance(self) -> None:
        assert l1(image(1) + 0.25, image(1)).item() == pytest.approx(0.25)

    def test_charbonnier_is_l1_far_away_and_a_parabola_near(self) -> None:
        zero = torch.zeros(1, 1, 2, 2, dtype=torch.float64)
        assert charbonnier(zero + 0.5, zero).item() == pytest.approx(0.5, abs=1e-5)
        rise = charbonnier(zero + 1e-5, zero).item() - 1e-3
        assert rise == pytest.approx(1e-10 / 2e-3, rel=1e-3)


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


class TestBottleneck:
    def test_the_standard_normal_costs_nothing(self) -> None:
        assert bottleneck_divergence(torch.zeros(2, 6, 4, 4), torch.zeros(2, 6, 1, 1)).item() == 0.0

    def test_it_is_the_divergence_of_the_distributions(self) -> None:
        mu, log_sigma = image(1, bands=6), image(2, bands=6, y=1, x=1) - 0.5
        posterior = torch.distributions.Normal(mu, log_sigma.exp())
        standard = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
        expected = torch.distributions.kl_divergence(posterior, standard).mean()
        torch.testing.assert_close(bottleneck_divergence(mu, log_sigma), expected)


class TestSharpness:
    def test_a_parabola_has_the_laplacian_of_a_parabola(self) -> None:
        y, x = torch.meshgrid(torch.arange(7.0), torch.arange(9.0), indexing="ij")
        found = laplacian((y**2 + 3 * x**2).reshape(1, 1, 7, 9))
        torch.testing.assert_close(found, torch.full((1, 1, 5, 7), 8.0))

    def test_blur_keeps_even_ground_up_to_the_border(self) -> None:
        even = torch.full((1, 2, 8, 8), 0.3)
        torch.testing.assert_close(blurred(even), even)

    def test_a_point_is_blurred_over_five_by_five(self) -> None:
        point = torch.zeros(1, 1, 11, 11)
        point[..., 5, 5] = 25.0
        expected = torch.zeros(1, 1, 11, 11)
        expected[..., 3:8, 3:8] = 1.0
        torch.testing.assert_close(blurred(point), expected)

    def test_blur_costs_more_than_the_truth_and_haze_more_than_nothing(self) -> None:
        target, cloudy = image(1), 0.1 * image(2) + 0.8
        sharp, hazy, soft = (
            contrastive_sharpness(candidate, target, cloudy).item()
            for candidate in (target, cloudy, blurred(target))
        )
        assert sharp == 0.0
        assert hazy > 0.5
        assert soft > 0.5

    def test_it_is_the_ratio_of_the_distances(self) -> None:
        filled, target, cloudy = image(1, n=1), image(2, n=1), image(3, n=1)
        edges, true, hazy, soft = map(laplacian, (filled, target, cloudy, blurred(target)))
        expected = l1(edges, true) / (l1(edges, hazy) + l1(edges, soft) + 1e-6)
        torch.testing.assert_close(contrastive_sharpness(filled, target, cloudy), expected)


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


class TestAdversarial:
    def test_an_undecided_discriminator_costs_one_bit_each(self) -> None:
        undecided = torch.zeros(2, 1, 4, 4)
        assert generator_loss(undecided).item() == pytest.approx(math.log(2))
        assert discriminator_loss(undecided, undecided).item() == pytest.approx(2 * math.log(2))

    def test_the_sides_want_opposite_things(self) -> None:
        true, filled = torch.full((2, 1, 4, 4), 9.0), torch.full((2, 1, 4, 4), -9.0)
        assert discriminator_loss(true, filled).item() < 0.001
        assert generator_loss(filled).item() > 8.9

    def test_binary_cross_entropy_is_the_same_and_pix2pix_halves_it(self) -> None:
        true, filled = torch.randn(2, 3, 1, 4, 4)
        entropy = functional.binary_cross_entropy_with_logits
        one, zero = torch.ones_like(true), torch.zeros_like(true)
        torch.testing.assert_close(generator_loss(filled), entropy(filled, one))
        torch.testing.assert_close(
            discriminator_loss(true, filled, PIX2PIX_SHARE),
            (entropy(true, one) + entropy(filled, zero)) / 2,
        )


class TestAttention:
    def test_it_is_the_squared_distance_to_the_mask(self) -> None:
        attention = torch.full((1, 1, 4, 4), 0.25)
        mask = torch.zeros(1, 4, 4, dtype=torch.bool)
        mask[:, :2] = True
        assert attention_loss(attention, mask).item() == pytest.approx((0.75**2 + 0.25**2) / 2)


def test_the_fusion_of_simulation_fusion_weighs_clouds_and_the_discriminator() -> None:
    target, mask, logits = image(1), cloud_mask(), torch.randn(2, 1, 2, 2, dtype=torch.float64)
    found = fusion_loss(target + 0.1, target, mask, logits)
    assert found.item() == pytest.approx(1.0 + 0.5 + 1e-4 * generator_loss(logits).item())
