"""ONNX files agree with torch, say what they take, and run where they say."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from cloudfree.commands.models import show
from cloudfree.core.terminal import silent
from cloudfree.errors import ModelError
from cloudfree.inference import export, onnx_runtime
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.export import OnnxParity, noise, write_onnx
from cloudfree.inference.load import load_model
from cloudfree.inference.model import TileInputs
from cloudfree.inference.model_card import ModelCard, card_entries_of, model_card, toml_text
from cloudfree.inference.model_store import CARD
from cloudfree.inference.onnx_runtime import CARD_KEY, OnnxRuntime, read_onnx_card
from cloudfree.inference.registry import card_entries
from tests.factories.networks import lively
from tests.inference.test_checkpoint import SMALL

# Tracing takes its time: one network stands for all, the others wait for `make test-slow`.
QUICK = "dsen2_cr"


def _card(name: str, settings: dict) -> ModelCard:
    own = {"name": name, "weights": "a.pth", "weights_sha256": "0" * 64}
    return model_card({**card_entries(name, settings), **own})


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module, OnnxParity]:
    """An ONNX file, the network in it, and how they compare."""
    path = tmp_path_factory.mktemp("onnx") / "small.onnx"
    network = lively(build_network(QUICK, SMALL[QUICK]))
    return path, network, write_onnx(network, _card(QUICK, SMALL[QUICK]), path, 18)


def test_the_file_names_its_inputs_outputs_and_axes(exported) -> None:
    path, _, agreement = exported
    runtime = OnnxRuntime(path, "cpu")
    assert runtime.inputs == {
        "optical": ["batch", 13, "height", "width"],
        "sar": ["batch", 2, "height", "width"],
    }
    assert runtime.outputs == ["image"]
    assert agreement.sizes == ((1, 64, 32), (3, 32, 64))
    assert onnx.load(path).opset_import[0].version == 18


def test_the_card_is_in_the_file(exported) -> None:
    card = read_onnx_card(exported[0])
    assert card.weights == "small.onnx"
    assert card.weights_sha256 == hashlib.sha256(exported[0].read_bytes()).hexdigest()
    own = {"weights": "a.pth", "weights_sha256": "0" * 64}
    assert replace(card, **own) == _card(QUICK, SMALL[QUICK])


def test_a_folder_whose_file_is_another_than_its_card_says_is_refused(
    exported, tmp_path: Path
) -> None:
    shutil.copy(exported[0], tmp_path)
    card = read_onnx_card(exported[0])
    (tmp_path / CARD).write_text(toml_text(card_entries_of(card)))
    assert load_model(str(tmp_path), "cpu").card == card
    other = replace(card, weights_sha256="0" * 64)
    (tmp_path / CARD).write_text(toml_text(card_entries_of(other)))
    with pytest.raises(
        ModelError, match=r"small\.onnx have SHA-256 \w{12}; wanted 000000000000 as"
    ):
        load_model(str(tmp_path), "cpu")


def test_the_file_has_no_paths_of_the_machine(exported) -> None:
    content = exported[0].read_bytes()
    assert str(Path(torch.__file__).parents[1]).encode() not in content
    assert str(Path(export.__file__).parents[2]).encode() not in content


def test_the_export_is_one_file(exported) -> None:
    assert [path.name for path in exported[0].parent.iterdir()] == ["small.onnx"]


def test_sides_that_the_file_is_wrong_for_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file may follow another branch than torch where there are few pixels."""
    difference = export._difference
    monkeypatch.setattr(
        export,
        "_difference",
        lambda *given: 1.0 if given[2]["sar"].shape[-1] < 8 else difference(*given),
    )
    path = tmp_path / "a.onnx"
    network = build_network(QUICK, SMALL[QUICK])
    assert write_onnx(network, _card(QUICK, SMALL[QUICK]), path, 18).smallest_side == 8
    runtime = OnnxRuntime(path, "cpu")
    runtime.run(noise(_card(QUICK, SMALL[QUICK]), (1, 8, 8)))
    with pytest.raises(ModelError, match=r"1 x 13 x 9 x 7 .*; wanted sides of at least 8 pixels"):
        runtime.run(noise(_card(QUICK, SMALL[QUICK]), (1, 9, 7)))


def test_other_bands_than_the_file_takes_are_refused(exported) -> None:
    runtime = OnnxRuntime(exported[0], "cpu")
    optical, sar = np.zeros((1, 4, 8, 8), np.float32), np.zeros((1, 2, 8, 8), np.float32)
    text = r"optical of 1 x 4 x 8 x 8 .*; wanted batch x 13 x height"
    with pytest.raises(ModelError, match=text):
        runtime.run({"optical": optical, "sar": sar})
    with pytest.raises(ModelError, match="sar of no array"):
        runtime.run({"optical": np.zeros((1, 13, 8, 8), np.float32)})


