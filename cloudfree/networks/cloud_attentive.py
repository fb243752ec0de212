"""Cloud-Attentive Reconstruction: the layers of GLF-CR, trained with a loss that weighs clouds.

Its forward pass differs from that of GLF-CR in one point: where windows are shifted, the SAR
stream is not masked and attends across opposite borders of the tile. Tensors have the same names,
so a checkpoint does not distinguish the two.

Paper: Bui (2025), a cloud-attentive reconstruction framework for Sentinel-1 and Sentinel-2. The
published code states no licence.

Shapes and units: those of GLF-CR.

Training: half squared error, half structural similarity, weighed 0.8 in clouds and 0.2 elsewhere;
Adam with learning rate 1e-5, 30 epochs, patches of 128.
"""

from typing import Annotated

from cloudfree.networks.arguments import Bounds, Divides, SarBands, Size
from cloudfree.networks.glf_cr import GlfCr, infer_settings

__all__ = ["CloudAttentive", "infer_settings"]


class CloudAttentive(GlfCr):
    """GLF-CR with a SAR stream that is never masked."""

    def __init__(
        self,
        channels: Size = 96,
        blocks: Size = 6,
        layers: Size = 5,
        growth: Size = 48,
        heads: Annotated[Size, Divides("growth")] = 8,
        drop: Annotated[float, Bounds(0, 1)] = 0.2,
        optical_bands: Size = 13,
        sar_bands: SarBands = 2,
    ) -> None:
        super().__init__(
            "cloud-attentive",
            channels=channels,
            blocks=blocks,
            layers=layers,
            growth=growth,
            heads=heads,
            drop=drop,
            optical_bands=optical_bands,
            sar_bands=sar_bands,
        )
