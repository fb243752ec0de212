"""Which part of which patch is seen when."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Patch, Sample
from cloudfree.inference.model import Model, TileInputs
from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.registry import card_entries
from cloudfree.simulation.cloud_layer import cut_layer
from cloudfree.training import sampler as patch_cache
from cloudfree.training import sampler as simulated_clouds
from cloudfree.training.distributed import Processes
from cloudfree.training.sampler import (
    Batch,
    Batches,
    PatchArrays,
    PatchStore,
    collate,
    scaled_crop,
    under_simulated_clouds,
)
from cloudfree.training.settings import choose_settings
from tests.factories.readiness import Paired
from tests.factories.time_series import SERIES_SIDE, SERIES_TRAIN, write_time_series
from tests.factories.training_runs import write_patches


def _card(network: str = "dsen2_cr", **settings: int) -> ModelCard:
    own = {"name": "a", "weights": "", "weights_sha256": ""}
    return model_card({**card_entries(network, dict(settings)), **own})


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    folder = write_patches(tmp_path, count=2, side=32)
    return list(list_samples(folder, offset_dn=0.0).samples)


def test_a_patch_has_the_bands_of_its_network(samples: list[Sample]) -> None:
    pixels = PatchStore(samples, _card(), 16, None).get(0)
    assert pixels is not None
    assert pixels.cloudy.shape == pixels.clear.shape == (13, 32, 32)
    assert pixels.sar is not None
    assert pixels.sar.shape == (2, 32, 32)
    assert pixels.classes is None
    colours = PatchStore(samples, _card("spa_gan", optical_bands=3, output_bands=3), 16, None)
    pixels = colours.get(0)
    assert pixels is not None
    assert pixels.cloudy.shape == (3, 32, 32)
    assert pixels.sar is None


def test_the_mask_is_made_only_where_the_loss_needs_it(samples: list[Sample]) -> None:
    def snow(patch: Patch) -> np.ndarray:
        return np.full(patch.cloudy.shape[1:], MaskClass.SNOW, np.uint8)

    pixels = PatchStore(samples, _card(), 16, snow).get(0)
    assert pixels is not None
    assert pixels.classes is not None
    assert (pixels.classes == MaskClass.SNOW).all()


def test_what_does_not_fit_into_memory_is_read_again(
    samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = PatchStore(samples, _card(), 16, None)
    first = roomy.get(0)
    assert first is not None
    monkeypatch.setattr(patch_cache, "KEPT_BYTES", first.bytes)
    store = PatchStore(samples, _card(), 16, None)
    assert store.get(0) is store.get(0)
    one, again = store.get(1), store.get(1)
    assert one is not None
    assert again is not None
    assert one is not again, "the first patch takes all the room"
    assert np.array_equal(one.cloudy, again.cloudy)


def test_a_broken_patch_is_named_once(
    samples: list[Sample], caplog: pytest.LogCaptureFixture
) -> None:
    samples[0].clear.write_text("broken")
    store = PatchStore(samples, _card(), 16, None)
    assert (store.get(0), store.get(0)) == (None, None)
    assert [skipped.name for skipped in store.skipped.values()] == ["p0"]
    assert len([text for text in caplog.messages if text.startswith("patch p0 skipped: ")]) == 1
    assert store.get(1) is not None


@pytest.mark.parametrize(
    ("crop", "sar", "reason"),
    [
        (33, True, "32 x 32 pixels, less than the crop of 33"),
        (16, False, "no Sentinel-1, which network dsen2_cr needs"),
    ],
)
def test_a_patch_that_does_not_suit_is_skipped_with_the_reason(
    samples: list[Sample], crop: int, sar: bool, reason: str
) -> None:
    sample = samples[0] if sar else replace(samples[0], sar=None)
    store = PatchStore([sample], _card(), crop, None)
    assert store.get(0) is None
    assert store.skipped[0].reason == reason
    assert str(store.nothing_left()).startswith(f"no patch of 1 can be used, such as p0: {reason};")


@given(row=st.integers(0, 8), col=st.integers(0, 12), side=st.integers(1, 8))
def test_all_arrays_are_cut_at_one_place(row: int, col: int, side: int) -> None:
    ground = np.arange(16 * 20, dtype=np.float32).reshape(1, 16, 20)
    pixels = PatchArrays(ground, ground, None, ground[0].astype(np.uint8))
    part = pixels.part(row, col, side)
    assert part.size == (side, side)
    assert np.array_equal(part.cloudy, ground[:, row : row + side, col : col + side])
    assert np.array_equal(part.cloudy, part.clear)
    assert part.classes is not None
    assert np.array_equal(part.classes, part.cloudy[0].astype(np.uint8))
    assert part.sar is None


def test_bytes_are_those_of_all_arrays() -> None:
    image = np.zeros((3, 4, 5), np.float32)
    assert PatchArrays(image, image, None, None).bytes == 2 * 3 * 4 * 5 * 4
    classes = np.zeros((4, 5), np.uint8)
    assert PatchArrays(image, image, image[:2], classes).bytes == (6 + 2) * 80 + 20


CPU = torch.device("cpu")


def card_of(network: str = "dsen2_cr", **settings: int) -> ModelCard:
    own = {"name": "a", "weights": "", "weights_sha256": ""}
    return model_card({**card_entries(network, dict(settings)), **own})


def classes(patch: Patch) -> np.ndarray:
    return np.where(patch.cloudy[0] > 0.4, MaskClass.CLOUD, MaskClass.CLEAR).astype(np.uint8)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PatchStore:
    folder = write_patches(tmp_path_factory.mktemp("patches"), count=6, side=32)
    return PatchStore(list_samples(folder, offset_dn=0.0).samples, card_of(), 16, classes)


def batches(store: PatchStore, processes: Processes | None = None, **changes: object) -> Batches:
    own = {"crop": 16, "batch_size": 2, **changes}
    settings = choose_settings("dsen2_cr", own)
    return Batches(store, card_of(), settings, processes or Processes(0, 1, CPU))


@given(seed=st.integers(0, 2**32), epoch=st.integers(0, 50))
def test_an_epoch_sees_every_patch_once(store: PatchStore, seed: int, epoch: int) -> None:
    drawn = batches(store, seed=seed)
    files = [file for step in range(3) for file in drawn.batch_of_step(3 * epoch + step).files]
    assert sorted(files) == sorted(str(sample.cloudy) for sample in store.samples)


def test_epochs_and_seeds_have_orders_of_their_own(store: PatchStore) -> None:
    def order(seed: int, epoch: int) -> tuple[str, ...]:
        return batches(store, seed=seed, batch_size=6).batch_of_step(epoch).files

    assert len({order(0, 0), order(0, 1), order(1, 0)}) == 3


def test_a_patch_of_many_is_found_without_a_copy_of_their_order(store: PatchStore) -> None:
    many = 100_000
    large = PatchStore(store.samples * (many // len(store.samples)), card_of(), 16, None)
    count = len(large.samples)
    large.get = lambda index: store.get(index % len(store.samples))  # type: ignore[method-assign]
    drawn = batches(large, batch_size=5)
    last = count // 5
    assert count % 5, "this batch ends in the next epoch"
    drawn.batch_of_step(last)
    tracemalloc.start()
    drawn.batch_of_step(last)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < count * 8, "bytes; an order has eight for each patch"


def test_for_a_gpu_a_batch_is_pinned_whole(
    store: PatchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.share_memory_)
    for device in ("cpu", "cuda"):
        batch = batches(store, Processes(0, 1, torch.device(device))).batch_of_step(0)
        assert batch.classes is not None
        tensors = [*batch.inputs.values(), batch.cloudy, batch.target, batch.valid, batch.classes]
        assert {tensor.is_shared() for tensor in tensors} == {device == "cuda"}


def test_two_processes_share_an_epoch(store: PatchStore) -> None:
    alone = batches(store, batch_size=4).batch_of_step(1)
    shared = [batches(store, Processes(rank, 2, CPU)).batch_of_step(1) for rank in (0, 1)]
    assert alone.files == shared[0].files + shared[1].files
    assert torch.equal(alone.target, torch.cat([part.target for part in shared]))


def test_all_arrays_are_cut_and_turned_together(store: PatchStore) -> None:
    seen = [batches(store, batch_size=6).batch_of_step(step) for step in range(4)]
    for batch in seen:
        assert batch.cloudy.shape == (6, 13, 16, 16)
        assert batch.classes is not None
        # The scale of DSen2-CR: reflectance times 5.
        assert torch.equal(batch.cloudy[:, 0] > 0.4 * 5, batch.classes == MaskClass.CLOUD)
        clear = batch.classes == MaskClass.CLEAR
        same = (batch.cloudy == batch.target).all(dim=1)
        assert torch.equal(same, clear), "the field is the same but under the cloud"
    assert len({tuple(batch.cloudy[:, 0].flatten().tolist()) for batch in seen}) == 4


def test_pixels_come_on_the_scale_of_the_network_and_gaps_are_marked() -> None:
    cloudy, clear = (np.full((13, 4, 4), value, np.float32) for value in (0.5, 0.25))
    sar = np.stack([np.full((4, 4), -12.5), np.full((4, 4), -40.0)]).astype(np.float32)
    clear[:, 0, 0] = np.nan
    card = card_of("sar_opt_cgan")
    batch = collate([scaled_crop(PatchArrays(cloudy, clear, sar, None), card, "a.tif")])
    assert batch.inputs["optical"].unique().tolist() == [0.0]
    assert batch.inputs["sar"].unique().tolist() == [-1.0, 0.0]
    assert batch.target[0, :, 1:].unique().tolist() == [-0.5]
    assert not batch.valid[0, :, 0, 0].any()
    assert batch.valid.sum() == 13 * 15
    assert torch.equal(batch.target[0, :, 0, 0], batch.cloudy[0, :, 0, 0])


def test_a_network_without_optical_input_sees_radar_alone() -> None:
    card = card_of("sar2opt")
    arrays = np.full((13, 4, 4), 0.5, np.float32), np.full((13, 4, 4), 0.5, np.float32)
    sar = np.zeros((2, 4, 4), np.float32)
    assert collate([scaled_crop(PatchArrays(*arrays, sar, None), card, "")]).inputs.keys() == {
        "sar"
    }


def test_a_network_that_asks_for_shadows_gets_those_of_the_mask() -> None:
    arrays = np.full((13, 4, 4), 0.5, np.float32), np.full((13, 4, 4), 0.5, np.float32)
    sar, mask = np.full((2, 4, 4), -12.0, np.float32), np.zeros((4, 4), np.uint8)
    mask[0], mask[1] = MaskClass.SHADOW, MaskClass.CLOUD
    batch = collate([scaled_crop(PatchArrays(*arrays, sar, mask), card_of("cloudfree_s"), "")])
    assert batch.inputs["shadow"].shape == (1, 1, 4, 4)
    assert batch.inputs["shadow"][0, 0].sum(dim=1).tolist() == [4.0, 0.0, 0.0, 0.0]
    other = collate([scaled_crop(PatchArrays(*arrays, sar, mask), card_of(), "")])
    assert "shadow" not in other.inputs


def test_a_patch_that_is_read_once_is_not_read_again(tmp_path: Path) -> None:
    folder = write_patches(tmp_path, count=1, side=32)
    store = PatchStore(list_samples(folder, offset_dn=0.0).samples, card_of(), 16, None)
    first = store.get(0)
    for path in folder.iterdir():
        path.unlink()
    assert store.get(0) is first


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
def clear_store(folder: Path) -> PatchStore:
    return PatchStore(list_samples(folder, offset_dn=0.0).samples, card(), 32, snow)


def batch_of(clear_store: PatchStore, share: float, step: int = 0, **changes: Any) -> Batch:
    settings = choose_settings(
        "dsen2_cr", {"crop": 32, "batch_size": 4, "simulate_clouds": share, **changes}
    )
    return Batches(clear_store, card(), settings).batch_of_step(step)


def simulated(batch: Batch) -> list[bool]:
    assert batch.classes is not None
    return [not bool((classes == MaskClass.SNOW).any()) for classes in batch.classes]


def test_the_share_of_patches_under_simulated_clouds_is_that_of_the_recipe(
    clear_store: PatchStore,
) -> None:
    for share in (0.0, 0.5, 1.0):
        kinds = [one for step in range(8) for one in simulated(batch_of(clear_store, share, step))]
        assert np.mean(kinds) == pytest.approx(share, abs=0.2)
        assert share == 0.5 or set(kinds) == {bool(share)}


def test_nothing_else_of_a_batch_changes(clear_store: PatchStore) -> None:
    own, other = batch_of(clear_store, 0.0), batch_of(clear_store, 1.0)
    assert own.files == other.files
    assert torch.equal(own.target, other.target)
    assert torch.equal(own.inputs["sar"], other.inputs["sar"])
    assert not torch.equal(own.cloudy, other.cloudy)


def test_the_true_mask_comes_along(clear_store: PatchStore) -> None:
    batch = batch_of(clear_store, 1.0)
    assert batch.classes is not None
    assert {int(value) for value in batch.classes.unique()} <= {0, 1, 2}
    clear = batch.classes == MaskClass.CLEAR
    unchanged = (batch.cloudy == batch.target).all(dim=1)
    assert unchanged[clear].all()
    assert not unchanged.all()


def test_a_step_sees_the_same_clouds_whenever_it_is_taken(
    folder: Path, clear_store: PatchStore
) -> None:
    samples = list_samples(folder, offset_dn=0.0).samples
    fresh = PatchStore(samples, card(), 32, snow)
    seen = [batch_of(clear_store, 0.7, step) for step in (5, 0, 5)]
    assert torch.equal(seen[0].cloudy, seen[2].cloudy)
    assert torch.equal(seen[0].cloudy, batch_of(fresh, 0.7, 5).cloudy), "whatever was read before"
    assert not torch.equal(seen[0].cloudy, seen[1].cloudy)
    assert not torch.equal(seen[0].cloudy, batch_of(clear_store, 0.7, 5, seed=9).cloudy)


def test_real_clouds_are_of_the_patches_that_are_learned_from(
    clear_store: PatchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[np.ndarray] = []

    def watched(cloudy: np.ndarray, *rest: Any) -> Any:
        cut.append(cloudy)
        return cut_layer(cloudy, *rest)

    monkeypatch.setattr(simulated_clouds, "cut_layer", watched)
    pixels = clear_store.get(0)
    assert pixels is not None
    for seed in range(12):
        under_simulated_clouds(pixels, OPTICAL_BANDS, clear_store, np.random.default_rng(seed))
    own = [clear_store.get(index) for index in range(len(clear_store.samples))]
    assert len(cut) >= 2
    assert all(any(cloudy is patch.cloudy for patch in own if patch) for cloudy in cut)


def test_patches_without_a_cloudy_image_are_always_under_simulated_clouds(tmp_path: Path) -> None:
    folder = write_patches(tmp_path, count=2, side=SIDE)
    for number in range(2):
        (folder / f"p{number}_s2_cloudy.tif").unlink()
    samples = list_samples(folder, offset_dn=0.0, needed=("clear",)).samples
    assert [sample.cloudy for sample in samples] == [None, None]
    clear_store = PatchStore(samples, card(), 32, snow)
    assert simulated(batch_of(clear_store, 0.01, batch_size=2)) == [True, True]


class TestTimeSeries:
    """Batches of several dates."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> PatchStore:
        write_time_series(tmp_path, SERIES_TRAIN)
        samples = list_samples(tmp_path, dates=3).samples
        return PatchStore(samples, _card("uncrtaints", multi_date=True), 32, None)

    def test_a_patch_has_its_other_dates_and_counts_them_in_memory(self, store: PatchStore) -> None:
        pixels = store.get(0)
        assert pixels is not None
        assert [one.days for one in pixels.others] == [-12.0, 24.0]
        alone = replace(pixels, others=())
        # Two images, cloudy and clear, and one radar; two of each.
        assert pixels.bytes - alone.bytes == 2 * (13 + 2) * SERIES_SIDE**2 * 4

    def test_every_date_is_cut_and_turned_alike(self, store: PatchStore) -> None:
        settings = choose_settings(
            "uncrtaints",
            {"preset": "time-series", "crop": 32, "batch_size": 2, "augment": True, "seed": 3},
        )
        batch = Batches(store, _card("uncrtaints", multi_date=True), settings).batch_of_step(1)
        assert {name: tuple(value.shape) for name, value in batch.inputs.items()} == {
            "optical": (2, 3, 13, 32, 32), "sar": (2, 3, 2, 32, 32), "dates": (2, 3),
        }  # fmt: skip
        assert torch.equal(batch.inputs["optical"][:, 0], batch.cloudy)
        # All radar images of the series are equal, and so are parts of them.
        assert torch.equal(batch.inputs["sar"][:, 0], batch.inputs["sar"][:, 2])
        assert batch.target.shape == (2, 13, 32, 32)

    def test_a_network_learns_from_the_numbers_that_it_predicts_from(
        self, store: PatchStore
    ) -> None:
        pixels, card = store.get(0), _card("uncrtaints", multi_date=True)
        assert pixels is not None
        tile = TileInputs(pixels.cloudy, pixels.sar, others=pixels.others, day=pixels.day)
        fed = Model(card, Paired()).scaled([tile])
        learned = scaled_crop(pixels, card, "a.tif").inputs
        assert learned.keys() == fed.keys()
        assert all(np.array_equal(learned[name], fed[name][0]) for name in fed)
