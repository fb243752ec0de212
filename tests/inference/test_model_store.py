"""Models are found by name or path, and are what their cards say."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cloudfree.errors import ModelError
from cloudfree.inference.load import load_model
from cloudfree.inference.model import TileInputs
from cloudfree.inference.model_card import model_card, parse_card_text
from cloudfree.inference.model_store import find_model, model_names
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.torch_runtime import choose_device, choose_precision
from cloudfree.networks.cloudfree_s import CloudfreeS
from tests.conftest import ROOT

SETTINGS = {"channels": [8, 8, 8], "blocks": [1, 1, 1], "sar_channels": 8, "heads": 2, "memory": 2}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with one tiny model in it."""
    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    save_file(CloudfreeS(**SETTINGS).state_dict(), folder / "weights.safetensors")
    card = (ROOT / "models" / DEFAULT_MODEL / "card.toml").read_text()
    settings = "[network_settings]\n" + "\n".join(f"{k} = {v}" for k, v in SETTINGS.items())
    before, _, after = card.partition("[network_settings]")
    card = before + settings + "\n[" + after.partition("\n[")[2]
    (folder / "card.toml").write_text(_with_hash(card, folder / "weights.safetensors"))
    monkeypatch.setenv("CLOUDFREE_MODELS", str(folder.parent))
    return folder


def _with_hash(card: str, weights: Path) -> str:
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    old = parse_card_text(card)["weights_sha256"]
    return card.replace(old, found)


def test_a_model_is_found_by_name_by_folder_and_by_card(shelf: Path) -> None:
    assert find_model("tiny") == shelf
    assert find_model(str(shelf)) == shelf
    assert find_model(str(shelf / "card.toml")) == shelf
    assert {"tiny", DEFAULT_MODEL} <= set(model_names())


def test_an_unknown_model_is_refused_with_the_known_ones(shelf: Path) -> None:
    with pytest.raises(ModelError, match=r"no model 'none'; wanted one of .*tiny"):
        find_model("none")


def test_a_loaded_model_predicts_every_band(shelf: Path) -> None:
    model = load_model("tiny", "cpu")
    tile = TileInputs(np.full((13, 32, 48), 0.2, np.float32), np.full((2, 32, 48), -12, np.float32))
    (prediction,) = model.predict([tile])
    assert prediction.shape == (13, 32, 48)
    assert np.isfinite(prediction).all()
    assert "cpu" in model.runtime.description


def test_other_weights_than_the_card_names_are_refused(shelf: Path) -> None:
    save_file(CloudfreeS(**SETTINGS).state_dict(), shelf / "weights.safetensors")
    with pytest.raises(ModelError, match=r"SHA-256 \w{12}; wanted \w{12} as the card says"):
        load_model("tiny", "cpu")


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_tensors_that_do_not_fit_are_named(shelf: Path, change: str) -> None:
    tensors = CloudfreeS(**SETTINGS).state_dict()
    if change == "missing":
        del tensors["stem.weight"]
    elif change == "extra":
        tensors["stranger"] = torch.zeros(1)
    else:
        tensors["stem.bias"] = torch.zeros(3)
    weights = shelf / "weights.safetensors"
    save_file(tensors, weights)
    (shelf / "card.toml").write_text(_with_hash((shelf / "card.toml").read_text(), weights))
    listed = {"missing": "missing", "extra": "unexpected", "shape": "of another shape"}[change]
    named = {"missing": "stem.weight", "extra": "stranger", "shape": "stem.bias"}[change]
    with pytest.raises(ModelError, match=rf"{listed}: {named}.*; wanted exactly its"):
        load_model("tiny", "cpu")


def test_missing_weights_and_unknown_networks_are_refused(shelf: Path) -> None:
    card = (shelf / "card.toml").read_text()
    (shelf / "card.toml").write_text(card.replace('network = "cloudfree_s"', 'network = "none"'))
    with pytest.raises(ModelError, match="no network 'none'; wanted one of cloudfree_s"):
        load_model("tiny", "cpu")
    (shelf / "card.toml").write_text(card)
    (shelf / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match="no weights"):
        load_model("tiny", "cpu")


def test_a_card_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ModelError, match=r"no entry optical @ card\.optical"):
        model_card({"name": "x"})
    with pytest.raises(ModelError, match="TOMLDecodeError"):
        parse_card_text("name =")


def test_devices_that_are_not_there_are_refused() -> None:
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(ModelError, match="wanted auto, cpu, cuda"):
        choose_device("toaster")
    with pytest.raises(ModelError, match="device 'meta'; wanted auto, cpu, cuda or cuda:N"):
        choose_device("meta")
    if not torch.cuda.is_available():
        with pytest.raises(ModelError, match="torch sees no GPU"):
            choose_device("cuda")


def test_a_gpu_beyond_the_last_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda:0")
    assert choose_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(
        ModelError, match=r"cuda:2, but the last of the GPUs .* is cuda:1; wanted a"
    ):
        choose_device("cuda:2")


def test_precision_follows_the_device_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert choose_precision("auto", cpu) is torch.float32
    assert choose_precision("auto", gpu) is torch.bfloat16
    assert choose_precision("fp16", gpu) is torch.float16


def test_a_gpu_that_emulates_bf16_computes_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation
    )
    assert choose_precision("auto", torch.device("cuda")) is torch.float32
    assert choose_precision("bf16", torch.device("cuda")) is torch.bfloat16
