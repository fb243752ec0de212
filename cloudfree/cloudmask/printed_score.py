"""The detector of Cloud-Attentive as its paper prints it, pixel by pixel.

Equation 13: S = min(1, (B2 - 0.1) / 0.4, (B1 - 0.1) / 0.2, (B10 + B1 - 0.15) / 0.05,
(B4 + B3 + B2 - 0.2) / 0.6); equation 14: cloud from S = 0.2 on; equations 15 and 16: no cloud where
NDSI = (B3 - B11) / (B3 + B11) is above 0.6. The published code, which is `--detector published`,
makes the snow index a term of the minimum instead and smooths the score: it closes it and takes
means over 7 x 7 pixels.

Source: Bui (2025). In the third term the scan is not certain: it reads B10 + B1, as in the code.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cloudfree.cloudmask.class_rules import bright_ground
from cloudfree.cloudmask.detector import Probabilities, needed_bands
from cloudfree.cloudmask.score import Planes, ndsi, threshold_terms
from cloudfree.core.choices import PUBLISHED_NDSI, PUBLISHED_THRESHOLD
from cloudfree.core.radiometry import Float32

# Those of the equations, and B08, by which snow is told from water.
PRINTED_BANDS = ("B01", "B02", "B03", "B04", "B08", "B10", "B11")


class PrintedScore:
    """Equations 13 to 16 taken literally: cloud and snow of L1C; each pixel by itself."""

    name = "printed"
    threshold = PUBLISHED_THRESHOLD
    cell_px = 1
    halo_px = 0

    def bands(self, available: Sequence[str]) -> tuple[str, ...]:
        """Its seven bands."""
        return needed_bands(PRINTED_BANDS, available, self.name)

    def probabilities(self, planes: Planes) -> Probabilities:
        """The score, at least 0, as the probability of cloud; 1 where there is snow."""
        known = {band: np.nan_to_num(planes[band]) for band in PRINTED_BANDS}
        snowy = ndsi(known) > PUBLISHED_NDSI
        score = np.where(snowy, np.float32(0.0), np.maximum(threshold_terms(known), 0.0))
        snow: Float32 = (snowy & bright_ground(known)).astype(np.float32)
        nothing = np.zeros_like(snow)
        return Probabilities(np.asarray(score, dtype=np.float32), nothing, nothing, snow)
