"""SAR2OPT: a pix2pix U-Net that turns the SAR image into an optical image.

Paper: Bermudez, J. D., Happ, P. N., Oliveira, D. A. B., Feitosa, R. Q. (2018). SAR to optical image
synthesis for cloud removal with generative adversarial networks. ISPRS Annals IV-1.
No code and no weights were published; the U-Net is ``unet_256`` of pix2pix.

Shapes: SAR (n, 2, y, x), ``y`` and ``x`` multiples of 256 (128 with 7 levels).
Units: SAR and result -1..1: twice the 0..1 scaling of GLF-CR less one.

Training: against ``PatchGan(15)`` on the 2 SAR bands and the image; the cross-entropy of the
GAN + 100 * L1.
"""

from typing import Any

from torch import Tensor, nn

from cloudfree.networks import Shapes
from cloudfree.networks.arguments import SarBands, Size
from cloudfree.networks.pix2pix import Levels, Pix2PixUNet, ladder_settings


class Sar2Opt(nn.Module):
    """Make an optical tile from the SAR tile of the same ground."""

    SIZE_MULTIPLE: int = 256
    FULL_PRECISION: tuple[str, ...] = ("model.model.3",)

    def __init__(
        self,
        sar_bands: SarBands = 2,
        output_bands: Size = 13,
        levels: Levels = 8,
        channels: Size = 64,
    ) -> None:
        super().__init__()
        self.SIZE_MULTIPLE = 2**levels
        self.model = Pix2PixUNet(sar_bands, output_bands, levels, channels)

    def forward(self, sar: Tensor) -> dict[str, Tensor]:
        """Make "image" (n, output_bands, y, x), -1..1."""
        return {"image": self.model(sar)}


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    ladder = ladder_settings(shapes, "model.")
    if ladder is None or ladder["bands_in"] >= ladder["bands_out"]:
        return None
    return {"sar_bands": ladder.pop("bands_in"), "output_bands": ladder.pop("bands_out"), **ladder}
