"""Exported files agree with torch, or are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cloudfree.errors import ModelError
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.export import TOLERANCE, export_side, noise, write_onnx
from cloudfree.inference.onnx_runtime import OnnxRuntime
from cloudfree.inference.torch_runtime import TorchRuntime
from tests.factories.networks import lively
from tests.inference.test_checkpoint import SMALL
from tests.inference.test_onnx_runtime import QUICK, _card


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n == QUICK else pytest.mark.slow) for n in SMALL]
)
def test_every_network_is_exported_with_free_axes_and_agrees(tmp_path: Path, name: str) -> None:
    path, card = tmp_path / "net.onnx", _card(name, SMALL[name])
    network = lively(build_network(name, SMALL[name]))
    agreement = write_onnx(network, card, path, 18)
    assert agreement.difference <= TOLERANCE
    assert agreement.smallest_side <= export_side(card.multiple)
    runtime = OnnxRuntime(path, "cpu")
    assert runtime.free_axes == ("batch", "height", "width")
    assert list(runtime.inputs) == list(card.inputs)
    reference = TorchRuntime(network, card.inputs, torch.device("cpu"), torch.float32)
    side = export_side(card.multiple)
    inputs = noise(card, (2, side + card.multiple, side), seed=5)
    wanted, found = reference.run(inputs), runtime.run(inputs)
    assert list(found) == list(wanted)
    for key, value in wanted.items():
        # As the export itself compares: in proportion to outputs that exceed 1, which those of
        # recipe weights can by far (GLF-CR's reach 70).
        largest = max(1.0, float(np.abs(value).max()))
        np.testing.assert_allclose(found[key], value, rtol=0, atol=TOLERANCE * largest)


def test_a_file_that_differs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = OnnxRuntime.run
    monkeypatch.setattr(
        OnnxRuntime, "run", lambda *given: {k: v + 0.01 for k, v in run(*given).items()}
    )
    network = build_network(QUICK, SMALL[QUICK])
    with pytest.raises(ModelError, match=r"differs from torch by \d\.\de-0\d; wanted at most 0.00"):
        write_onnx(network, _card(QUICK, SMALL[QUICK]), tmp_path / "a.onnx", 18)


def test_weights_beyond_one_file_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"):
        network = nn.Linear(30_000, 20_000)
    with pytest.raises(ModelError, match=r"weights of 2\.4 GB; wanted less than 2 GB"):
        write_onnx(network, _card(QUICK, {}), Path("never.onnx"), 18)
