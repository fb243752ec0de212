"""How far from their clouds the shadows of a scene lie, from clouds and what looks like shadow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cloudfree.cloudmask.shadow import SHADOW_REACH_M, Bits, PixelAxes, shifted
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32, Float64

# Nearest distance of a shadow that can be told from the edge of its cloud, and the step between
# distances: two pixels.
NEAREST_M, STEP_M = 60.0, 20.0
# Distances around the best one whose score is as good as this belong to the clouds of a layer.
NEARLY_BEST = 0.9
# Ground that may be shadow counts this much beside ground that is most probably shadow.
FAINT_WEIGHT = np.float32(0.4)
# Every second pixel is looked at, and parts of a scene at most so wide; of a large one so many
# parts, in which clouds and ground are mixed best.
STRIDE_PX, PART_PX, MOST_PARTS = 2, 1024, 32
# With fewer pixels of cloud whose shadow would be seen a distance says nothing.
LEAST_PX = 50


@dataclass(frozen=True)
class ShadowDistance:
    """Distances of shadows from their clouds in metres, nearest and farthest.

    In `reach` shadows are as good as certain; at the `likeliest` distance even ground that may be
    shadow is shadow.
    """

    reach: tuple[float, float]
    likeliest: tuple[float, float]


def fit_distance(
    parts: Iterable[Mask], axes: PixelAxes, azimuth_deg: float
) -> ShadowDistance | None:
    """How far from their clouds shadows lie; None if no distance stands out.

    Clouds are displaced away from the sun; where they fall on more shadow than chance would have
    it, by the standard deviation of chance, shadows lie. `parts` are classes, (y, x), before
    shadows are confirmed.
    """
    distances = np.arange(NEAREST_M, SHADOW_REACH_M, STEP_M)
    found = np.zeros((len(distances), 2))
    seen_px = 0
    for part in parts:
        thin = part[::STRIDE_PX, ::STRIDE_PX]
        cloud, seen, excess = _excess(thin)
        seen_px += int(seen.sum())
        found += [
            _under(cloud, seen, excess, shift) for shift in _shifts(distances, axes, azimuth_deg)
        ]
    return _best(distances, found, seen_px)


def _excess(part: Mask) -> tuple[Bits, Bits, Float32]:
    """Clouds, ground that is seen, and how much more than the mean each pixel looks like shadow."""
    cloud = part == MaskClass.CLOUD
    seen = ~cloud & (part != MaskClass.NODATA)
    weight = (part == MaskClass.SHADOW) + FAINT_WEIGHT * (part == MaskClass.FAINT_SHADOW)
    mean = weight[seen].mean() if seen.any() else np.float32(0.0)
    return cloud, seen, np.where(seen, weight - mean, np.float32(0.0)).astype(np.float32)


def _shifts(distances: Float64, axes: PixelAxes, azimuth_deg: float) -> list[tuple[int, int]]:
    thinned = axes.every(STRIDE_PX)
    shifts = [thinned.displacement(azimuth_deg + 180.0, float(length)) for length in distances]
    return [(round(row), round(col)) for row, col in shifts]


def _under(cloud: Bits, seen: Bits, excess: Float32, shift: tuple[int, int]) -> tuple[float, float]:
    """Excess of shadow under the displaced clouds, and pixels that are seen there."""
    there = shifted(cloud, *shift) & seen
    return float(excess[there].sum()), float(there.sum())


def _best(distances: Float64, found: Float64, seen_px: int) -> ShadowDistance | None:
    """The best distance, and those around it that are nearly as good."""
    total, number = found.T
    chance = np.sqrt(number * (1.0 - number / max(seen_px, 1)) + 1.0)
    score = np.where(number > LEAST_PX, total / chance, 0.0)
    score = np.convolve(score, np.full(3, 1.0 / 3.0), "same")
    best = int(score.argmax())
    if score[best] <= 0.0:
        return None
    good = score >= NEARLY_BEST * score[best]
    first = best - int(np.argmin(good[best::-1])) if not good[: best + 1].all() else -1
    after = best + int(np.argmin(good[best:])) if not good[best:].all() else len(good)
    return ShadowDistance(
        (float(distances[first + 1] - STEP_M), float(distances[after - 1] + STEP_M)),
        (float(distances[best] - STEP_M), float(distances[best] + STEP_M)),
    )


def mixed_parts(strips: Iterable[Mask]) -> list[Mask]:
    """Parts of a scene's classes in which clouds and ground are mixed best, few of a large one."""
    parts = [
        strip[:, start : start + PART_PX]
        for strip in strips
        for start in range(0, strip.shape[1], PART_PX)
    ]
    return sorted(parts, key=_mixture, reverse=True)[:MOST_PARTS]


def _mixture(part: Mask) -> float:
    cloud = float((part == MaskClass.CLOUD).mean())
    return cloud * (1.0 - cloud)
