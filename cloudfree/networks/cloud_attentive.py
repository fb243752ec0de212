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

from typing import Any

from cloudfree.networks.glf_cr import GlfCr, infer_settings

__all__ = ["CloudAttentive", "infer_settings"]


class CloudAttentive(GlfCr):
    """GLF-CR with a SAR stream that is never masked; takes its other arguments."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__("cloud-attentive", **arguments)
