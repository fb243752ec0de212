"""A network is tried on clear ground of the scene that drawn clouds hide from it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from cloudfree.commands.remove.network_trials import LEAST_PX, network_trials, weighed
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.terminal import silent
from cloudfree.gapfilling.gap_filler import GapFiller
from cloudfree.gapfilling.observation import Where
from cloudfree.gapfilling.stack import ArrayStack
from cloudfree.gapfilling.stacking import fit_stacking
from cloudfree.inference.model import TileInputs
from cloudfree.inference.sliding_window import TilePlan

SIDE = 96
ERROR = 0.02


class _Network:
    """Knows the ground but for an even error, and keeps what it was shown."""

    card = SimpleNamespace(optical_bands=OPTICAL_BANDS, output_bands=OPTICAL_BANDS)

    def __init__(self, ground: np.ndarray) -> None:
        self._ground = ground
        self.shown: list[TileInputs] = []

    def predict(self, tiles: list[TileInputs]) -> list[np.ndarray]:
        self.shown += tiles
        return [self._ground + np.float32(ERROR) for _ in tiles]


def _trials(hidden: Where) -> tuple[list[Any], _Network]:
    scene, filler = _scene_and_filler(hidden)
    return network_trials(scene, filler, TilePlan(SIDE, SIDE, 256, 64), silent), scene.model


def _scene_and_filler(hidden: Where) -> tuple[Any, GapFiller]:
    rng = np.random.default_rng(0)
    ground = rng.uniform(0.05, 0.3, (13, SIDE, SIDE)).astype(np.float32)
    ground[:] = ground.mean(axis=0)
    below = ground.copy()
    below[:, hidden] = np.nan
    network = _Network(ground)

    def load(window: Window) -> TileInputs:
        return TileInputs(np.where(hidden, np.float32(0.6), ground)[:, *window.slices])

    scene: Any = SimpleNamespace(
        model=network, load=load, to_fill=lambda window: hidden[window.slices]
    )
    return scene, GapFiller.fit(ArrayStack(OPTICAL_BANDS, below), silent)


def test_the_truth_is_clear_ground_and_the_prediction_that_of_the_same_pixels() -> None:
    hidden = np.zeros((SIDE, SIDE), np.bool_)
    hidden[:, :20] = True
    trials, _ = _trials(hidden)
    assert trials
    for trial in trials:
        assert np.allclose(trial.predicted, trial.truth + ERROR, atol=1e-6)
        assert trial.scene.mean.shape == trial.truth.shape
        assert np.isfinite(trial.truth).all()


def test_the_network_sees_the_drawn_clouds_in_place_of_the_ground() -> None:
    trials, network = _trials(np.zeros((SIDE, SIDE), np.bool_))
    assert trials
    for shown, trial in zip(network.shown, trials, strict=True):
        untouched = np.isin(trial.truth[:, 0], shown.optical[0])
        assert untouched.mean() < 0.05
        assert shown.shadow is not None


def test_a_weighed_filler_has_the_stacking_of_the_trials() -> None:
    hidden = np.zeros((SIDE, SIDE), np.bool_)
    hidden[:, :20] = True
    trials, _ = _trials(hidden)
    expected = fit_stacking(trials)
    assert expected is not None
    scene, filler = _scene_and_filler(hidden)
    found = weighed(filler, scene, TilePlan(SIDE, SIDE, 256, 64), silent)
    assert filler.stacking is None
    assert found.stacking is not None
    assert found.stacking.errors == expected.errors


def test_without_clear_ground_nothing_is_tried() -> None:
    hidden = np.ones((SIDE, SIDE), np.bool_)
    hidden[:4, :4] = False
    trials, network = _trials(hidden)
    assert LEAST_PX > 16
    assert (trials, network.shown) == ([], [])
