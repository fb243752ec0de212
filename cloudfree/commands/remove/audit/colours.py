"""Colours of filled ground beside those of clear ground, and of ground of like radar."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cloudfree.core.radiometry import Float32

# Pixels of each kind that a comparison needs.
LEAST_PX = 400
# Share of clear ground whose colours are left out at each end, as a few pixels have any colour.
RARE = 0.005
# Added to the sum of all bands: of black pixels colour is noise.
BLACK = 0.05
# Classes of backscatter in dB, and the pixels that one needs on each side.
STEP_DB, LEAST_OF_CLASS = 1.5, 60


@dataclass
class ColourSample:
    """Reflectance of some filled and some clear pixels, (band, pixel)."""

    filled: list[Float32] = field(default_factory=list)
    clear: list[Float32] = field(default_factory=list)

    def add(self, planes: Float32, filled: np.ndarray, clear: np.ndarray) -> None:
        """Add pixels of (band, y, x)."""
        self.filled.append(planes[:, filled])
        self.clear.append(planes[:, clear])

    @property
    def foreign(self) -> float:
        """Share of the filled pixels whose colour no clear ground has; 0 where unknown."""
        if not self.filled:
            return 0.0
        filled, clear = (np.concatenate(some, axis=1) for some in (self.filled, self.clear))
        if min(filled.shape[1], clear.shape[1]) < LEAST_PX:
            return 0.0
        shares = [one / (np.maximum(one, 0).sum(axis=0) + BLACK) for one in (filled, clear)]
        lowest, highest = np.quantile(shares[1], [RARE, 1 - RARE], axis=1)
        margin = (highest - lowest) * 0.1
        outside = (shares[0] < (lowest - margin)[:, None]) | (
            shares[0] > (highest + margin)[:, None]
        )
        return float(outside.any(axis=0).mean())


def unlike_radar(
    filled: Float32, clear: Float32, radar_of_filled: Float32, radar_of_clear: Float32
) -> float:
    """How far filled ground lies from clear ground of like radar, in its standard deviations.

    Reflectance is (band, pixel), radar (polarisation, pixel) in dB. Mean over classes of
    backscatter and bands, weighed by filled pixels; 0 where none has enough of both.
    """
    found, weights = [], []
    keys = [np.floor(one / STEP_DB).astype(int) for one in (radar_of_filled, radar_of_clear)]
    for key in np.unique(keys[0], axis=1).T:
        ours, theirs = ((one == key[:, None]).all(axis=0) for one in keys)
        if min(ours.sum(), theirs.sum()) < LEAST_OF_CLASS:
            continue
        away = filled[:, ours].mean(axis=1) - clear[:, theirs].mean(axis=1)
        found.append(float(np.mean(np.abs(away) / (clear[:, theirs].std(axis=1) + 0.01))))
        weights.append(int(ours.sum()))
    return float(np.average(found, weights=weights)) if found else 0.0
