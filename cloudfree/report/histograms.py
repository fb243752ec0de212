"""How the reflectance of each band is distributed, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.report.sources import Sources
from cloudfree.sentinel2.optical_scene import OpticalScene

BINS = 64
# Pixels a side of the sample that is counted, evenly spread over the scene.
SAMPLE_PX = 512
# The axis leaves out this share, in percent, of the darkest and of the brightest pixels of the
# result and the truth, and clouds that are brighter.
LEFT_OUT_PERCENT = 0.2
# Even ground is not stretched beyond this range of reflectance.
LEAST_SPAN = 0.02

HEIGHT = 24.0


@dataclass(frozen=True)
class Distribution:
    """The pixels of one image in each bin, relative to the fullest bin of all images: 0 to 1."""

    bins: tuple[float, ...]
    median: float

    @property
    def path(self) -> str:
        """The outline of an SVG path, `BINS` wide and `HEIGHT` high."""
        tops = (f"H{at} V{HEIGHT * (1 - bar):.1f}" for at, bar in enumerate(self.bins))
        return f"M0 {HEIGHT:g} {' '.join(tops)} H{BINS} V{HEIGHT:g}"


@dataclass(frozen=True)
class BandHistogram:
    """One band from reflectance `low` to `high`; `images` by their names on the page."""

    band: str
    low: float
    high: float
    images: Mapping[str, Distribution]

    @property
    def description(self) -> str:
        """The medians in words."""
        medians = (f"{name} {one.median:.3f}" for name, one in self.images.items())
        return f"{self.band}: median {', '.join(medians)}"


def band_histograms(sources: Sources) -> tuple[BandHistogram, ...]:
    """Each band of the result, where the scene before, the result and the truth have data."""
    scenes = {"before": sources.before, "after": sources.after, "truth": sources.truth}
    bands = sources.after.bands
    samples = {name: _sample(scene, bands) for name, scene in scenes.items() if scene}
    valid = np.isfinite(list(samples.values())).all(axis=(0, 1))
    if not valid.any():
        return ()
    return tuple(
        _histogram(band, {name: sample[at][valid] for name, sample in samples.items()})
        for at, band in enumerate(bands)
    )


def _sample(scene: OpticalScene, bands: tuple[str, ...]) -> Float32:
    """Reflectance of every n-th pixel, (band, y, x)."""
    numbers = scene.thinned([scene.positions[band] for band in bands], SAMPLE_PX)
    return scene.radiometry.decode(numbers)


def _histogram(band: str, images: Mapping[str, Float32]) -> BandHistogram:
    low, high = _axis(np.concatenate([images[name] for name in images if name != "before"]))
    counts = {name: np.histogram(image, BINS, (low, high))[0] for name, image in images.items()}
    fullest = max(int(count.max()) for count in counts.values())
    distributions = {
        name: Distribution(_shares(count, fullest), float(np.median(images[name])))
        for name, count in counts.items()
    }
    return BandHistogram(band, low, high, distributions)


def _axis(reflectance: Float32) -> tuple[float, float]:
    low, high = np.percentile(reflectance, (LEFT_OUT_PERCENT, 100 - LEFT_OUT_PERCENT))
    return float(low), float(max(high, low + LEAST_SPAN))


def _shares(count: NDArray[np.integer], fullest: int) -> tuple[float, ...]:
    return tuple((count / fullest).tolist())
