"""What one tile takes: known counts, and memory that is that of the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from cloudfree.errors import ErrorCode, ModelError
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.complexity import Complexity, measure_network, measure_onnx
from cloudfree.inference.export import write_onnx
from cloudfree.inference.load import find_card
from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.registry import card_entries
from tests.factories.networks import lively
from tests.inference.test_checkpoint import SMALL


def _card(name: str, **settings: Any) -> ModelCard:
    own = {"name": "a", "weights": "", "weights_sha256": ""}
    return model_card({**card_entries(name, settings), **own})


@pytest.mark.parametrize("size_px", [32, 64])
def test_convolutions_are_counted_as_the_textbook_does(size_px: int) -> None:
    found = measure_network(_card("dsen2_cr", features=8, blocks=2), size_px, "cpu", repeats=1)
    weights = 9 * (15 * 8 + 2 * 2 * 8 * 8 + 8 * 13)
    assert found.macs == weights * size_px**2
    assert found.parameters == weights + 5 * 8 + 13
    assert found.size_px == size_px
    assert found.runtime.startswith("torch ")
    assert f"on cpu, float32, {torch.get_num_threads()} thread(s)" in found.runtime


@pytest.mark.parametrize("name", SMALL)
def test_every_network_can_be_measured(name: str) -> None:
    found = measure_network(_card(name, **SMALL[name]), 128, "cpu", repeats=2)
    assert found.parameters == sum(p.numel() for p in build_network(name, SMALL[name]).parameters())
    assert found.macs is not None and found.macs > 0
    assert found.seconds > 0


def test_attention_counts() -> None:
    small = {"channels": 16, "blocks": 1, "layers": 1, "growth": 8, "heads": 4}
    whole = measure_network(_card("glf_cr", **small), 64, "cpu", repeats=1)
    without = measure_network(_card("glf_cr", variant="without-stl", **small), 64, "cpu", repeats=1)
    tokens, growth = 32 * 32, 8
    projections = 2 * tokens * growth * (3 * growth + growth + 2 * growth + 2 * growth)
    products = 2 * 2 * tokens * 64 * growth
    gate = tokens * 64 * 4 * 4
    assert whole.macs is not None and without.macs is not None
    assert whole.macs - without.macs == projections + products + gate


def test_a_size_that_the_network_does_not_take_is_refused() -> None:
    with pytest.raises(
        ModelError, match="a tile of 100 pixels; wanted a multiple of 16"
    ) as refused:
        measure_network(_card("glf_cr", **SMALL["glf_cr"]), 100, "cpu")
    assert refused.value.code is ErrorCode.BAD_OPTION


def test_an_onnx_file_is_measured_without_its_counts(tmp_path: Path) -> None:
    card = _card("dsen2_cr", **SMALL["dsen2_cr"])
    network = lively(build_network("dsen2_cr", SMALL["dsen2_cr"]))
    write_onnx(network, card, tmp_path / "a.onnx", 18, lambda _: None)
    found = measure_onnx(find_card(str(tmp_path / "a.onnx")), 64, "cpu", repeats=1)
    assert isinstance(found, Complexity)
    assert found.runtime.startswith("ONNX Runtime ")
    assert (found.parameters, found.macs) == (None, None)
    assert found.seconds > 0
