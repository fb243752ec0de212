"""Samples of a mixture of scenes: their kinds, their shares, and what a step sees."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from cloudfree.core.radiometry import Float32
from cloudfree.datasets.scene_library import SceneLibrary, ScenePatch
from cloudfree.errors import InputError
from cloudfree.inference.model_card import model_card
from cloudfree.inference.registry import card_entries
from cloudfree.simulation.cloud_transplants import find_shadow
from cloudfree.simulation.imagined_radar import fit_radar
from cloudfree.training.distributed import Processes
from cloudfree.training.scene_samples import (
    SceneBatches,
    check_mixture,
    jitter,
    known_shadow,
    make_sample,
    shares_of,
    tint,
    water_sar,
)
from cloudfree.training.settings import TrainingSettings, choose_settings
from tests.simulation.test_cloud_transplants import SIDE, cloudy, ground

SETTINGS = choose_settings("cloudfree_s", {"preset": "default", "crop": 16})


def patch(name: str, seed: int = 0, has_sar: bool = True) -> ScenePatch:
    clear = ground(seed)
    sar = np.random.default_rng(seed).uniform(0.3, 0.6, (2, SIDE, SIDE)).astype(np.float32)
    shadow = np.zeros((1, SIDE, SIDE), np.float32)
    return ScenePatch(name, clear, cloudy(clear), sar if has_sar else None, shadow)


@pytest.fixture(scope="module")
def library() -> SceneLibrary:
    found = SceneLibrary(simulated=[patch("simulated", 1)])
    found.add(patch("real", 2))
    found.add(patch("no_sar", 3, has_sar=False))
    found.add(replace(patch("sea", 4, has_sar=False), clear=0.02 * ground(4) / 0.3))
    found.radar = fit_radar([(one.clear, one.sar) for one in found.clear if one.sar is not None])
    return found


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_step_sees_the_same_whenever_it_is_taken_and_each_process_its_own(
    library: SceneLibrary,
) -> None:
    batches = SceneBatches(library, SETTINGS)
    one, again, next_one = (batches.batch_of_step(step) for step in (4, 4, 6))
    other = SceneBatches(library, SETTINGS, Processes(1, 2, torch.device("cpu")))
    assert torch.equal(one.target, again.target)
    assert torch.equal(one.inputs["sar"], again.inputs["sar"])
    assert not torch.equal(one.target, next_one.target)
    assert not torch.equal(one.target, other.batch_of_step(4).target)


def test_every_second_batch_has_one_crop_of_twice_the_side(library: SceneLibrary) -> None:
    shapes = [tuple(SceneBatches(library, SETTINGS).batch_of_step(s).target.shape) for s in (0, 1)]
    assert shapes == [(4, 13, 16, 16), (1, 13, 32, 32)]
    even = SceneBatches(library, replace(SETTINGS, alternate_crops=False))
    assert even.batch_of_step(1).target.shape == (4, 13, 16, 16)
    batch = even.batch_of_step(0)
    assert {name: value.shape[1] for name, value in batch.inputs.items()} == {
        "optical": 13, "sar": 2, "shadow": 1,
    }  # fmt: skip
    assert batch.valid.all()


def test_kinds_come_by_their_shares(library: SceneLibrary) -> None:
    batches = SceneBatches(library, replace(SETTINGS, batch_size=100, alternate_crops=False))
    names = [name for step in range(4) for name in batches.batch_of_step(step).files]
    shares = {name: names.count(name) / len(names) for name in set(names)}
    wanted = {"simulated": 0.45, "real": 0.15, "no_sar": 0.34, "sea": 0.06}  # real is clear, too
    assert shares == pytest.approx(wanted, abs=0.07)


def test_shares_of_kinds_that_are_missing_go_to_the_others(library: SceneLibrary) -> None:
    assert shares_of(library, SETTINGS.shares) == SETTINGS.shares
    without = SceneLibrary(simulated=library.simulated, sea=library.sea)
    assert shares_of(without, SETTINGS.shares) == pytest.approx(
        {"simulated": 0.45 / 0.51, "sea": 0.06 / 0.51}
    )
    for shares in ({}, {"moon": 1.0}):
        with pytest.raises(InputError, match="wanted shares of simulated, real, clear, no_sar,"):
            shares_of(library, shares)


@pytest.mark.parametrize(("imagined", "has_sar"), [(1.0, True), (0.0, False)])
def test_ground_without_radar_gets_imagined_radar_or_none(
    library: SceneLibrary, imagined: float, has_sar: bool
) -> None:
    for seed in range(4):
        sample = make_sample(rng(seed), library, "no_sar", 32, imagined)
        assert sample.sar.shape == (2, 32, 32)
        assert sample.sar.any() == has_sar


def test_a_real_sample_keeps_its_own_clouds(library: SceneLibrary) -> None:
    sample = make_sample(rng(), library, "real", SIDE, 0.75)
    hidden = sample.optical[1] > 0.4
    assert hidden.mean() == pytest.approx(0.25, abs=0.02)  # the quarter under cloud
    assert not sample.shadow.any()


def known(seed: int, optical: Float32, clear: Float32) -> Float32:
    return known_shadow(rng(seed), optical, clear)


def test_masks_of_shadows_are_at_times_wrong() -> None:
    clear = ground()
    optical = clear.copy()
    optical[:, 16:48, 16:48] *= 0.4
    true = find_shadow(optical, clear) > 0
    seen = [known(seed, optical, clear)[0] > 0 for seed in range(64)]
    missed = np.mean([not mask.any() for mask in seen])
    wrong = np.mean([bool((mask & ~true)[:8].any()) for mask in seen])
    assert 0.03 < missed < 0.3
    assert 0.1 < wrong < 0.6


def test_jitter_changes_both_images_alike_and_no_missing_radar() -> None:
    sample = make_sample(rng(), SceneLibrary(real=[patch("a")]), "real", 32, 0.0)
    none = replace(sample, sar=np.zeros_like(sample.sar), optical=sample.clear)
    changed = jitter(rng(1), none)
    assert np.array_equal(changed.optical, changed.clear)
    assert not np.array_equal(changed.clear, none.clear)
    assert not changed.sar.any()


def test_a_tint_is_even_over_the_image_and_smooth_over_the_bands() -> None:
    gain = tint(rng(3), ground()) / ground()
    assert np.ptp(gain.reshape(13, -1), axis=1).max() < 1e-3
    steps = [abs(float(b - a)) for a, b in pairwise(np.log(gain[:, 0, 0]))]
    assert 0.0 < max(steps) < 0.6


def test_water_is_dark_in_cross_polarisation() -> None:
    vv, vh = np.mean([water_sar(rng(seed), 32).mean(axis=(1, 2)) for seed in range(16)], axis=0)
    assert 0.1 < vh < vv < 0.5


def _check(network: str, settings: TrainingSettings = SETTINGS, mask: bool = False) -> None:
    own = {"name": "a", "weights": "", "weights_sha256": ""}
    check_mixture(settings, model_card({**card_entries(network, {}), **own}), mask)


def test_a_network_or_loss_that_does_not_fit_is_refused() -> None:
    _check("cloudfree_s")
    with pytest.raises(InputError, match="mixture for network cloudfree_s and loss recalled"):
        _check("cloudfree_s", mask=True)
    with pytest.raises(InputError, match="wanted 13 optical bands, VV and VH, all scaled to 0-1"):
        _check("dsen2_cr")
