"""A regression for each pixel: on the references that see it, or on the scene by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cloudfree.gapfilling.harmonisation import (
    Harmonisation,
    Harmonised,
    Target,
    harmonise,
    harmonise_by_gain,
)
from cloudfree.gapfilling.lattice import Nodes, Position
from cloudfree.gapfilling.observation import Bits, Observation, Places, Where
from cloudfree.gapfilling.stack import ReferenceInfo

# References of one regression at most: the best that see a pixel.
MAX_JOINT = 4
# Weight of ground that a reference showed in the residual of what the scene shows by itself.
ESTIMATED_WEIGHT = 0.5

Numbers = NDArray[np.int8]
SharedBands = tuple[tuple[int, ...], ...]


def shared_bands(bands: tuple[str, ...], references: tuple[ReferenceInfo, ...]) -> SharedBands:
    """The place of each of today's bands among those of each reference, -1 if it has none."""
    return tuple(
        tuple(one.bands.index(band) if band in one.bands else -1 for band in bands)
        for one in references
    )


class Fits:
    """Regressions on nodes of the scene that are known, each made when it is first needed."""

    def __init__(self, nodes: Nodes, shared: SharedBands, known: Where) -> None:
        self._observation, self._shared = nodes.observation, shared
        self._target = Target.of_clear(nodes.today, known)
        self._of_references: dict[tuple[int, ...], Harmonisation | None] = {}
        self._of_scene: dict[tuple[bool, tuple[int, ...]], Harmonisation | None] = {}

    @property
    def radar(self) -> int:
        """The number of the radar as a source."""
        return len(self._observation.references)

    def by_references(
        self, observation: Observation, position: Position
    ) -> tuple[Harmonised, Numbers]:
        """What references say of the pixels of a flat observation, and which leads, -1 if none."""
        return self._said(observation, position, self._best_of_references)

    def by_reference(
        self, number: int, observation: Observation, position: Position
    ) -> tuple[Harmonised, Numbers]:
        """What one reference says of the pixels of a flat observation."""
        bit = 1 << number
        return self._said(observation, position, lambda bits: self._best_of_references(bits & bit))

    def by_scene(self, observation: Observation, position: Position) -> Harmonised:
        """What radar and known ground around say of the pixels of a flat observation."""
        return self._said(observation, position, self._best_of_scene)[0]

    def _said(
        self,
        observation: Observation,
        position: Position,
        fit_of: Callable[[int], Harmonisation | None],
    ) -> tuple[Harmonised, Numbers]:
        """Those pixels together that the same sources see."""
        pixels, bands = observation.shape[0], len(self._target.values)
        harmonised, leading = Harmonised.nothing(pixels, bands), np.full(pixels, -1, np.int8)
        for bits, places in _groups(observation.seen):
            if fit := fit_of(bits):
                harmonised.put(places, fit.at(observation, places, position[places]))
                leading[places] = fit.sources[0] if fit.sources else -1
        return harmonised, leading

    def _best_of_references(self, bits: int) -> Harmonisation | None:
        """The fit on the references of these bits, less the farthest where there is too little."""
        numbers = [number for number in range(self.radar) if bits >> number & 1][:MAX_JOINT]
        radar = [self.radar] if bits >> self.radar & 1 and numbers else []
        sources = (*numbers, *radar)
        while sources:
            if fit := self._fit(sources):
                return fit
            sources = sources[:-1]
        return None

    def _fit(self, sources: tuple[int, ...]) -> Harmonisation | None:
        if sources not in self._of_references:
            fit = harmonise(self._observation, sources, self._target)
            if fit is None and len(sources) == 1:
                shared = self._shared[sources[0]]
                fit = harmonise_by_gain(self._observation, sources[0], self._target, shared)
            self._of_references[sources] = fit
        return self._of_references[sources]

    def _best_of_scene(self, bits: int) -> Harmonisation | None:
        """The fit on radar, or on nothing, for pixels that these sources see.

        Where a reference sees it is independent of all references; where none does it agrees with
        what they showed around.
        """
        seen_by_reference = bits & ((1 << self.radar) - 1) > 0
        sources = (self.radar,) if bits >> self.radar & 1 else ()
        return self._itself(sources, seen_by_reference) or self._itself((), seen_by_reference)

    def _itself(self, sources: tuple[int, ...], independent: bool) -> Harmonisation | None:
        key = (independent, sources)
        if key not in self._of_scene:
            target = self._target if independent else self._shown
            self._of_scene[key] = harmonise(self._observation, sources, target)
        return self._of_scene[key]

    @cached_property
    def _shown(self) -> Target:
        """Clear ground, and below clouds what references show."""
        values, weight = self._target.values.copy(), self._target.weight.copy()
        hidden = weight == 0
        position = Position(*(part.astype(np.float32) for part in np.nonzero(hidden)))
        harmonised, _ = self.by_references(self._observation.at(hidden), position)
        shown = ~np.isnan(harmonised.mean).any(axis=1)
        values[:, hidden] = np.where(shown, harmonised.mean.T, np.float32(0))
        weight[hidden] = np.where(shown, np.float32(ESTIMATED_WEIGHT), np.float32(0))
        return Target(values, weight)


def _groups(bits: Bits) -> Iterator[tuple[int, Places]]:
    """The places of each value."""
    for value in np.unique(bits):
        yield int(value), np.flatnonzero(bits == value)
