"""How far each value is from its target, by itself."""

from torch import Tensor

CHARBONNIER_EPSILON = 1e-3  # reflectance; below it the loss is a parabola


def l1(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of two (n, band, y, x)."""
    return (image - target).abs().mean()


def charbonnier(image: Tensor, target: Tensor, epsilon: float = CHARBONNIER_EPSILON) -> Tensor:
    """L1 with a round bottom: the mean of sqrt(difference^2 + ``epsilon``^2), at least ``epsilon``.

    Source: Charbonnier et al., Two deterministic half-quadratic regularization algorithms for
    computed imaging, ICIP 1994.
    """
    return ((image - target).square() + epsilon**2).sqrt().mean()