def test_it_reports_the_provider_that_it_got(exported) -> None:
    for device in ("auto", "cpu"):
        runtime = OnnxRuntime(exported[0], device)
        got = runtime._session.get_providers()[0]
        assert runtime.description == f"ONNX Runtime {onnxruntime.__version__}, {got}"
    assert got == "CPUExecutionProvider"
    assert runtime.batch == 1


def test_a_gpu_that_is_not_there_is_refused(exported) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    for device in ("cuda", "cuda:1"):
        with pytest.raises(
            ModelError,
            match=rf"device {device}, but ONNX Runtime runs on CPUEx\w+; wanted a session on CUDA",
        ):
            load_model(str(exported[0]), device)


def test_looking_for_a_gpu_is_silent(exported, capfd: pytest.CaptureFixture[str]) -> None:
    OnnxRuntime(exported[0], "auto")
    assert capfd.readouterr() == ("", "")


def test_a_gpu_that_only_torch_can_use_is_a_warning(
    exported, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    OnnxRuntime(exported[0], "auto")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(onnx_runtime, "_providers", lambda _: ["CPUExecutionProvider"])
    OnnxRuntime(exported[0], "cpu")
    assert not caplog.messages
    OnnxRuntime(exported[0], "auto")
    assert len(caplog.messages) == 1
    assert "ONNX Runtime cannot use the GPU that torch sees" in caplog.text


def test_an_unknown_device_is_refused(exported) -> None:
    with pytest.raises(ModelError, match="device 'toaster'; wanted auto, cpu, cuda or cuda:N"):
        OnnxRuntime(exported[0], "toaster")


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_text("hello")
    with pytest.raises(ModelError, match=r"a\.onnx cannot be loaded \(.*\); wanted an ONNX model"):
        read_onnx_card(path)
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in ("x", "y")]
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "g", value[:1], value[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)],
                                ir_version=8), path)  # fmt: skip
    with pytest.raises(ModelError, match="carries no card; wanted an ONNX file made by"):
        read_onnx_card(path)


def test_metadata_is_one_json_object(exported) -> None:
    (entry,) = [p for p in onnx.load(exported[0]).metadata_props if p.key == CARD_KEY]
    assert json.loads(entry.value)["network"] == QUICK


def test_another_precision_than_the_exported_one_is_refused(
    exported: tuple[Path, nn.Module, OnnxParity],
) -> None:
    with pytest.raises(ModelError, match="precision bf16 for an ONNX file; wanted fp32"):
        load_model(str(exported[0]), "cpu", "bf16")
    assert load_model(str(exported[0]), "cpu", "fp32").card.inputs == ("optical", "sar")


class TestWithoutAKnownNetwork:
    """A file with a complete card needs no network of the registry."""

    @pytest.fixture
    def entries(self, exported, tmp_path: Path) -> dict[str, Any]:
        """A folder with a file of any origin, and the entries for its card."""
        path = tmp_path / "model.onnx"
        model = onnx.load(exported[0])
        del model.metadata_props[:]
        onnx.save(model, path)
        card = card_entries_of(_card(QUICK, SMALL[QUICK]))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return {**card, "weights": path.name, "weights_sha256": digest}

    @pytest.mark.parametrize("network", ["my_own", None])
    def test_its_card_names_any_or_none(
        self, entries: dict[str, Any], tmp_path: Path, network: str | None
    ) -> None:
        del entries["network"]
        named = entries | ({"network": network} if network else {})
        (tmp_path / CARD).write_text(toml_text(named))
        model = load_model(str(tmp_path), "cpu")
        assert model.card.network == (network or "unknown")
        shape = len(model.card.optical_bands), 32, 32
        tile = TileInputs(np.full(shape, 0.3, np.float32), np.zeros((2, 32, 32), np.float32))
        assert model.predict([tile])[0].shape == shape
        shown = show.run(show.ShowOptions(str(tmp_path)), silent)
        assert f"\nnetwork     {network or 'unknown'}\n" in shown.summary()

    def test_a_missing_entry_is_named(self, entries: dict[str, Any], tmp_path: Path) -> None:
        del entries["network"], entries["tile"]
        (tmp_path / CARD).write_text(toml_text(entries))
        with pytest.raises(ModelError, match=r"no entry tile @ card\.tile"):
            load_model(str(tmp_path), "cpu")

    def test_a_checkpoint_needs_its_network(self, entries: dict[str, Any], tmp_path: Path) -> None:
        (tmp_path / CARD).write_text(
            toml_text({**entries, "network": "my_own", "weights": "a.safetensors"})
        )
        with pytest.raises(ModelError, match=r"no network 'my_own'; .*--plugin"):
            load_model(str(tmp_path), "cpu")
