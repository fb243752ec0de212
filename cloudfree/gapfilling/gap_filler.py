"""The ground under clouds from other dates, radar and clear ground, weighed by expected error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import REFERENCE_CLASSES, FillClass, Mask
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.gapfilling.combination import PixelEstimate, combine
from cloudfree.gapfilling.drawn_gaps import drawn_gaps, thinned
from cloudfree.gapfilling.expected_error import (
    SMALLEST_DEVIATION,
    ExpectedError,
    Trial,
    calibration,
    learn_error,
)
from cloudfree.gapfilling.fits import Fits, Numbers, shared_bands
from cloudfree.gapfilling.harmonisation import Harmonised
from cloudfree.gapfilling.lattice import Lattice, Nodes, Position, collect
from cloudfree.gapfilling.observation import Observation, Where, observe
from cloudfree.gapfilling.stack import Stack, WithoutReferences
from cloudfree.gapfilling.stacking import StackedEstimate, Stacking

# Ways to fill a pixel from what is known, where there are references.
WAYS = 4
# Draws that tell the error of each reference alone, which takes a fit each.
DRAWS_ALONE = 2


@dataclass(frozen=True)
class Filled:
    """What hidden pixels of a window are filled with, one after the other by rows.

    `by` is the class of `FillClass` of each, (pixel,): that of what most of it is from.
    """

    estimate: PixelEstimate
    by: Mask

    @classmethod
    def nothing(cls, bands: int) -> Self:
        """No pixel at all."""
        none = np.zeros((0, bands), np.float32)
        return cls(PixelEstimate(none, none), np.zeros(0, np.uint8))


@dataclass(frozen=True)
class Harmonisations:
    """What is said of pixels in each of the ways, and which reference leads, -1 if none.

    The ways are several references together, the best alone, the best by a gain, and the scene by
    itself: the fewer clear pixels there are to fit on, the better are the simple ones. Without
    references it is the scene alone.
    """

    ways: tuple[Harmonised, ...]
    leading: Numbers

    @classmethod
    def of(cls, fits: Fits, observation: Observation, position: Position) -> Harmonisations:
        """What the fits of a scene say of the pixels of a flat observation."""
        if not observation.references:
            alone = fits.by_scene(observation, position)
            return cls((alone,), np.full(len(alone.distance), -1, np.int8))
        together, leading = fits.by_references(observation, position)
        nearest, gain = (way(observation, position) for way in (fits.by_nearest, fits.by_gain))
        return cls((together, nearest, gain, fits.by_scene(observation, position)), leading)


@dataclass(frozen=True)
class Weighing:
    """Expected errors of each of the ways, and the factor that calibrates their mixture."""

    errors: tuple[ExpectedError, ...]
    scale: float = 1.0

    def filled(self, harmonised: Harmonisations, stacked: StackedEstimate | None = None) -> Filled:
        """All ways in one; what is stacked with a network stands for the scene by itself."""
        estimates = [
            PixelEstimate(way.mean, error.deviation(way))
            for way, error in zip(harmonised.ways, self.errors, strict=True)
        ]
        leading = harmonised.leading
        by = np.full(len(leading), FillClass.FILLED_BY_SCENE, np.uint8)
        if stacked:
            # Its errors are calibrated already, those of the other ways by the common scale.
            estimates[-1] = stacked.instead_of(estimates[-1], self.scale)
            by[stacked.by_network] = FillClass.FILLED
        estimate, shares = combine(estimates)
        led = (shares[:-1].sum(axis=0) >= 0.5) & (leading >= 0)
        by[led] = np.array(REFERENCE_CLASSES, np.uint8)[leading[led]]
        by[~estimate.known] = FillClass.UNFILLED
        scaled = np.maximum(estimate.deviation * self.scale, SMALLEST_DEVIATION)
        return Filled(replace(estimate, deviation=scaled.astype(np.float32)), by)


@dataclass(frozen=True)
class HiddenGround:
    """Pixels of a window, (y, x), what the scene shows of them, and their truth, (pixel, band)."""

    where: Where
    shown: Harmonised
    truth: Float32


@dataclass(frozen=True)
class GapFiller:
    """Fills what is hidden of a stack.

    `stacking` joins predictions of a network to what the scene shows of itself, None without one.
    `reference_errors` are the root mean square errors of each reference by itself, on clear ground
    that was hidden for it; None where it saw none of that. `unseen` are the nodes, (y, x), whose
    ground nothing optical shows.
    """

    stack: Stack
    lattice: Lattice
    nodes: Nodes
    fits: Fits
    weighing: Weighing
    reference_errors: tuple[float | None, ...]
    unseen: Where
    stacking: Stacking | None = None

    @classmethod
    def fit(cls, stack: Stack, progress: Progress) -> GapFiller:
        """Fit all that does not depend on the single pixel."""
        lattice = Lattice.of_scene(stack.height, stack.width)
        nodes = collect(stack, lattice, progress)
        shared = shared_bands(stack.bands, stack.references)
        known = nodes.known
        draws = [
            _Draw(Fits(nodes, shared, known & ~gap), nodes, thinned(gap))
            for gap in drawn_gaps(known)
        ]
        weighing = _weighing(draws, WAYS if stack.references else 1)
        numbers = range(len(stack.references))
        alone = tuple(_error_alone(draws[:DRAWS_ALONE], number) for number in numbers)
        unseen = ~known & ~_seen_by_reference(nodes.observation)
        fits = Fits(nodes, shared, known)
        return cls(stack, lattice, nodes, fits, weighing, alone, unseen)

    @property
    def knows_ground(self) -> bool:
        """Whether any ground is clear today."""
        return bool(self.nodes.known.any())

    @property
    def ground_variation(self) -> float | None:
        """How far clear ground lies from its mean colour, root mean square in reflectance."""
        if not self.knows_ground:
            return None
        ground = self.nodes.today[:, self.nodes.known]
        return float(np.sqrt(ground.var(axis=1, dtype=np.float64).mean()))

    def leaves_gaps(self, window: Window) -> bool:
        """Whether hidden ground in or near a window is seen by no reference, by the nodes."""
        rows, cols = self.lattice.around(window)
        return bool(self.unseen[rows, cols].any())

    def fill(self, window: Window, hidden: Where, predicted: Float32 | None = None) -> Filled:
        """What the hidden pixels of a window are filled with, (y, x) by rows.

        `predicted`, (pixel, band), is what a network says of them, NaN where nothing; it counts as
        the stacking has it.
        """
        if not hidden.any():
            return Filled.nothing(len(self.stack.bands))
        observation, position = self._seen(self.stack, window, hidden)
        harmonised = Harmonisations.of(self.fits, observation, position)
        stacked = None
        if self.stacking and predicted is not None:
            stacked = StackedEstimate.of(self.stacking, harmonised.ways[-1], predicted)
        return self.weighing.filled(harmonised, stacked)

    def hide(self, gaps: Sequence[tuple[Window, Where]]) -> Iterator[HiddenGround]:
        """Clear ground in gaps, (y, x) of a window each, and what the rest of the scene says of it.

        Other dates are not asked.
        """
        nodes = self.nodes.without_references
        below = self.lattice.below(gaps, nodes.known.shape)
        fits, stack = Fits(nodes, (), nodes.known & ~below), WithoutReferences(self.stack)
        for window, gap in gaps:
            where = thinned(gap)
            shown = fits.by_scene(*self._seen(stack, window, where))
            yield HiddenGround(where, shown, stack.today(window)[:, where].T)

    def _seen(self, stack: Stack, window: Window, where: Where) -> tuple[Observation, Position]:
        """Some pixels of a window, (y, x) by rows, and where they lie."""
        rows, cols = np.nonzero(where)
        flat = np.ravel_multi_index((rows, cols), where.shape)

        def chosen(planes: Float32) -> Float32:
            return planes.reshape(len(planes), -1).take(flat, axis=1)

        position = self.lattice.position(rows + window.row, cols + window.col)
        return observe(stack, window, chosen), position


@dataclass(frozen=True)
class _Draw:
    """Clear ground that is hidden to see how well it is estimated."""

    fits: Fits
    nodes: Nodes
    gap: Where

    @property
    def truth(self) -> Float32:
        return self.nodes.today[:, self.gap].T

    @property
    def observation(self) -> Observation:
        return self.nodes.observation.at(self.gap)

    @property
    def position(self) -> Position:
        return Position(*(part.astype(np.float32) for part in np.nonzero(self.gap)))


def _seen_by_reference(observation: Observation) -> Where:
    bits = np.uint16((1 << len(observation.references)) - 1)
    return np.asarray((observation.seen & bits) > 0)


def _weighing(draws: list[_Draw], ways: int) -> Weighing:
    """Errors of each way, and their scale by which as many lie within them as should."""
    tried = [Harmonisations.of(draw.fits, draw.observation, draw.position) for draw in draws]
    learned = Weighing(tuple(_learned(draws, tried, way) for way in range(ways)))
    wrong, expected = [np.zeros(0, np.float32)], [np.ones(0, np.float32)]
    for draw, harmonised in zip(draws, tried, strict=True):
        estimate = learned.filled(harmonised).estimate
        wrong.append((estimate.mean - draw.truth).ravel())
        expected.append(estimate.deviation.ravel())
    return replace(learned, scale=calibration(np.concatenate(wrong), np.concatenate(expected)))


def _learned(draws: list[_Draw], tried: list[Harmonisations], way: int) -> ExpectedError:
    return learn_error([
        Trial(harmonised.ways[way], draw.truth)
        for draw, harmonised in zip(draws, tried, strict=True)
    ])  # fmt: skip


def _error_alone(draws: list[_Draw], number: int) -> float | None:
    squares = list(_squares_alone(draws, number))
    counted = np.concatenate([np.zeros(0, np.float32), *squares])
    return float(np.sqrt(counted.mean())) if counted.size else None


def _squares_alone(draws: list[_Draw], number: int) -> Iterator[Float32]:
    for draw in draws:
        harmonised, _ = draw.fits.by_reference(number, draw.observation, draw.position)
        squares = np.square(harmonised.mean - draw.truth).ravel()
        yield squares[~np.isnan(squares)]
