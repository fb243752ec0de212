"""Filling a scene by all that is known: other dates, radar, its clear ground, and a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from cloudfree.commands.remove.cloudy_scene import MaskedScene, OriginalRows
from cloudfree.commands.remove.filling import Fill, FilledRows, NetworkFilling
from cloudfree.core.grid import Window, strips
from cloudfree.core.mask_classes import FillClass
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.gapfilling.combination import PixelEstimate, combine
from cloudfree.gapfilling.gap_filler import Filled, GapFiller
from cloudfree.gapfilling.observation import Where
from cloudfree.inference.model_card import ModelCard

# Rows that are filled at once without a network.
ROWS_AT_ONCE = 128
# Error of a network whose card has no score: that of the best of this field under thick clouds.
NETWORK_ERROR = 0.045
# An expected error, in reflectance, that is told: that of the mean colour of the clear ground, in
# the mean of fourteen regions (docs/experiments.md).
LARGE_ERROR = 0.05


@dataclass
class ErrorSum:
    """Squares of the expected errors of what is filled so far, and how many values these are."""

    squares: float = 0.0
    values: int = 0

    def add(self, deviation: Float32) -> None:
        """Count standard deviations of filled pixels, NaN where there is none."""
        known = deviation[~np.isnan(deviation)]
        self.squares += float(np.square(known, dtype=np.float64).sum())
        self.values += known.size

    @property
    def root_mean_square(self) -> float:
        """The error of all of it, 0 of nothing."""
        return float(np.sqrt(self.squares / max(self.values, 1)))


@dataclass(frozen=True)
class CombinedFilling:
    """Fills a scene by what other dates, its radar and its clear ground show, and by a network.

    `network` fills what no reference shows, or all if it is shown the references itself. It counts
    as the stacking of the filler has it, or without one by the score of its card. None if it is not
    needed, or none is there for the scene.
    """

    scene: MaskedScene
    filler: GapFiller
    network: NetworkFilling | None = None
    with_deviation: bool = False
    expected: ErrorSum = field(default_factory=ErrorSum)

    @property
    def doubt(self) -> str | None:
        """Why what is filled says little; complete after the last row, None if it says enough."""
        error, variation = self.expected.root_mean_square, self.filler.ground_variation
        if error < LARGE_ERROR or variation is None or error < variation:
            return None
        return (
            f"what is filled is expected to be wrong by {error:.3f} of reflectance, more than "
            f"clear ground differs from its mean colour ({variation:.3f}): nothing known of this "
            "scene tells what its clouds hide"
        )

    @property
    def bands(self) -> tuple[str, ...]:
        """All bands of the scene."""
        return self.filler.stack.bands

    @property
    def deviation_tags(self) -> Mapping[str, str]:
        """Source of the standard deviations, and those of the network."""
        own = {"CLOUDFREE_DEVIATIONS": "by clear ground that was hidden for it"}
        return {**own, **(self.network.deviation_tags if self.network else {})}

    @contextmanager
    def rows(self, progress: Progress) -> Iterator[Iterator[FilledRows]]:
        """Filled rows, with their standard deviation if it is requested."""
        if self.network is None:
            yield ((window, self._fill(window, rows), rows) for window, rows in self._all(progress))
            return
        with self.network.rows(progress) as predicted:
            yield (
                (window, self._fill(window, rows, prediction), rows)
                for window, prediction, rows in predicted
            )

    def _all(self, progress: Progress) -> Iterator[tuple[Window, OriginalRows]]:
        grid = self.scene.optical.grid
        plan = list(strips(grid.height, grid.width, ROWS_AT_ONCE))
        for window in progress(plan, len(plan), "filling", "strip"):
            yield window, self.scene.original(window)

    def _fill(self, window: Window, rows: OriginalRows, predicted: Fill | None = None) -> Fill:
        hidden = np.asarray(rows.opacity > 0)
        shape = (len(self.bands), *hidden.shape)
        fill = Fill(np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32))
        by = np.full(hidden.shape, FillClass.UNFILLED, np.uint8)
        for strip in strips(window.height, window.width, ROWS_AT_ONCE):
            part = strip.slices
            at = Window(window.row + strip.row, window.col, strip.height, strip.width)
            found = self._filled(at, predicted, hidden, part)
            self.expected.add(found.estimate.deviation)
            assert fill.deviation is not None
            fill.mean[:, *part][:, hidden[part]] = found.estimate.mean.T
            fill.deviation[:, *part][:, hidden[part]] = found.estimate.deviation.T
            by[part][hidden[part]] = found.by
        return Fill(fill.mean, fill.deviation if self.with_deviation else None, by)

    def _filled(
        self, at: Window, predicted: Fill | None, hidden: Where, part: tuple[slice, slice]
    ) -> Filled:
        if predicted is None:
            return self.filler.fill(at, hidden[part])
        mean = self._of_hidden(predicted.mean, hidden, part)
        if self.filler.stacking:
            return self.filler.fill(at, hidden[part], mean)
        found = self.filler.fill(at, hidden[part])
        if predicted.deviation is None:
            return self._by_score(found, mean, None)
        return self._by_score(found, mean, self._of_hidden(predicted.deviation, hidden, part))

    def _of_hidden(self, planes: Float32, hidden: Where, part: tuple[slice, slice]) -> Float32:
        """The hidden pixels of planes of the network, (pixel, band) in the bands of the scene."""
        assert self.network is not None
        places = [self.network.bands.index(band) for band in self.bands]
        return planes[places][:, *part][:, hidden[part]].T

    def _by_score(self, found: Filled, mean: Float32, deviation: Float32 | None) -> Filled:
        """What is found, and the prediction of the network by the score of its card."""
        assert self.network is not None
        error = np.full_like(mean, expected_error(self.network.scene.model.card))
        estimate, shares = combine((found.estimate, PixelEstimate(mean, error)))
        if deviation is not None:
            own = np.where(shares[1, :, None] > 0, deviation, np.float32(0))
            known = np.where(shares[0, :, None] > 0, found.estimate.deviation, np.float32(0))
            variance = shares[0, :, None] * known**2 + shares[1, :, None] * own**2
            estimate = PixelEstimate(estimate.mean, np.sqrt(variance))
        by = np.where(shares[1] > 0.5, np.uint8(FillClass.FILLED), found.by)
        return Filled(estimate, by)


def expected_error(card: ModelCard) -> float:
    """Root mean square error of a network, in reflectance, by the score of its card."""
    psnr = card.scores.get("psnr")
    return float(10 ** (-float(psnr) / 20)) if psnr else NETWORK_ERROR
