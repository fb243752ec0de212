"""The torch runtime: half the bits give the same picture, on whatever device there is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cloudfree.core.radiometry import Float32
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.load import load_model
from cloudfree.inference.model import Model, TileInputs
from cloudfree.inference.model_card import model_card
from cloudfree.inference.registry import DEFAULT_MODEL, card_entries
from cloudfree.inference.torch_runtime import TorchRuntime, devices, split_threads
from cloudfree.parallel.threads import prefetch
from cloudfree.simulation.scene import SAR_MARGIN_PX, simulate_scene
from tests.inference.test_checkpoint import SMALL

# What bf16 may differ by from fp32, as PSNR of reflectance in decibels.
LEAST_DB = 50.0
PRECISIONS_HERE = (torch.float32, torch.bfloat16)
NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.fixture(scope="module")
def tile() -> TileInputs:
    scene = simulate_scene((128, 128), 3, 0.4, (0.0, 0.0))
    inside = slice(SAR_MARGIN_PX, SAR_MARGIN_PX + 128)
    return TileInputs(scene.cloudy, scene.sar[:, inside, inside])


def _predicted(device: str, precision: str, tile: TileInputs) -> Float32:
    (image,) = load_model(DEFAULT_MODEL, device, precision).predict([tile])
    return image


def _psnr_db(one: Float32, other: Float32) -> float:
    return float(-10 * np.log10(np.mean((one - other) ** 2)))


def test_bf16_gives_the_picture_of_fp32(tile: TileInputs) -> None:
    exact, coarse = (_predicted("cpu", precision, tile) for precision in ("fp32", "bf16"))
    assert not np.array_equal(exact, coarse)
    assert _psnr_db(exact, coarse) > LEAST_DB
    for one, other in zip(exact, coarse, strict=True):
        assert len(np.unique(other)) > 0.9 * len(np.unique(one))


@pytest.mark.parametrize("name", list(SMALL))
def test_every_network_ends_in_full_precision(name: str, tile: TileInputs) -> None:
    """In bf16 alone a band between a half and all has 129 values, which shows on even ground."""
    exact, coarse = (_small(name, precision, tile) for precision in PRECISIONS_HERE)
    assert not np.array_equal(exact, coarse)
    assert _psnr_db(exact, coarse) > LEAST_DB
    for one, other in zip(exact, coarse, strict=True):
        assert len(np.unique(other)) > 0.9 * len(np.unique(one))


def _small(name: str, precision: torch.dtype, tile: TileInputs) -> Float32:
    """What a small member of a family predicts for the tile, before it learns anything."""
    own = {"name": name, "weights": "", "weights_sha256": ""}
    card = model_card({**card_entries(name, SMALL[name]), **own})
    torch.manual_seed(0)
    network = build_network(name, SMALL[name])
    runtime = TorchRuntime(network, card.inputs, torch.device("cpu"), precision)
    seen = tile if card.uses_sar else TileInputs(tile.optical)
    (image,) = Model(card, runtime).predict([seen])
    return image


@NEEDS_GPU
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_gpu_gives_the_picture_of_the_cpu(tile: TileInputs, precision: str) -> None:
    assert _psnr_db(_predicted("cpu", "fp32", tile), _predicted("cuda", precision, tile)) > LEAST_DB


def test_the_devices_are_listed_in_words() -> None:
    first, *gpus = devices()
    assert first.startswith("cpu (")
    assert len(gpus) == (torch.cuda.device_count() if torch.cuda.is_available() else 0)


@pytest.mark.parametrize(
    ("threads", "batches", "each"), [(1, 1, 1), (2, 2, 1), (3, 3, 1), (7, 4, 1), (16, 4, 4)]
)
def test_batches_side_by_side_share_out_the_threads_of_the_cpu(
    threads: int, batches: int, each: int
) -> None:
    runtime, before = load_model(DEFAULT_MODEL, "cpu").runtime, torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with (
            runtime.parallel_batches() as found,
            prefetch(lambda _: torch.get_num_threads(), [None]) as asked,
        ):
            ((_, on_thread),) = asked
        assert (found, on_thread) == (batches, each)
        assert torch.get_num_threads() == threads, "they are given back"
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 16])
def test_on_a_gpu_one_batch_is_made_ready_while_another_is_computed(threads: int) -> None:
    assert split_threads(torch.device("cuda"), threads) == (2, threads)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch without oneDNN")
def test_one_thread_convolves_by_the_routines_of_several(tile: TileInputs) -> None:
    """By itself torch takes a slow one for 1 x 1 kernels."""
    model, before = load_model(DEFAULT_MODEL, "cpu"), torch.get_num_threads()
    used = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            with torch.profiler.profile() as profile:
                model.predict([tile])
            counts = {event.key: event.count for event in profile.key_averages()}
            used.append({name: counts[name] for name in counts if "conv" in name})
    finally:
        torch.set_num_threads(before)
    assert used[0] == used[1]
    assert used[0]["aten::mkldnn_convolution"] > 10


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=NEEDS_GPU)])
def test_tiles_side_by_side_are_predicted_as_alone(tile: TileInputs, device: str) -> None:
    model = load_model(DEFAULT_MODEL, device, "fp32")
    (alone,) = model.predict([tile])
    with (
        model.runtime.parallel_batches() as batches,
        prefetch(model.predict, [[tile]] * 4, batches, batches) as predicted,
    ):
        for _, (image,) in predicted:
            assert np.abs(image - alone).max() < 1e-5
