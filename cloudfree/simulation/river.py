"""A river that meanders through the scene, and curved roads."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.simulation.noise import Shape

Path = NDArray[np.float32]


def meander(shape: Shape, rng: np.random.Generator) -> Path:
    """Middle line of a river, (point, [col, row]), through the scene's middle and past its borders.

    Source: the sine-generated curve, Langbein and Leopold, "River meanders: theory of minimum
    variance", USGS Professional Paper 422-H (1966).
    """
    reach = float(min(shape))
    step = 2.0
    travelled = np.arange(0.0, 6.0 * reach, step)

    def wave(length: float) -> NDArray[np.float64]:
        return np.sin(2 * np.pi * travelled / (length * reach) + rng.uniform(0, 2 * np.pi))

    # Bends of changing length and strength: a river of one wave looks drawn with a template.
    bend = 0.36 * reach * (1.0 + 0.35 * wave(1.3) + 0.25 * wave(0.57))
    phase = np.cumsum(2 * np.pi * step / bend)
    swing = 0.75 + 0.40 * wave(0.83) + 0.25 * wave(0.46)
    direction = rng.uniform(0, np.pi) + swing * np.sin(phase) + 0.35 * wave(1.7) + 0.15 * wave(0.21)
    line = np.stack([np.cumsum(np.cos(direction)), np.cumsum(np.sin(direction))], axis=1) * step
    aim = np.array(shape[::-1]) * rng.uniform(0.42, 0.58, 2)
    return np.asarray(line - line[len(line) // 2] + aim, dtype=np.float32)


def road(start: NDArray[np.floating], angle: float, reach: float, rng: np.random.Generator) -> Path:
    """Middle line of a road, (point, [col, row]), that leaves `start` towards `angle` and winds."""
    travelled = np.arange(0.0, 2.0 * reach, 3.0)
    turn = np.zeros_like(travelled)
    for wave in (0.9, 0.35, 0.13):
        turn += 0.5 * wave**0.7 * np.sin(travelled / (wave * reach) * 6.28 + rng.uniform(0, 6.28))
    # It leaves the town as straight as it was aimed and finds its bends on the way.
    direction = angle + turn * np.minimum(travelled / (0.2 * reach), 1.0)
    line = np.stack([np.cumsum(np.cos(direction)), np.cumsum(np.sin(direction))], axis=1) * 3.0
    return np.asarray(line + start, dtype=np.float32)


def distance_to(path: Path, shape: Shape) -> Float32:
    """Distance of each pixel, (y, x), to a path, in pixels."""
    off_path = np.full(shape, 255, dtype=np.uint8)
    _draw(off_path, path, 0)
    distance = cv2.distanceTransform(off_path, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, dtype=np.float32)


def _draw(image: NDArray[np.uint8], path: Path, value: int) -> None:
    points = np.rint(path).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(image, [points], isClosed=False, color=value, thickness=1)
