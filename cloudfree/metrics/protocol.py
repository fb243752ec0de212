"""What exactly is compared: the protocols in which figures of cloud removal are published.

Figures of different protocols must not stand in one table; every output names its protocol.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.metrics.image_metrics import (
    CENTRED,
    OFF_CENTRE,
    Differences,
    Metrics,
    Scores,
    Where,
    compare,
)


@dataclass(frozen=True)
class PatchMetrics:
    """Figures of one image over all pixels, over cloudy and clear ones, and of each band."""

    all: Metrics
    cloudy: Metrics
    clear: Metrics
    bands: tuple[Metrics, ...]


@dataclass(frozen=True)
class Protocol:
    """One way to compare an image with the truth.

    `crop_px` is the side of the middle part that the network sees and that is compared, None for
    whole patches. With `tiled` a network sees tiles as its card says, else all of that part at
    once. Truth and cloudy image are clipped to 0-1 always, predictions with `clips_prediction`.
    `centre` is that of the window of the similarity, `equal_psnr` the PSNR of equal images. With
    `zero_is_data` a pixel without data counts as zero and, having no spectral direction, leaves a
    patch without SAM; else it is left out.
    """

    name: str
    description: str
    crop_px: int | None
    tiled: bool
    clips_prediction: bool
    centre: float
    equal_psnr: float
    zero_is_data: bool

    @property
    def is_published(self) -> bool:
        """Whether it is that of a paper: then cloud cover is by the detector of the papers, too."""
        return self.name != NATIVE.name

    def window(self, height: int, width: int) -> Window:
        """The part of a patch that counts."""
        rows, cols = (min(side, self.crop_px or side) for side in (height, width))
        return Window((height - rows) // 2, (width - cols) // 2, rows, cols)

    def observed(self, image: Float32) -> Float32:
        """The truth or the cloudy image as the protocol sees it."""
        clipped = np.clip(image, 0.0, 1.0)
        return np.nan_to_num(clipped, nan=0.0) if self.zero_is_data else clipped

    def prediction(self, image: Float32) -> Float32:
        """A prediction as the protocol sees it."""
        return np.clip(image, 0.0, 1.0) if self.clips_prediction else image

    def figures(self, truth: Float32, image: Float32, cloudy: Where) -> PatchMetrics:
        """Figures of an image, (band, y, x), whose pixels are `cloudy`, (y, x), or clear.

        Both images are as `observed` and `prediction` give them.
        """
        differences = compare(truth, image, self.centre)
        everywhere = Scores(truth.shape[0])
        everywhere.add(differences)
        return PatchMetrics(
            self._own(everywhere.figures(), differences, differences.valid),
            self._over(differences, cloudy),
            self._over(differences, ~cloudy),
            tuple(self._capped(figures) for figures in everywhere.of_bands()),
        )

    def _over(self, differences: Differences, where: Where) -> Metrics:
        scores = Scores(differences.error.shape[0])
        scores.add(differences, where)
        return self._own(scores.figures(), differences, differences.valid & where)

    def _own(self, figures: Metrics, differences: Differences, where: Where) -> Metrics:
        """The figures with what the published code does at zeros and at equal images."""
        undirected = not np.isfinite(differences.angle_deg[where]).all()
        if self.zero_is_data and undirected:
            figures = replace(figures, sam=None)
        return self._capped(figures)

    def _capped(self, figures: Metrics) -> Metrics:
        equal = figures.psnr == math.inf
        return replace(figures, psnr=self.equal_psnr) if equal else figures


_SAME_SSIM = "SSIM with an 11 x 11 Gaussian window of sigma 1.5 and zero padding"

NATIVE = Protocol(
    name="native",
    description=(
        "whole patches in the tiles of remove, reflectance of all images clipped to 0-1, "
        f"{_SAME_SSIM}, pixels without data left out"
    ),
    crop_px=None,
    tiled=True,
    clips_prediction=True,
    centre=CENTRED,
    equal_psnr=math.inf,
    zero_is_data=False,
)

# Source: UnCRtainTS, data/dataLoader.py and learning/metrics.py.
UNCRTAINTS = Protocol(
    name="uncrtaints",
    description=(
        "as UnCRtainTS (Ebel et al., 2023): whole patches seen at once, cloudy image and truth "
        f"clipped to 0-1, prediction not clipped, {_SAME_SSIM}, a patch with a pixel of zeros "
        "has no SAM"
    ),
    crop_px=None,
    tiled=False,
    clips_prediction=False,
    centre=CENTRED,
    equal_psnr=math.inf,
    zero_is_data=True,
)

# Source: GLF-CR, metrics.py and dataset code; SAM and MAE are in its paper, not in its code, and
# are taken as in UnCRtainTS.
GLF_CR = Protocol(
    name="glf-cr",
    description=(
        "as GLF-CR (Xu et al., 2022): the middle 128 x 128 pixels seen alone, cloudy image and "
        "truth clipped to 0-1, prediction not clipped, SSIM with the Gaussian window half a "
        "pixel off centre, PSNR of equal images 100 dB; SAM and MAE, which its code lacks, as "
        "UnCRtainTS"
    ),
    crop_px=128,
    tiled=False,
    clips_prediction=False,
    centre=OFF_CENTRE,
    equal_psnr=100.0,
    zero_is_data=True,
)

PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol for protocol in (NATIVE, GLF_CR, UNCRTAINTS)
}
