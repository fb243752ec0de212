"""The attention loss of SpA GAN: look where the image changes.

Source: Pan, arXiv 2009.13015. The mask of its published code, target less input, marks what is
darker than the ground, so shadows and no clouds; here it is a cloud mask.
"""

from torch import Tensor


def attention_loss(attention: Tensor, mask: Tensor) -> Tensor:
    """Mean square of ``attention`` (n, 1, y, x) less ``mask`` (n, y, x), both 0..1."""
    return (attention[:, 0] - mask.to(attention.dtype)).square().mean()
