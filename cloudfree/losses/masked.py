"""Masks over bands."""

from torch import Tensor


def over_bands(mask: Tensor, image: Tensor) -> Tensor:
    """A mask (n, y, x) as (n, 1, y, x) of the type of ``image``, which all bands share."""
    return mask.unsqueeze(1).to(image.dtype)
