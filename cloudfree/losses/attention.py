"""The attention loss of SpA GAN: look where the image changes.

Source: Pan, arXiv 2009.13015, and its published code.
"""

from torch import Tensor


def attention_loss(attention: Tensor, mask: Tensor) -> Tensor:
    """Mean square of ``attention`` (n, 1, y, x) less ``mask`` (n, y, x), both 0..1."""
    return (attention[:, 0] - mask.to(attention.dtype)).square().mean()


def published_mask(target: Tensor, cloudy: Tensor) -> Tensor:
    """The mask of the published code: (n, y, x), 0..1, where the target is brighter than the input.

    The sign is that of the code. Clouds are brighter than the ground, so what it marks is shadow;
    for Sentinel-2 take a cloud mask instead.
    """
    return (target - cloudy).sum(dim=1).clamp(0.0, 1.0)
