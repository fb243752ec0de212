"""A stack of fields: other dates show the same ground by a linear map, some below clouds."""

from __future__ import annotations

import numpy as np

from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.observation import Where
from cloudfree.gapfilling.stack import ArrayStack, ReferenceInfo

BANDS = ("B02", "B04", "B08")
SIDE = 64


def ground(seed: int = 0, side: int = SIDE) -> Float32:
    """Fields of eight pixels, (band, y, x) in reflectance."""
    rng = np.random.default_rng(seed)
    fields = rng.uniform(0.05, 0.4, (len(BANDS), side // 8, side // 8))
    pixels = np.kron(fields, np.ones((1, 8, 8))) + rng.normal(0, 0.01, (len(BANDS), side, side))
    return pixels.astype(np.float32)


def square(row: int, col: int, size: int, side: int = SIDE) -> Where:
    """A cloud."""
    cloud = np.zeros((side, side), np.bool_)
    cloud[row : row + size, col : col + size] = True
    return cloud


def below(cloud: Where, pixels: Float32) -> Float32:
    """The pixels, NaN below a cloud."""
    return np.where(cloud, np.float32(np.nan), pixels)


def stack_of(
    scene: Float32,
    others: tuple[Float32, ...] = (),
    bands: tuple[tuple[str, ...], ...] | None = None,
    radar: Float32 | None = None,
    radars: tuple[Float32 | None, ...] = (),
) -> ArrayStack:
    """A stack of a scene and other dates, which have its bands unless others are given."""
    chosen = bands or (BANDS,) * len(others)
    infos = tuple(ReferenceInfo(f"date {n}", one, -5.0 * n) for n, one in enumerate(chosen, 1))
    return ArrayStack(BANDS, scene, infos, others, radar, radars)
