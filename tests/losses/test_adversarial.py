"""Losses of GANs; the perceptual term, a distance in the features of VGG-16."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from cloudfree.errors import ModelError
from cloudfree.losses.adversarial import (
    DEVIATION,
    LAYERS,
    MEAN,
    PIX2PIX_SHARE,
    PerceptualDistance,
    attention_loss,
    discriminator_loss,
    fusion_loss,
    generator_loss,
)
from tests.factories.images import cloud_mask, image
from tests.factories.networks import noise


def _weights() -> dict[str, Tensor]:
    """Each convolution hands its first channels on, as they are."""
    tensors = {}
    for place, (seen, made) in LAYERS.items():
        weight = torch.zeros(made, seen, 3, 3)
        for channel in range(3):
            weight[channel, channel, 1, 1] = 1.0
        tensors[f"features.{place}.weight"] = weight
        tensors[f"features.{place}.bias"] = torch.zeros(made)
    return tensors


def test_equal_images_have_no_distance_and_others_have() -> None:
    distance = PerceptualDistance(_weights())
    image = noise(2, 3, 16, 16)
    assert distance(image, image) == 0
    assert distance(image, image + 0.1) > 0


def test_weights_that_hand_on_what_they_see_give_the_distance_of_normalised_brightness() -> None:
    distance = PerceptualDistance(_weights())
    dark, bright = torch.full((1, 3, 4, 4), 0.6), torch.full((1, 3, 4, 4), 0.9)
    steps = [0.3 / deviation for deviation in DEVIATION]
    assert min(0.6 - mean for mean in MEAN) > 0
    expected = sum(step**2 for step in steps) / 128
    assert distance(dark, bright) == pytest.approx(expected, rel=1e-5)


def test_it_teaches_the_image_and_not_itself() -> None:
    distance = PerceptualDistance(_weights())
    image = noise(1, 3, 8, 8).requires_grad_()
    distance(image, noise(1, 3, 8, 8, seed=1)).backward()
    assert image.grad is not None
    assert image.grad.any()
    assert not any(value.requires_grad for value in distance.parameters())


def test_weights_of_another_network_are_refused() -> None:
    weights = _weights()
    del weights["features.7.bias"]
    with pytest.raises(ModelError, match=r"no features\.7\.bias of shape \(128,\)"):
        PerceptualDistance(weights)


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
