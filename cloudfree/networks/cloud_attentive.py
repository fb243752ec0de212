"""Cloud-Attentive Reconstruction: the layers of GLF-CR, trained with a loss that weighs clouds.

The forward pass of the published code differs from that of GLF-CR in one point: where windows are
shifted, the SAR stream is not masked and attends across opposite borders of the tile. Tensors have
the same names, so a checkpoint does not distinguish the two. That is the ``design`` "released".

The text of the paper prints another network, ``design`` "printed":

* ReLU after both convolutions of the encoder (equation 5); the code has none;
* a layer norm before window attention (equation 6); the code has none;
* local fusion by 1 x 1 convolutions (equation 7); the code has 3 x 3;
* the skip from F0, the features that enter the first block (equation 10); the code adds those of
  the first convolution.

Our choice where the text leaves it open: windows are masked as in the code, and there are as many
transformer layers; another residual that equation 6 may print is not there.

Paper: Bui (2025), a cloud-attentive reconstruction framework for Sentinel-1 and Sentinel-2. The
published code states no licence.

Shapes and units: those of GLF-CR.

Training: half squared error, half structural similarity, weighed 0.8 in clouds and 0.2 elsewhere;
Adam with learning rate 1e-5, 30 epochs, patches of 128.
"""

from typing import Annotated, Any, Literal

from cloudfree.networks import Shapes
from cloudfree.networks.arguments import Blocks, Bounds, Divides, SarBands, Size
from cloudfree.networks.glf_cr import GlfCr, Variant, infer_sizes, infer_variant

Design = Literal["released", "printed"]
VARIANTS: dict[Design, Variant] = {
    "released": "cloud-attentive",
    "printed": "cloud-attentive-printed",
}


class CloudAttentive(GlfCr):
    """GLF-CR with a SAR stream that is never masked, as the code or as the text has it."""

    def __init__(
        self,
        design: Design = "released",
        channels: Size = 96,
        blocks: Blocks = 6,
        layers: Blocks = 5,
        growth: Size = 48,
        heads: Annotated[Size, Divides("growth")] = 8,
        drop: Annotated[float, Bounds(0, 1)] = 0.2,
        optical_bands: Size = 13,
        sar_bands: SarBands = 2,
    ) -> None:
        super().__init__(
            VARIANTS[design],
            channels=channels,
            blocks=blocks,
            layers=layers,
            growth=growth,
            heads=heads,
            drop=drop,
            optical_bands=optical_bands,
            sar_bands=sar_bands,
        )


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    variant = infer_variant(shapes)
    if variant == "cloud-attentive-printed":
        return {"design": "printed", **infer_sizes(shapes)}
    return infer_sizes(shapes) if variant == "glf-cr" else None  # its tensors are those of GLF-CR
