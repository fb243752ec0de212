"""Clear patches under simulated clouds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Patch
from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.registry import card_entries
from cloudfree.simulation.cloud_layer import cut_layer
from cloudfree.training import simulated_clouds
from cloudfree.training.batch import Batch
from cloudfree.training.patch_cache import PatchStore
from cloudfree.training.sampler import Batches
from cloudfree.training.settings import choose_settings
from cloudfree.training.simulated_clouds import under_simulated_clouds
from tests.factories.training_runs import write_patches

SIDE = 64


def card() -> ModelCard:
    own = {"name": "a", "weights": "", "weights_sha256": ""}
    return model_card({**card_entries("dsen2_cr", {}), **own})


def snow(patch: Patch) -> Mask:
    """A mask of what is nowhere, so that it shows where it is kept."""
    return np.full(patch.cloudy.shape[1:], MaskClass.SNOW, dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_patches(tmp_path_factory.mktemp("patches"), count=4, side=SIDE)


@pytest.fixture
def store(folder: Path) -> PatchStore:
    return PatchStore(list_samples(folder, offset_dn=0.0).samples, card(), 32, snow)


def batch_of(store: PatchStore, share: float, step: int = 0, **changes: Any) -> Batch:
    settings = choose_settings(
        "dsen2_cr", {"crop": 32, "batch": 4, "simulate_clouds": share, **changes}
    )
    return Batches(store, card(), settings).at(step)


def simulated(batch: Batch) -> list[bool]:
    assert batch.classes is not None
    return [not bool((classes == MaskClass.SNOW).any()) for classes in batch.classes]


def test_the_share_of_patches_under_simulated_clouds_is_that_of_the_recipe(
    store: PatchStore,
) -> None:
    for share in (0.0, 0.5, 1.0):
        kinds = [one for step in range(8) for one in simulated(batch_of(store, share, step))]
        assert np.mean(kinds) == pytest.approx(share, abs=0.2)
        assert share == 0.5 or set(kinds) == {bool(share)}


def test_nothing_else_of_a_batch_changes(store: PatchStore) -> None:
    own, other = batch_of(store, 0.0), batch_of(store, 1.0)
    assert own.files == other.files
    assert torch.equal(own.target, other.target)
    assert torch.equal(own.inputs["sar"], other.inputs["sar"])
    assert not torch.equal(own.cloudy, other.cloudy)


def test_the_true_mask_comes_along(store: PatchStore) -> None:
    batch = batch_of(store, 1.0)
    assert batch.classes is not None
    assert {int(value) for value in batch.classes.unique()} <= {0, 1, 2}
    clear = batch.classes == MaskClass.CLEAR
    unchanged = (batch.cloudy == batch.target).all(dim=1)
    assert unchanged[clear].all()
    assert not unchanged.all()


def test_a_step_sees_the_same_clouds_whenever_it_is_taken(folder: Path, store: PatchStore) -> None:
    samples = list_samples(folder, offset_dn=0.0).samples
    fresh = PatchStore(samples, card(), 32, snow)
    seen = [batch_of(store, 0.7, step) for step in (5, 0, 5)]
    assert torch.equal(seen[0].cloudy, seen[2].cloudy)
    assert torch.equal(seen[0].cloudy, batch_of(fresh, 0.7, 5).cloudy), "whatever was read before"
    assert not torch.equal(seen[0].cloudy, seen[1].cloudy)
    assert not torch.equal(seen[0].cloudy, batch_of(store, 0.7, 5, seed=9).cloudy)


def test_real_clouds_are_of_the_patches_that_are_learned_from(
    store: PatchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[np.ndarray] = []

    def watched(cloudy: np.ndarray, *rest: Any) -> Any:
        cut.append(cloudy)
        return cut_layer(cloudy, *rest)

    monkeypatch.setattr(simulated_clouds, "cut_layer", watched)
    pixels = store.get(0)
    assert pixels is not None
    for seed in range(12):
        under_simulated_clouds(pixels, OPTICAL_BANDS, store, np.random.default_rng(seed))
    own = [store.get(index) for index in range(len(store.samples))]
    assert len(cut) >= 2
    assert all(any(cloudy is patch.cloudy for patch in own if patch) for cloudy in cut)


def test_patches_without_a_cloudy_image_are_always_under_simulated_clouds(tmp_path: Path) -> None:
    folder = write_patches(tmp_path, count=2, side=SIDE)
    for number in range(2):
        (folder / f"p{number}_s2_cloudy.tif").unlink()
    samples = list_samples(folder, offset_dn=0.0, needed=("clear",)).samples
    assert [sample.has_cloudy for sample in samples] == [False, False]
    store = PatchStore(samples, card(), 32, snow)
    assert simulated(batch_of(store, 0.01, batch=2)) == [True, True]
