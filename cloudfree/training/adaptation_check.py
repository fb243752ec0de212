"""What an adapted network is judged by: clear ground that it did not learn from, under clouds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.units import Float32
from cloudfree.runtimes.model import Model, TileInputs
from cloudfree.simulation.clouded import cloud_over

Bits = NDArray[np.bool_]

# A sky that hides fewer pixels of a ground says nothing about it.
LEAST_HIDDEN_PX = 64
# How many skies are drawn for a ground before it is given up.
_TRIES = 8
# Mean squared error that counts as none: 120 dB.
_NO_ERROR = 1e-12
# Tiles that the network sees at once.
_BATCH = 4


@dataclass(frozen=True)
class Ground:
    """What a network sees of a window, and which of its pixels, (y, x), are surely clear."""

    inputs: TileInputs
    known: Bits

    def under(self, bands: Sequence[str], rng: np.random.Generator) -> tuple[TileInputs, Bits]:
        """The window under drawn clouds, and the known pixels, (y, x), that these hide."""
        cloudy, hidden = cloud_over(self.inputs.optical, bands, rng)
        return replace(self.inputs, optical=cloudy), hidden & self.known


@dataclass(frozen=True)
class _Question:
    """A ground under a sky, what lies below it, and the pixels that count."""

    ground: int
    inputs: TileInputs
    truth: Float32
    hidden: Bits


class Check:
    """The same ground under the same clouds for every network that is compared."""

    def __init__(self, grounds: Sequence[Ground], model: Model, skies: int, seed: int) -> None:
        bands = model.card.optical_bands
        self._outputs = [bands.index(band) for band in model.card.output_bands]
        self._questions = [
            question
            for index, ground in enumerate(grounds)
            for sky in range(skies)
            if (question := self._question(index, ground, bands, (seed, index, sky)))
        ]

    def __len__(self) -> int:
        return len({question.ground for question in self._questions})

    def psnr(self, model: Model) -> NDArray[np.float64]:
        """Peak signal-to-noise ratio in dB, (ground,), where the clouds hide what is known."""
        squares: dict[int, list[float]] = {}
        for start in range(0, len(self._questions), _BATCH):
            asked = self._questions[start : start + _BATCH]
            answers = model.predict([question.inputs for question in asked])
            for question, answer in zip(asked, answers, strict=True):
                error = (np.clip(answer, 0.0, 1.0) - question.truth)[:, question.hidden]
                squares.setdefault(question.ground, []).append(float(np.mean(error**2)))
        errors = np.array([np.mean(own) for own in squares.values()])
        return np.asarray(-10.0 * np.log10(np.maximum(errors, _NO_ERROR)), dtype=np.float64)

    def _question(
        self, index: int, ground: Ground, bands: Sequence[str], seed: tuple[int, ...]
    ) -> _Question | None:
        rng = np.random.default_rng(seed)
        for _ in range(_TRIES):
            inputs, hidden = ground.under(bands, rng)
            if hidden.sum() >= LEAST_HIDDEN_PX:
                truth = np.clip(ground.inputs.optical[self._outputs], 0.0, 1.0)
                return _Question(index, inputs, truth, hidden)
        return None
