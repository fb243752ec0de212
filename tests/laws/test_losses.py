"""What holds for every loss between images."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from cloudfree.losses.adversarial import attention_loss, fusion_loss
from cloudfree.losses.ib_hfn_loss import contrastive_sharpness
from cloudfree.losses.pixel import (
    CHARBONNIER_EPSILON,
    MAX_COSINE,
    charbonnier,
    gaussian_likelihood,
    l1,
    spectral_angle_loss,
    spectrum_likelihood,
)
from cloudfree.losses.structural_similarity import (
    carl,
    cloud_aware,
    pixel_and_structure,
    published_cloud_aware,
    similarity_loss,
)
from tests.factories.images import cloud_mask, image

Loss = Callable[[Tensor, Tensor], Tensor]
SURE = 50.0  # a logit whose softplus is zero in double precision


def _mask(image: Tensor) -> Tensor:
    return cloud_mask(len(image), *image.shape[2:])


# Each with what it gives where image and target are equal.
LOSSES: dict[str, tuple[Loss, float]] = {
    "l1": (l1, 0.0),
    "charbonnier": (charbonnier, CHARBONNIER_EPSILON),
    "similarity": (similarity_loss, 0.0),
    "spectral angle": (spectral_angle_loss, math.acos(MAX_COSINE)),
    "cloud-aware": (lambda p, t: cloud_aware(p, t, _mask(p)), 0.0),
    "cloud-aware, published": (lambda p, t: published_cloud_aware(p, t, _mask(p)), 0.0),
    "cloud-aware, squared": (lambda p, t: published_cloud_aware(p, t, _mask(p), "mse"), 0.0),
    "carl": (lambda p, t: carl(p, t, t, _mask(p)), 0.0),
    "sharpness": (lambda p, t: contrastive_sharpness(p, t, 1 - t), 0.0),
    "pixel and structure": (pixel_and_structure, 0.0),
    "fusion": (lambda p, t: fusion_loss(p, t, _mask(p), p.new_full((len(p), 1), SURE)), 0.0),
    "attention": (lambda p, t: attention_loss(p[:, :1], t[:, 0]), 0.0),
    "gnll": (
        lambda p, t: gaussian_likelihood(p, t, torch.full_like(p, 1 / (2 * math.pi))),
        0.0,
    ),
    "mgnll": (
        lambda p, t: spectrum_likelihood(p, t, torch.full_like(p, 1 / (2 * math.pi))),
        0.0,
    ),
}
every_loss = pytest.mark.parametrize(("loss", "least"), LOSSES.values(), ids=list(LOSSES))


@every_loss
def test_equal_images_give_the_least(loss: Loss, least: float) -> None:
    target = image(1)
    assert loss(target.clone(), target).item() == pytest.approx(least, rel=1e-6, abs=1e-12)
    assert loss(image(2), target).item() > least + 1e-3


@every_loss
def test_the_loss_of_a_batch_is_the_mean_of_its_samples(loss: Loss, least: float) -> None:
    filled, target = image(1, n=3), image(2, n=3)
    alone = [loss(filled[i : i + 1], target[i : i + 1]) for i in range(3)]
    assert loss(filled, target).shape == ()
    torch.testing.assert_close(loss(filled, target), torch.stack(alone).mean())


@every_loss
def test_the_gradient_is_that_of_the_values(loss: Loss, least: float) -> None:
    filled, target = image(3, n=1, y=13, x=12), image(4, n=1, y=13, x=12)
    filled.requires_grad_()
    loss(filled, target).backward()
    assert filled.grad is not None
    step = 1e-6 * image(5, n=1, y=13, x=12)
    with torch.no_grad():
        change = (loss(filled + step, target) - loss(filled - step, target)).item()
    assert 2 * (filled.grad * step).sum().item() == pytest.approx(change, rel=1e-3)


@every_loss
@pytest.mark.parametrize("ground", [0.0, 0.3, 1.0])
def test_even_ground_equal_or_black_gives_finite_gradients(
    loss: Loss, least: float, ground: float
) -> None:
    for reflectance in (0.0, ground):
        target = torch.full((1, 13, 16, 16), ground)
        filled = torch.full((1, 13, 16, 16), reflectance, requires_grad=True)
        loss(filled, target).backward()
        assert filled.grad is not None
        assert torch.isfinite(filled.grad).all()


@every_loss
def test_a_step_down_the_gradient_lowers_it(loss: Loss, least: float) -> None:
    filled, target = image(6).requires_grad_(), image(7)
    before = loss(filled, target)
    (gradient,) = torch.autograd.grad(before, filled)
    after = loss(filled - 1e-4 * gradient / gradient.norm(), target)
    assert after.item() < before.item()
