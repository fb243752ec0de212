"""The clouds and shadows of a scene, as they are laid over its clear ground.

Drawn clouds have not the colours of the clouds over this scene on this day. So what clouds add to
the light of one place is taken from there and added over another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.turns import TURNS
from cloudfree.core.units import Float32
from cloudfree.simulation.cloud_layer import cut_layer

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Veil:
    """A square of a scene under clouds and shadows, and the ground that a network restores there.

    `seen` and `restored` are reflectance, (band, y, x); `opacity`, (y, x), 0 to 1, is that of cloud
    as its brightness tells; `hidden`, (y, x), are the pixels that are not clear.
    """

    seen: Float32
    restored: Float32
    opacity: Float32
    hidden: Bits

    def over(self, clear: Float32, rng: np.random.Generator) -> tuple[Float32, Bits]:
        """Another square, (band, y, x), under these clouds, turned at random, and where they are.

        How much ground shows through bright cloud cannot be seen: anything from none to what the
        brightness tells.
        """
        turn = TURNS[int(rng.integers(len(TURNS)))]
        hidden = turn.of(self.hidden)
        shown = rng.uniform() * (1.0 - turn.of(self.opacity))
        cloudy = turn.of(self.seen) + shown * (clear - turn.of(self.restored))
        return np.where(hidden, cloudy, clear).astype(np.float32), hidden


def cut_veil(seen: Float32, restored: Float32, hidden: Bits, bands: Sequence[str]) -> Veil:
    """The veil over a square of a scene.

    Raises
    ------
    ValueError
        Bands B02, B03 and B04, which tell opacity, are not among `bands`.
    """
    ground = np.where(hidden, restored, seen)
    return Veil(seen, restored, cut_layer(seen, ground, bands).opacity, hidden)
