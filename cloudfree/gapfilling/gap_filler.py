"""The ground under clouds from other dates, radar and clear ground, weighed by expected error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import REFERENCE_CLASSES, FillClass, Mask
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.gapfilling.combination import PixelEstimate, combine
from cloudfree.gapfilling.drawn_gaps import drawn_gaps
from cloudfree.gapfilling.expected_error import ExpectedError, Trial, calibration, learn_error
from cloudfree.gapfilling.fits import Fits, Numbers, shared_bands
from cloudfree.gapfilling.lattice import Lattice, Nodes, Position, collect
from cloudfree.gapfilling.observation import Observation, Where, observe
from cloudfree.gapfilling.stack import Stack

# Nodes of a drawn gap that count: more do not tell more.
MAX_TRIED = 6000


@dataclass(frozen=True)
class Filled:
    """What hidden pixels of a window are filled with, one after the other by rows.

    `by` is the class of `FillClass` of each, (pixel,): that of what most of it is from.
    """

    estimate: PixelEstimate
    by: Mask


@dataclass(frozen=True)
class _Estimates:
    """What references and the scene itself say of pixels, and which reference leads."""

    by_references: PixelEstimate
    by_scene: PixelEstimate
    leading: Numbers

    def filled(self, scale: float) -> Filled:
        """Both in one."""
        estimate, shares = combine((self.by_references, self.by_scene))
        by = np.full(len(self.leading), FillClass.FILLED_BY_SCENE, np.uint8)
        led = shares[0] >= 0.5
        by[led] = np.array(REFERENCE_CLASSES, np.uint8)[self.leading[led]]
        by[~estimate.known] = FillClass.UNFILLED
        return Filled(replace(estimate, deviation=estimate.deviation * np.float32(scale)), by)


@dataclass(frozen=True)
class Errors:
    """Expected errors of both kinds of estimate, and the factor that calibrates their mixture."""

    by_references: ExpectedError
    by_scene: ExpectedError
    scale: float = 1.0

    def of(self, fits: Fits, observation: Observation, position: Position) -> _Estimates:
        """What a scene's fits say of pixels, with expected errors."""
        harmonised, leading = fits.by_references(observation, position)
        itself = fits.by_scene(observation, position)
        return _Estimates(
            PixelEstimate(harmonised.mean, self.by_references.deviation(harmonised)),
            PixelEstimate(itself.mean, self.by_scene.deviation(itself)),
            leading,
        )


@dataclass(frozen=True)
class GapFiller:
    """Fills what is hidden of a stack.

    `reference_errors` are the root mean square errors of each reference by itself, on clear ground
    that was hidden for it; None where it saw none of that. `unseen` are the nodes, (y, x), whose
    ground nothing optical shows.
    """

    stack: Stack
    lattice: Lattice
    fits: Fits
    errors: Errors
    reference_errors: tuple[float | None, ...]
    unseen: Where

    @classmethod
    def fit(cls, stack: Stack, progress: Progress) -> GapFiller:
        """Fit all that does not depend on the single pixel."""
        lattice = Lattice.of_scene(stack.height, stack.width)
        nodes = collect(stack, lattice, progress)
        shared = shared_bands(stack.bands, stack.references)
        known = nodes.known
        draws = [
            _Draw(Fits(nodes, shared, known & ~gap), nodes, _thinned(gap))
            for gap in drawn_gaps(known)
        ]
        errors = _calibrated(draws, _learned(draws))
        numbers = range(len(stack.references))
        alone = tuple(_error_alone(draws, number) for number in numbers)
        unseen = ~known & ~_seen_by_reference(nodes.observation)
        return cls(stack, lattice, Fits(nodes, shared, known), errors, alone, unseen)

    def leaves_gaps(self, window: Window) -> bool:
        """Whether hidden ground in or near a window is seen by no reference, by the nodes."""
        rows, cols = self.lattice.around(window)
        return bool(self.unseen[rows, cols].any())

    def fill(self, window: Window, hidden: Where) -> Filled:
        """What the hidden pixels of a window are filled with, (y, x) by rows."""
        rows, cols = np.nonzero(hidden)

        def chosen(planes: Float32) -> Float32:
            return planes[:, rows, cols]

        observation = observe(self.stack, window, chosen)
        position = self.lattice.position(rows + window.row, cols + window.col)
        return self.errors.of(self.fits, observation, position).filled(self.errors.scale)


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


def _thinned(gap: Where) -> Where:
    """At most so many nodes of a gap, evenly."""
    places = np.flatnonzero(gap)
    thinned = np.zeros_like(gap)
    thinned.flat[places[:: -(-len(places) // MAX_TRIED) or 1]] = True
    return thinned


def _learned(draws: list[_Draw]) -> Errors:
    references, scene = [], []
    for draw in draws:
        harmonised, _ = draw.fits.by_references(draw.observation, draw.position)
        references.append(Trial(harmonised, draw.truth))
        itself = draw.fits.by_scene(draw.observation, draw.position)
        scene.append(Trial(itself, draw.truth))
    return Errors(learn_error(references), learn_error(scene))


def _calibrated(draws: list[_Draw], errors: Errors) -> Errors:
    """The errors, scaled so that as many errors of the draws lie within them as should."""
    wrong, expected = [np.zeros(0, np.float32)], [np.ones(0, np.float32)]
    for draw in draws:
        filled = errors.of(draw.fits, draw.observation, draw.position).filled(1.0)
        wrong.append((filled.estimate.mean - draw.truth).ravel())
        expected.append(filled.estimate.deviation.ravel())
    return replace(errors, scale=calibration(np.concatenate(wrong), np.concatenate(expected)))


def _error_alone(draws: list[_Draw], number: int) -> float | None:
    squares = list(_squares_alone(draws, number))
    counted = np.concatenate([np.zeros(0, np.float32), *squares])
    return float(np.sqrt(counted.mean())) if counted.size else None


def _squares_alone(draws: list[_Draw], number: int) -> Iterator[Float32]:
    for draw in draws:
        harmonised, _ = draw.fits.by_reference(number, draw.observation, draw.position)
        squares = np.square(harmonised.mean - draw.truth).ravel()
        yield squares[~np.isnan(squares)]
