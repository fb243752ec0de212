"""Cloud-Attentive Reconstruction: the network of GLF-CR, but for masks in its SAR attention.

Paper: Bui (2025), Cloud-Attentive Reconstruction Framework. Its code has the layers and the names
of GLF-CR, so no checkpoint tells the two apart; the code states no licence.
"""

from typing import Any

from cloudfree.networks.glf_cr import GlfCr, settings_from

__all__ = ["CloudAttentive", "settings_from"]


class CloudAttentive(GlfCr):
    """GLF-CR whose SAR stream attends across opposite borders of the tile in shifted windows."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments, mask_sar=False)
