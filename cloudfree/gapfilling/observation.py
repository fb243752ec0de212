"""What other dates and radar show of some pixels, as a regression takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.stack import Stack

# A pixel and its surroundings tell more of its ground than the pixel alone: side of the square
# over which reflectance of another date is averaged.
SURROUNDINGS_PX = 5
# Sides of the squares over which backscatter is averaged: speckle hides what a pixel shows, and
# what lies around a pixel tells fields from woods.
RADAR_PX = (3, 7, 15)
WIDE_RADAR_PX = 31
# Sides of the squares over which backscatter scatters: woods are even, towns are not.
SCATTER_PX = (7, 15)
# Side of the squares over which backscatter of two dates is compared.
COMPARED_PX = 7
HALO_PX = WIDE_RADAR_PX // 2
# Side of the square over which a mean hardly shows speckle, for comparisons of ground.
STEADY_PX = 7
# Backscatter in units that vary as much as reflectance does, so that one ridge suits both.
DB_UNIT = 100.0
# Kinds of features that each band of a reference has: itself, its surroundings, its square, and its
# slopes down and across, which shift it by less than a pixel and part the sides of an edge. And of
# each of the radar: means, the contrast of the narrowest and the widest, then the wide mean and
# scatter, and the squares of them all. Beside references, only means and contrast count.
KINDS = 5
RADAR_KINDS_BESIDE = len(RADAR_PX) + 1
RADAR_KINDS = 2 * (RADAR_KINDS_BESIDE + 1 + len(SCATTER_PX))
# Squares of backscatter in these units vary as much as backscatter does.
SQUARE_UNIT = 0.1

Where = NDArray[np.bool_]
Places = NDArray[np.intp]
Bits = NDArray[np.uint16]
Choice = Callable[[Float32], Float32]


@dataclass(frozen=True)
class Observation:
    """Features of pixels, (feature, ...) each, NaN where a source knows nothing.

    Each of `references` has the bands of another date, their means over the surroundings, their
    squares and their slopes; `changes` has, for each, backscatter of today less that of the date,
    (2, ...), 0 if unknown, None without radar of both. A source is the number of a reference, or
    the number of references for the radar of today.
    """

    references: tuple[Float32, ...]
    changes: tuple[Float32 | None, ...]
    radar: Float32 | None
    shape: tuple[int, ...]

    @cached_property
    def seen(self) -> Bits:
        """Which sources know a pixel: bit `n` is set where source `n` does."""
        bits = np.zeros(self.shape, np.uint16)
        for number, features in enumerate(self._features):
            bits |= (~np.isnan(features).any(axis=0)).astype(np.uint16) << np.uint16(number)
        return bits

    @property
    def _features(self) -> tuple[Float32, ...]:
        return self.references if self.radar is None else (*self.references, self.radar)

    def sees(self, sources: Sequence[int]) -> Where:
        """Where all of these sources know the ground."""
        bits = np.uint16(sum(1 << number for number in sources))
        return np.asarray((self.seen & bits) == bits)

    def design(self, sources: Sequence[int], where: Where | Places) -> Float32:
        """Features of pixels, (pixel, feature): all of the first source, the plain of the others.

        Those are the bands of a reference, and means and contrast of radar.
        """
        # `take` needs half of the time of an index.
        by_place = where.dtype != np.bool_
        chosen = [
            plane.take(where, axis=1) if by_place else plane[:, where]
            for plane in self._planes(sources)
        ]
        if not chosen:
            return np.zeros((np.zeros(self.shape, np.bool_)[where].size, 0), np.float32)
        return np.concatenate(chosen).T

    def _planes(self, sources: Sequence[int]) -> Iterator[Float32]:
        for place, number in enumerate(sources):
            features = self._features[number]
            if number == len(self.references):
                plain = RADAR_KINDS_BESIDE * (len(features) // RADAR_KINDS)
                yield features if place == 0 else features[:plain]
                continue
            yield features if place == 0 else features[: len(features) // KINDS]
            if (change := self.changes[number]) is not None:
                yield change / DB_UNIT

    def at(self, where: Where) -> Observation:
        """Some of the pixels."""

        def chosen(planes: Float32) -> Float32:
            return planes[:, where]

        return Observation(
            tuple(map(chosen, self.references)),
            tuple(None if change is None else chosen(change) for change in self.changes),
            None if self.radar is None else chosen(self.radar),
            (int(where.sum()),),
        )

    def changed_db(self, number: int, where: Where | Places) -> Float32:
        """How much backscatter differs between today and a reference, (pixel,); 0 if unknown."""
        change = self.changes[number]
        if change is None:
            return np.zeros(np.zeros(self.shape, np.bool_)[where].size, np.float32)
        return np.asarray(np.abs(change[:, where]).mean(axis=0), np.float32)


def observe(stack: Stack, window: Window, choice: Choice) -> Observation:
    """What a stack knows of those pixels of a window that a choice takes of its planes."""
    numbers = range(len(stack.references))
    blank = choice(np.zeros((1, window.height, window.width), np.float32))
    return Observation(
        tuple(_reference(stack, number, window, choice) for number in numbers),
        tuple(_change(stack, number, window, choice) for number in numbers),
        _radar(stack, window, choice),
        blank.shape[1:],
    )


def _reference(stack: Stack, number: int, window: Window, choice: Choice) -> Float32:
    outer = window.buffered(SURROUNDINGS_PX // 2, stack.height, stack.width)
    bands = stack.reference(number, outer)
    inner = window.relative_to(outer)
    known = np.asarray(~np.isnan(bands).any(axis=0))
    share = _box(known.astype(np.float32), SURROUNDINGS_PX)[inner]
    seen = choice(bands[:, *inner])
    # Band by band, as few of the pixels are chosen.
    sums = [
        choice(_box(np.where(known, band, np.float32(0)), SURROUNDINGS_PX)[None, *inner])
        for band in bands
    ]
    around = np.concatenate(sums) / np.maximum(choice(share[None]), 1e-6)
    around[np.isnan(seen)] = np.nan
    slopes = [choice(_slopes(band)[:, *inner]) for band in bands]
    return np.concatenate([seen, around, seen * seen, *slopes])


def _slopes(plane: Float32) -> Float32:
    """Half of the differences of the neighbours down and across, (2, y, x); 0 if unknown."""
    across = np.array([[-0.5, 0.0, 0.5]], np.float32)
    found = [
        cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_REPLICATE)
        for kernel in (across.T, across)
    ]
    return np.nan_to_num(np.stack(found))


def _change(stack: Stack, number: int, window: Window, choice: Choice) -> Float32 | None:
    outer = window.buffered(HALO_PX, stack.height, stack.width)
    today, then = stack.radar(outer), stack.reference_radar(number, outer)
    if today is None or then is None:
        return None
    change = averaged_db(today, COMPARED_PX) - averaged_db(then, COMPARED_PX)
    return choice(np.nan_to_num(change[:, *window.relative_to(outer)]))


def _radar(stack: Stack, window: Window, choice: Choice) -> Float32 | None:
    outer = window.buffered(HALO_PX, stack.height, stack.width)
    backscatter = stack.radar(outer)
    if backscatter is None:
        return None
    inner, power = window.relative_to(outer), _power(backscatter)
    *averaged, wide = (
        _decibels(choice(box_mean(power, side)[:, *inner])) for side in (*RADAR_PX, WIDE_RADAR_PX)
    )
    scatter = [choice(_scatter_db(backscatter, side)[:, *inner]) for side in SCATTER_PX]
    contrast = np.abs(averaged[0] - averaged[-1])
    planes = np.concatenate([*averaged, contrast, wide, *scatter]) / np.float32(DB_UNIT)
    return np.concatenate([planes, planes * planes / np.float32(SQUARE_UNIT)])


def steady_radar(bands: int) -> slice:
    """The features of radar of so many bands that hardly show speckle: means of 7 and 15 pixels."""
    return slice(bands, len(RADAR_PX) * bands)


def _scatter_db(backscatter_db: Float32, side: int) -> Float32:
    """Standard deviation of backscatter over squares, (band, y, x) in dB."""
    mean = box_mean(backscatter_db, side)
    variance = box_mean(backscatter_db * backscatter_db, side) - mean * mean
    return np.sqrt(np.maximum(variance, np.float32(0)))


def averaged_db(backscatter_db: Float32, side: int) -> Float32:
    """Backscatter, (band, y, x) in dB, averaged in power over squares; NaN stays NaN."""
    return _decibels(box_mean(_power(backscatter_db), side))


def _power(backscatter_db: Float32) -> Float32:
    # Of e rather than of 10, which takes three times as long.
    return np.asarray(np.exp(backscatter_db * np.float32(np.log(10) / 10)), np.float32)


def _decibels(power: Float32) -> Float32:
    return np.asarray(10 * np.log10(np.maximum(power, np.float32(1e-6))), np.float32)


def box_mean(planes: Float32, side: int) -> Float32:
    """Means of the known pixels of squares, (plane, y, x); NaN where the pixel itself is."""
    known = np.asarray(~np.isnan(planes).any(axis=0))
    share = _box(known.astype(np.float32), side)
    share[~known] = np.nan
    means = np.empty_like(planes)
    for plane, mean in zip(planes, means, strict=True):
        np.divide(_box(np.where(known, plane, np.float32(0)), side), share, out=mean)
    return means


def _box(plane: Float32, side: int) -> Float32:
    found = cv2.boxFilter(plane, -1, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(found, np.float32)
