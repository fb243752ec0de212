"""Images to lose on, made by code."""

import torch
from torch import Tensor


def image(seed: int, n: int = 2, bands: int = 13, y: int = 16, x: int = 20) -> Tensor:
    """Reflectance 0..1, (n, bands, y, x), double precision."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, bands, y, x, generator=generator, dtype=torch.float64)


def cloud_mask(n: int = 2, y: int = 16, x: int = 20) -> Tensor:
    """A cloud over the left half, (n, y, x)."""
    mask = torch.zeros(n, y, x, dtype=torch.uint8)
    mask[..., : x // 2] = 1
    return mask
