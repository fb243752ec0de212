"""Whether the ground below a mask is as sharp as clear ground, as clouds do not leave it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

Where = NDArray[np.bool_]

# Bands in which clear ground is sharpest and cloud is not, and in which cloud is bright and ground
# is not; the first that there is.
SHARP_BANDS, BRIGHT_BANDS = ("B08", "B8A", "B04"), ("B02", "B03")
# Pixels of each kind that a comparison needs.
LEAST_PX = 1000


@dataclass
class Sharpness:
    """Second differences, reflectance and brightness of some pixels, below a mask and beside it."""

    masked: list[Float32] = field(default_factory=list)
    clear: list[Float32] = field(default_factory=list)

    def add(self, plane: Float32, bright: Float32, masked: Where, clear: Where) -> None:
        """Add rows of the scene as it came, (y, x): of a sharp band, and of a bright one."""
        bends = np.abs(np.diff(plane, 2, axis=1))
        planes = np.stack([bends, plane[:, 1:-1], bright[:, 1:-1]])
        for kept, where in ((self.masked, masked), (self.clear, clear)):
            kept.append(planes[:, where[:, 2:] & where[:, 1:-1] & where[:, :-2]])

    @property
    def ratio(self) -> float:
        """Second differences by reflectance, medians, below the mask by that beside it.

        What is darker than most clear ground is left out: shadows leave the ground sharp. 0 where
        too little is seen of either.
        """
        if not self.masked:
            return 0.0
        masked, clear = (np.concatenate(one, axis=1) for one in (self.masked, self.clear))
        if not clear.size:
            return 0.0
        least = np.median(clear[2])
        chosen = [one[:2, one[2] >= least] for one in (masked, clear)]
        if min(one.shape[1] for one in chosen) < LEAST_PX:
            return 0.0
        (bend, level), (clear_bend, clear_level) = (
            np.maximum(np.median(one, axis=1), 1e-5) for one in chosen
        )
        return float(bend / level * clear_level / clear_bend)
