"""DSen2-CR: a residual network that predicts what to add to the cloudy image.

Paper: Meraner, A., Ebel, P., Zhu, X. X., Schmitt, M. (2020). Cloud removal in Sentinel-2 imagery
using a deep residual neural network and SAR-optical data fusion. ISPRS Journal of Photogrammetry
and Remote Sensing 166, 333-346. The published code and weights (Keras) are GPL-3.0.

Shapes: optical (n, 13, y, x), SAR (n, 2, y, x), any size. A pixel of the result depends on the
``2 + 2 * blocks`` pixels around it, 34 in the published size: tiles that overlap by twice as much
and drop that edge give exactly the result of the whole scene.
Units: DN clipped to 0..10000 divided by 2000, that is reflectance times 5; backscatter scaled to
0..2 from -25..0 dB (VV) and -32.5..0 dB (VH). The result is on the scale of the optical input and
unbounded.

No batch norm and no dropout: training and eval mode are the same.

Training: the cloud-adaptive regularised loss, Nadam with learning rate 7e-5, patches of 128.
"""

from typing import Any

import torch
from torch import Tensor, nn

from cloudfree.networks import Shapes, number_below
from cloudfree.networks.arguments import Count, SarBandsOrNone, Size

CORRECTION = 0.1  # share of a block's correction that is added to its input


class ResidualBlock(nn.Module):
    """Add a tenth of two convolutions to their input."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(features, features, 3, padding=1),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """Refine (n, features, y, x)."""
        return torch.add(hidden, self.conv_block(hidden), alpha=CORRECTION)


def he_uniform(module: nn.Module) -> None:
    """Start a convolution as the paper does; biases at zero."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        assert module.bias is not None
        nn.init.zeros_(module.bias)


class DSen2CR(nn.Module):
    """Fill a cloudy tile with SAR, or with ``sar_bands`` = 0 without it."""

    SIZE_MULTIPLE: int = 1

    def __init__(
        self,
        features: Size = 256,
        blocks: Count = 16,
        optical_bands: Size = 13,
        sar_bands: SarBandsOrNone = 2,
    ) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(optical_bands + sar_bands, features, 3, padding=1),
            nn.ReLU(),
            *[ResidualBlock(features) for _ in range(blocks)],
            nn.Conv2d(features, optical_bands, 3, padding=1),
        )
        self.FULL_PRECISION = (f"model.{len(self.model) - 1}",)
        self.apply(he_uniform)

    def forward(self, optical: Tensor, sar: Tensor | None = None) -> dict[str, Tensor]:
        """Fill ``optical`` (n, 13, y, x) with ``sar`` (n, 2, y, x): "image" (n, 13, y, x)."""
        seen = optical if sar is None else torch.cat([optical, sar], dim=1)
        return {"image": optical + self.model(seen)}


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    if "model.2.conv_block.0.weight" not in shapes or "model.0.weight" not in shapes:
        return None
    features, seen = shapes["model.0.weight"][:2]
    blocks = number_below(shapes, "model.") - 2
    optical_bands = shapes[f"model.{blocks + 2}.weight"][0]
    return {
        "features": features,
        "blocks": blocks,
        "optical_bands": optical_bands,
        "sar_bands": seen - optical_bands,
    }
