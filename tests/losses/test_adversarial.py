"""The perceptual term: a distance in the features of VGG-16, whose weights are given."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cloudfree.errors import ModelError
from cloudfree.losses.adversarial import DEVIATION, LAYERS, MEAN, PerceptualDistance
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
