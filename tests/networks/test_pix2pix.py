"""PatchGAN: parameters, patches, and how far a patch sees."""

import torch

from cloudfree.networks.pix2pix import PatchGan
from tests.factories.networks import lively, noise, parameters, unreached


def test_parameters() -> None:
    assert parameters(PatchGan(28)) == 2_791_233


def test_one_logit_for_each_patch() -> None:
    network = lively(PatchGan(15, channels=2))
    assert network(noise(2, 2, 256, 256), noise(2, 13, 256, 256)).shape == (2, 1, 30, 30)
    assert network(noise(1, 2, 32, 64), noise(1, 13, 32, 64)).shape == (1, 1, 2, 6)


def test_gradients_reach_every_parameter() -> None:
    network = lively(PatchGan(15, channels=2))
    assert unreached(network, noise(2, 2, 64, 64), noise(2, 13, 64, 64)) == set()


def test_a_patch_is_70_pixels_wide() -> None:
    network = lively(PatchGan(4, channels=2))
    image = noise(1, 3, 256, 256).requires_grad_()
    network(noise(1, 1, 256, 256), image)[0, 0, 15, 15].backward()
    assert image.grad is not None
    seen = image.grad.abs().sum(dim=(0, 1)).nonzero()
    assert (seen.amax(dim=0) - seen.amin(dim=0) + 1).tolist() == [70, 70]
    assert torch.isfinite(image.grad).all()
