"""Sources of the ground under clouds, and what each of them shows of a window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.stack import Stack

# Sides of the squares over which backscatter is averaged: speckle hides what a pixel shows, and
# what lies around a pixel tells fields from woods.
AVERAGED_PX = (3, 7, 15)
HALO_PX = AVERAGED_PX[-1] // 2
# Side of the squares over which backscatter of two dates is compared.
COMPARED_PX = 7
RADAR = "radar"


@dataclass(frozen=True)
class Source:
    """One source: another date by its number, or the radar of today (None).

    Its features are what a regression takes, (feature, y, x), NaN where it knows nothing.
    """

    number: int | None

    @property
    def is_reference(self) -> bool:
        """Whether it is another date."""
        return self.number is not None

    def features(self, stack: Stack, window: Window) -> Float32:
        """What the source shows of a window."""
        if self.number is None:
            return _radar_features(stack, window)
        seen = stack.reference(self.number, window)
        changed = change(stack, self.number, window)
        if changed is None:
            return seen
        return np.concatenate([seen, np.nan_to_num(changed)])


def sources_of(stack: Stack) -> tuple[Source, ...]:
    """The sources of a stack: its references in their order, then its radar."""
    window = Window(0, 0, 1, 1)
    references = tuple(Source(number) for number in range(len(stack.references)))
    return references if stack.radar(window) is None else (*references, Source(None))


def change(stack: Stack, number: int, window: Window) -> Float32 | None:
    """Backscatter of today less that of another date, (2, y, x) in dB; None without both."""
    outer = window.buffered(HALO_PX, stack.height, stack.width)
    today, then = stack.radar(outer), stack.reference_radar(number, outer)
    if today is None or then is None:
        return None
    inner = (slice(None), *window.relative_to(outer))
    return (_averaged_db(today, COMPARED_PX) - _averaged_db(then, COMPARED_PX))[inner]


def _radar_features(stack: Stack, window: Window) -> Float32:
    outer = window.buffered(HALO_PX, stack.height, stack.width)
    radar = stack.radar(outer)
    assert radar is not None
    inner = (slice(None), *window.relative_to(outer))
    return np.concatenate(list(_radar_planes(radar)))[inner]


def _radar_planes(radar_db: Float32) -> Iterator[Float32]:
    """Backscatter averaged over squares, and how much it varies within the middle one."""
    averaged = [_averaged_db(radar_db, side) for side in AVERAGED_PX]
    yield from averaged
    near, around = averaged[0], averaged[-1]
    yield np.abs(near - around)


def _averaged_db(radar_db: Float32, side: int) -> Float32:
    """Backscatter averaged in power over squares, in dB; NaN where the pixel itself is."""
    missing = np.isnan(radar_db)
    power = np.where(missing, np.float32(0.0), np.float32(10.0) ** (radar_db / 10))
    planes = []
    for plane, gap in zip(power, missing, strict=True):
        total = cv2.boxFilter(plane, -1, (side, side), borderType=cv2.BORDER_REFLECT)
        known = (~gap).astype(np.float32)
        share = cv2.boxFilter(known, -1, (side, side), borderType=cv2.BORDER_REFLECT)
        mean = 10 * np.log10(np.maximum(total / np.maximum(share, 1e-6), 1e-6))
        planes.append(np.where(gap, np.float32(np.nan), mean))
    return np.stack(planes).astype(np.float32)
