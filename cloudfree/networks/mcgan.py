"""McGAN: a U-Net that takes simulated cloud off a visible and near-infrared image.

Paper: Enomoto, K., Sakurada, K., Wang, W., Fukui, H., Matsuoka, M., Nakamura, R., Kawaguchi, N.
(2017). Filmy cloud removal on satellite imagery with multispectral conditional generative
adversarial nets. CVPR Workshops. The published code is for academic use only.

Shapes: optical (n, 4, y, x), ``y`` and ``x`` multiples of 128. A pixel of the result depends on the
383 pixels around it, and on where it stands in the grid of multiples.
Units: blue, green, red and near infrared of 0..255 scaled to -1..1; the result is blue, green, red
and the *cloud matte*, an image of where the cloud was, on the same scale and unbounded (clip to
-1..1). For Sentinel-2 reflectance 0..1 becomes -1..1, with 13 bands in (15 with SAR) and 13 out;
there is no matte then.

Batch norm and dropout: the published prediction never leaves training mode, so its result changes
with the batch and from run to run. In eval mode, which is what this project uses, it does neither.
Training needs more than one pixel per channel at 1/128 of the resolution: two tiles or 256 pixels.

Training: softplus loss of the GAN + 100 * L1. The discriminator is our choice:
``PatchGan`` on input and image.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudfree.networks import Shapes
from cloudfree.networks.arguments import SarBandsOrNone, Size

SAR_BANDS = 2
SLOPE = 0.2  # of the leaky ReLU on the way down
DROPOUT = 0.5
WIDTHS = (1, 2, 4, 8, 8, 8, 8, 8)  # of c0..c7, in units of the first width


class Down(nn.Module):
    """Halve the resolution."""

    def __init__(self, channels: int, wider: int) -> None:
        super().__init__()
        self.c = nn.Conv2d(channels, wider, 4, stride=2, padding=1)
        self.batchnorm = nn.BatchNorm2d(wider)

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, y, x) to (n, wider, y/2, x/2)."""
        return functional.leaky_relu(self.batchnorm(self.c(features)), SLOPE)


class Up(nn.Module):
    """Double the resolution."""

    def __init__(self, channels: int, narrower: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.c = nn.ConvTranspose2d(channels, narrower, 4, stride=2, padding=1)
        self.batchnorm = nn.BatchNorm2d(narrower)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, y, x) to (n, narrower, 2 * y, 2 * x)."""
        return functional.relu(self.dropout(self.batchnorm(self.c(features))))


class McGan(nn.Module):
    """Fill a tile under thin cloud; with ``sar_bands``, SAR stands behind the optical bands."""

    SIZE_MULTIPLE: int = 128
    FULL_PRECISION: tuple[str, ...] = ("dc7",)

    def __init__(
        self,
        optical_bands: Size = 4,
        sar_bands: SarBandsOrNone = 0,
        output_bands: Size = 4,
        channels: Size = 64,
    ) -> None:
        super().__init__()
        w0, w1, w2, w3, w4, w5, w6, w7 = [width * channels for width in WIDTHS]
        self.c0 = nn.Conv2d(optical_bands + sar_bands, w0, 3, padding=1)
        self.c1 = Down(w0, w1)
        self.c2 = Down(w1, w2)
        self.c3 = Down(w2, w3)
        self.c4 = Down(w3, w4)
        self.c5 = Down(w4, w5)
        self.c6 = Down(w5, w6)
        self.c7 = Down(w6, w7)
        self.dc0 = Up(w7, w6, DROPOUT)
        self.dc1 = Up(2 * w6, w5, DROPOUT)
        self.dc2 = Up(2 * w5, w4, DROPOUT)
        self.dc3 = Up(2 * w4, w3)
        self.dc4 = Up(2 * w3, w2)
        self.dc5 = Up(2 * w2, w1)
        self.dc6 = Up(2 * w1, w0)
        self.dc7 = nn.Conv2d(2 * w0, output_bands, 3, padding=1)

    def forward(self, optical: Tensor, sar: Tensor | None = None) -> dict[str, Tensor]:
        """Fill ``optical``: "image" (n, output_bands, y, x), its last band the matte if 4."""
        seen = optical if sar is None else torch.cat([optical, sar], dim=1)
        x0 = functional.leaky_relu(self.c0(seen), SLOPE)
        x1 = self.c1(x0)  # y/2
        x2 = self.c2(x1)
        x3 = self.c3(x2)
        x4 = self.c4(x3)
        x5 = self.c5(x4)
        x6 = self.c6(x5)
        decoded = self.dc0(self.c7(x6))  # y/64, from y/128
        decoded = self.dc1(torch.cat([decoded, x6], dim=1))
        decoded = self.dc2(torch.cat([decoded, x5], dim=1))
        decoded = self.dc3(torch.cat([decoded, x4], dim=1))
        decoded = self.dc4(torch.cat([decoded, x3], dim=1))
        decoded = self.dc5(torch.cat([decoded, x2], dim=1))
        decoded = self.dc6(torch.cat([decoded, x1], dim=1))  # y
        return {"image": self.dc7(torch.cat([decoded, x0], dim=1))}


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    if "c0.weight" not in shapes or "dc7.weight" not in shapes:
        return None
    channels, seen = shapes["c0.weight"][:2]
    output_bands = shapes["dc7.weight"][0]
    # The fourth of 4 bands in and 3 out is no SAR: only the form for Sentinel has its two bands.
    sar_bands = SAR_BANDS if seen - output_bands == SAR_BANDS else 0
    return {
        "optical_bands": seen - sar_bands,
        "sar_bands": sar_bands,
        "output_bands": output_bands,
        "channels": channels,
    }
