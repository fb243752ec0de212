"""SAR-Opt-cGAN: a pix2pix U-Net that sees the cloudy optical image and the SAR image.

Paper: Grohnfeldt, C., Schmitt, M., Zhu, X. X. (2018). A conditional generative adversarial network
to fuse SAR and multispectral optical data for cloud removal from Sentinel-2 images. IGARSS.
No code and no weights were published; the U-Net is ``unet_256`` of pix2pix.

Shapes: optical (n, 13, y, x), SAR (n, 2, y, x), ``y`` and ``x`` multiples of 256 (128 with 7
levels).
Units: optical, SAR and result -1..1: twice the 0..1 scaling of GLF-CR less one.

Training: against ``PatchGan(28)`` on the 15 input bands and the image; the cross-entropy of the
GAN + 100 * L1.
"""

from typing import Any

import torch
from torch import Tensor, nn

from cloudfree.networks import Shapes
from cloudfree.networks.arguments import SarBands, Size
from cloudfree.networks.pix2pix import Levels, Pix2PixUNet, ladder_settings


class SarOptCgan(nn.Module):
    """Fill a cloudy optical tile with the SAR tile of the same ground."""

    SIZE_MULTIPLE: int = 256
    FULL_PRECISION: tuple[str, ...] = ("model.model.3",)

    def __init__(
        self,
        optical_bands: Size = 13,
        sar_bands: SarBands = 2,
        output_bands: Size = 13,
        levels: Levels = 8,
        channels: Size = 64,
    ) -> None:
        super().__init__()
        self.SIZE_MULTIPLE = 2**levels
        self.model = Pix2PixUNet(optical_bands + sar_bands, output_bands, levels, channels)

    def forward(self, optical: Tensor, sar: Tensor) -> dict[str, Tensor]:
        """Fill ``optical``: "image" (n, output_bands, y, x), -1..1."""
        return {"image": self.model(torch.cat([optical, sar], dim=1))}


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    ladder = ladder_settings(shapes, "model.")
    if ladder is None or ladder["bands_in"] <= ladder["bands_out"]:
        return None
    optical_bands, seen = ladder.pop("bands_out"), ladder.pop("bands_in")
    sar_bands = seen - optical_bands
    bands = {"optical_bands": optical_bands, "sar_bands": sar_bands, "output_bands": optical_bands}
    return {**bands, **ladder}
