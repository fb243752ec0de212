"""An image beside the masks of all detectors, for people to look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.mask_classes import MASK_COLOURS, Mask, MaskClass
from cloudfree.core.radiometry import Float32
from tests.bench.mask_scenes import Scene

Picture = NDArray[np.uint8]

TRUE_COLOUR = ("B04", "B03", "B02")
GAMMA = 1.3
LEAST_WHITE, MOST_WHITE = 0.25, 0.7  # reflectance that is shown as white
DIM = 0.6  # brightness of clear ground below a mask
STRENGTH = 0.75  # of the colour of a class over the picture
# The dark colour of shadow would not show over a dimmed picture.
COLOURS = {**MASK_COLOURS, MaskClass.SHADOW: (150, 110, 235)}
GAP_PX = 6
TEXT_PX = 18


def save(scene: Scene, masks: Mapping[str, Mask | None], path: Path) -> None:
    """Write a PNG: the image, then each mask over the dimmed image; nothing without a mask."""
    if not any(mask is not None for mask in masks.values()):
        return
    picture = true_colour(scene.planes, scene.bands)
    panels = [_titled(picture, f"{scene.region} {scene.name} {scene.kind}")]
    for name, mask in masks.items():
        if mask is not None:
            panels.append(_titled(overlay(picture, mask), name))
    gap = np.full((panels[0].shape[0], GAP_PX, 3), 255, np.uint8)
    row = [piece for panel in panels for piece in (panel, gap)][:-1]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.hstack(row)[..., ::-1])


def true_colour(planes: Float32, bands: tuple[str, ...]) -> Picture:
    """Red, green and blue, (y, x, 3), from black to a white that suits the image."""
    colours = np.nan_to_num(np.stack([planes[bands.index(name)] for name in TRUE_COLOUR], axis=-1))
    white = float(np.clip(np.percentile(colours, 99), LEAST_WHITE, MOST_WHITE))
    return np.asarray(255 * np.clip(colours / white, 0.0, 1.0) ** (1 / GAMMA), dtype=np.uint8)


def overlay(picture: Picture, mask: Mask) -> Picture:
    """The colours of the classes over the dimmed picture; clear ground has none."""
    dimmed = DIM * picture
    for value, colour in COLOURS.items():
        if value is not MaskClass.CLEAR:
            where = mask == value
            dimmed[where] = STRENGTH * np.array(colour) + (1 - STRENGTH) * dimmed[where]
    return np.asarray(dimmed, dtype=np.uint8)


def _titled(picture: Picture, title: str) -> Picture:
    head = np.zeros((TEXT_PX, picture.shape[1], 3), np.uint8)
    place, white = (4, TEXT_PX - 5), (255, 255, 255)
    cv2.putText(head, title, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, white, 1, cv2.LINE_AA)
    return np.vstack([head, picture])
