"""Exported files agree with torch, or are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cloudfree.errors import ModelError
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.date_series import OtherDate
from cloudfree.inference.export import TOLERANCE, export_side, noise, write_onnx
from cloudfree.inference.model import Model, TileInputs
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.onnx_runtime import OnnxRuntime, read_onnx_card
from cloudfree.inference.torch_runtime import TorchRuntime
from tests.factories.networks import lively
from tests.inference.test_checkpoint import SMALL
from tests.inference.test_onnx_runtime import QUICK, _card

SERIES = {"width": 32, "blocks": 1, "multi_date": True}


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
    reference = _on_torch(network, card)
    side = export_side(card.multiple)
    inputs = noise(card, (2, side + card.multiple, side), seed=5)
    wanted, found = reference.run(inputs), runtime.run(inputs)
    assert list(found) == list(wanted)
    for key, value in wanted.items():
        # As the export itself compares: in proportion to outputs that exceed 1, which those of
        # recipe weights can by far (GLF-CR's reach 70).
        largest = max(1.0, float(np.abs(value).max()))
        np.testing.assert_allclose(found[key], value, rtol=0, atol=TOLERANCE * largest)


class Mean(nn.Module):
    """Weighs the dates of a series by their days; sees through no cloud."""

    def forward(
        self, optical: Tensor, sar: Tensor, dates: Tensor | None = None
    ) -> dict[str, Tensor]:
        if dates is None:
            return {"image": optical + 0 * sar.mean()}
        weights = torch.softmax(dates / 10, dim=1)[:, :, None, None, None]
        return {"image": (optical * weights).sum(dim=1) + 0 * sar.mean()}


@pytest.mark.parametrize(
    "build", [Mean, pytest.param(lambda: lively(build_network("uncrtaints", SERIES)),
                                 marks=pytest.mark.slow)], ids=["mean", "uncrtaints"]
)  # fmt: skip
def test_a_network_of_several_dates_is_exported_with_their_number_free(
    tmp_path: Path, build: Callable[[], nn.Module]
) -> None:
    path, network, card = tmp_path / "net.onnx", build(), _card("uncrtaints", SERIES)
    parity = write_onnx(network, card, path, 18)
    assert parity.difference <= TOLERANCE
    assert parity.smallest_side == 32
    runtime = OnnxRuntime(path, "cpu")
    assert runtime.free_axes == ("batch", "dates", "height", "width")
    assert list(runtime.inputs) == ["optical", "sar", "dates"]
    assert read_onnx_card(path).takes_several_dates
    on_torch, on_onnx = (Model(card, one) for one in (_on_torch(network, card), runtime))
    for dates in (1, 2, 5):
        tile = _tile_of(dates)
        (wanted,), (found,) = (model.predict([tile]) for model in (on_torch, on_onnx))
        np.testing.assert_allclose(found, wanted, rtol=0, atol=TOLERANCE)


def _on_torch(network: nn.Module, card: ModelCard) -> TorchRuntime:
    return TorchRuntime(network, card.inputs, torch.device("cpu"), torch.float32)


def _tile_of(dates: int) -> TileInputs:
    """A tile of noise with so many dates, and sides that are padded."""
    rng = np.random.default_rng(dates)
    first, *others = [
        OtherDate(
            rng.random((13, 40, 70), dtype=np.float32),
            -9.0 * number,
            rng.uniform(-25, 0, (2, 40, 70)).astype(np.float32),
        )
        for number in range(dates)
    ]
    return TileInputs(first.optical, first.sar).with_others(date(2019, 5, 1), others)


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
