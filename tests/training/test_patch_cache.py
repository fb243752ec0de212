"""Patches are read once, kept while there is room, and skipped with one word of warning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.mask_classes import MaskClass
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Patch, Sample
from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.registry import card_entries
from cloudfree.training import patch_cache
from cloudfree.training.patch_cache import PatchArrays, PatchStore
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
