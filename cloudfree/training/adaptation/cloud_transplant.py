"""The clouds and shadows of a scene, as they are laid over its clear ground.

Drawn clouds have not the colours of the clouds over this scene on this day. So what clouds add to
the light of one place is taken from there and added over another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cloudfree.core.dihedral import DIHEDRAL_TRANSFORMS
from cloudfree.core.mask_classes import Mask, is_cloud_or_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.cloud_layer import DENSE, cut_layer

# Cloud may be so many times as thick, optically, as its brightness tells.
_THICKEST = 2.0
# What thin cloud adds is averaged over so many pixels: less would bring along what the network did
# not restore of the ground below.
_SMOOTH_PX = 8.0


@dataclass(frozen=True)
class CloudTransplant:
    """What clouds and shadows add to a square of a scene, and the ground that is restored there.

    `light` and `restored` are reflectance, (band, y, x), light below zero in shadow; `opacity`,
    (y, x), 0 to 1, is that of cloud as its brightness tells; `mask`, (y, x), is where they are.
    """

    light: Float32
    restored: Float32
    opacity: Float32
    mask: Mask

    def over(self, clear: Float32, rng: np.random.Generator) -> tuple[Float32, Mask]:
        """Another square, (band, y, x), under these clouds, turned at random, and their mask.

        How much ground shows through bright cloud cannot be seen: it is drawn, and what would show
        less of the new ground shows more of the one that the cloud was seen over.
        """
        turn = DIHEDRAL_TRANSFORMS[int(rng.integers(len(DIHEDRAL_TRANSFORMS)))]
        mask, through = turn.of(self.mask), turn.of(1.0 - self.opacity)
        shown = through**_THICKEST ** rng.uniform()
        below = shown * clear + (through - shown) * turn.of(self.restored)
        cloudy = np.where(is_cloud_or_shadow(mask), turn.of(self.light) + below, clear)
        return cloudy.astype(np.float32), mask


def cut_transplant(
    seen: Float32, restored: Float32, mask: Mask, bands: Sequence[str]
) -> CloudTransplant:
    """The veil over a square of a scene of which `restored` is the ground.

    Raises
    ------
    ValueError
        Bands B02, B03 and B04, which tell opacity, are not among `bands`.
    """
    hidden = is_cloud_or_shadow(mask)
    opacity = cut_layer(seen, np.where(hidden, restored, seen), bands).opacity
    light = np.where(hidden, seen - (1.0 - opacity) * restored, np.float32(0.0))
    near = np.maximum(_blurred(hidden.astype(np.float32)), np.float32(1e-6))
    smooth = np.stack([_blurred(plane) for plane in light]) / near
    own = np.clip(opacity / DENSE, 0.0, 1.0) ** 2
    return CloudTransplant(
        (smooth + own * (light - smooth)).astype(np.float32), restored, opacity, mask
    )


def _blurred(plane: Float32) -> Float32:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), _SMOOTH_PX), dtype=np.float32)
