"""Adapting to a scene: what is better is kept, what is not is not, and nothing else changes."""

from __future__ import annotations

import copy
import logging
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from cloudfree.core.progress import silent
from cloudfree.runtimes.model import Model, TileInputs
from cloudfree.runtimes.shelf import DEFAULT_MODEL, find_model, read_card
from cloudfree.runtimes.torch import TorchRuntime
from cloudfree.training.adaptation import Adaptation, AdaptationSettings, adapt
from cloudfree.training.adaptation_check import Check, Ground
from tests.paint import Paint

SIDE = 32
QUICK = AdaptationSettings(
    seconds=1e6, steps=12, check_steps=6, batch=1, learning_rate=0.03, average=0.5, skies=1,
    share=1.0,
)  # fmt: skip


def _model() -> tuple[Model, TorchRuntime]:
    card = read_card(find_model(DEFAULT_MODEL))
    runtime = TorchRuntime(Paint(), card.inputs, torch.device("cpu"), torch.float32)
    return Model(card, runtime), runtime


def _grounds(count: int, brightness: float, known: bool = True) -> list[Ground]:
    rng = np.random.default_rng(count)
    grounds = []
    for _ in range(count):
        optical = brightness + rng.normal(0, 0.01, (13, SIDE, SIDE)).astype(np.float32)
        sar = np.full((2, SIDE, SIDE), -15.0, dtype=np.float32)
        grounds.append(Ground(TileInputs(optical, sar), np.full((SIDE, SIDE), known)))
    return grounds


def _adapt(
    learned: float, held_out: float, settings: AdaptationSettings = QUICK
) -> tuple[Adaptation, Model]:
    model, runtime = _model()
    grounds = _grounds(3, learned), _grounds(2, held_out)
    return adapt(model, runtime, *grounds, settings, silent), model


def _colour(model: Model) -> float:
    assert isinstance(model.runtime, TorchRuntime)
    return float(next(model.runtime.network.parameters()).mean())


def test_the_colour_of_the_scene_is_learned_and_kept() -> None:
    result, model = _adapt(learned=0.2, held_out=0.2)
    assert result.kept
    assert result.gain_db > 3
    assert abs(_colour(result.model) - 0.2) < abs(_colour(model) - 0.2)
    assert _colour(model) == pytest.approx(0.3), "a copy learned, not the model itself"


def test_what_does_not_hold_elsewhere_is_thrown_away() -> None:
    """Ground in the shadow teaches to paint dark; ground in the sun shows that this is wrong."""
    result, model = _adapt(learned=0.05, held_out=0.35)
    assert not result.kept
    assert result.gain_db < 0
    assert result.model is model


def test_a_gain_within_the_margin_is_thrown_away() -> None:
    result, model = _adapt(0.2, 0.2, replace(QUICK, margin_db=100.0))
    assert result.gain_db > 3
    assert result.model is model


def test_the_same_seed_gives_the_same_and_another_one_another() -> None:
    first, again, other = (
        _colour(_adapt(0.2, 0.2, replace(QUICK, seed=seed))[0].model) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_what_is_kept_lies_between_the_model_and_what_it_learned() -> None:
    none, half, whole = (
        _adapt(0.2, 0.2, replace(QUICK, share=share, check_steps=12))[0]
        for share in (0.0, 0.5, 1.0)
    )
    assert _colour(half.model) == pytest.approx((0.3 + _colour(whole.model)) / 2, abs=1e-4)
    assert (none.gain_db, none.kept) == (0.0, False)


def test_the_end_of_the_time_ends_it_with_what_was_learned_so_far() -> None:
    result, _ = _adapt(0.2, 0.2, replace(QUICK, seconds=0.0))
    assert (result.steps, result.kept) == (1, True)


def test_a_loss_that_is_no_number_leaves_the_model_as_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model, runtime = _model()
    broken = copy.deepcopy(runtime.network)
    next(broken.parameters()).data.fill_(math.nan)
    caplog.set_level(logging.WARNING)
    runtime = runtime.with_network(broken)
    result = adapt(model, runtime, _grounds(3, 0.2), _grounds(2, 0.2), QUICK, silent)
    assert (result.steps, result.kept, result.model is model) == (0, False, True)
    assert "adaptation stopped" in caplog.text


def test_only_known_pixels_are_learned_from() -> None:
    """The unknown half of each window is black; nobody is to learn that."""
    learned = _grounds(3, 0.2)
    for ground in learned:
        ground.known[:, SIDE // 2 :] = False
        ground.inputs.optical[:, :, SIDE // 2 :] = 0.0
    model, runtime = _model()
    result = adapt(model, runtime, learned, _grounds(2, 0.2), QUICK, silent)
    assert _colour(result.model) == pytest.approx(0.2, abs=0.05)


def test_the_check_scores_what_clouds_hide_of_the_known() -> None:
    """The answer is off by 0.1 where it counts; elsewhere it may be off by anything."""
    model, _ = _model()
    grounds = _grounds(2, 0.0)
    for ground in grounds:
        ground.inputs.optical[:] = 0.2
        ground.inputs.optical[:, :, :8] = 0.9
        ground.known[:, :8] = False
    check = Check(grounds, model, skies=1, seed=0)
    assert check.psnr(model) == pytest.approx([20.0, 20.0], abs=1e-3)


def test_ground_that_no_cloud_hides_is_not_asked_about() -> None:
    model, _ = _model()
    assert len(Check(_grounds(1, 0.2, known=False), model, skies=1, seed=0)) == 0
