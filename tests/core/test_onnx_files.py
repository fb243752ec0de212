"""Files from which an ONNX model takes its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from cloudfree.core.onnx_files import external_files
from cloudfree.core.onnx_session import open_session
from cloudfree.errors import ErrorCode, ModelError
from cloudfree.inference.model_store import sha256_of


def write_model(path: Path, location: str, inner: bool = False) -> Path:
    """A model that adds four numbers of the file at `location`, perhaps in a branch of it."""
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location)
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("x", "y")]
    if inner:
        node = helper.make_node("Constant", [], ["y"], value=weights)
        graph = helper.make_graph([node], "g", ports[:1], ports[1:])
    else:
        node = helper.make_node("Add", ["x", "w"], ["y"])
        graph = helper.make_graph([node], "g", ports[:1], ports[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def test_a_file_beside_the_model_is_found_and_used(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.onnx", "w.bin")
    (tmp_path / "w.bin").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    assert external_files(model) == [tmp_path / "w.bin"]
    session = open_session(model, hint="")
    (found,) = session.run(None, {"x": np.ones(4, np.float32)})
    assert found.tolist() == [1, 2, 3, 4]


def test_it_is_part_of_the_hash_by_which_a_card_knows_its_weights(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.onnx", "w.bin")
    hashes = set()
    for numbers in (b"0" * 16, b"1" * 16):
        (tmp_path / "w.bin").write_bytes(numbers)
        hashes.add(sha256_of(model))
    assert len(hashes) == 2
    (tmp_path / "w.bin").unlink()
    with pytest.raises(ModelError, match=r"no weights .*w\.bin; wanted the file"):
        sha256_of(model)


@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("location", ["../w.bin", "/etc/hostname", "below/../../w.bin"])
def test_a_file_elsewhere_is_refused_wherever_it_is_named(
    tmp_path: Path, location: str, inner: bool
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(16))
    model = write_model(folder / "m.onnx", location, inner)
    for opens in (external_files, sha256_of, lambda path: open_session(path, hint="")):
        with pytest.raises(ModelError, match=r"m\.onnx takes weights from \.\./") as refused:
            opens(model)
        assert refused.value.code is ErrorCode.NOT_ALLOWED


def test_a_link_to_a_file_elsewhere_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    (folder / "w.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(ModelError, match="takes weights from"):
        external_files(write_model(folder / "m.onnx", "w.bin"))


def test_a_model_with_its_weights_inside_and_what_is_no_model_have_none(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    for content in (b"location, but no model", b"", onnx.ModelProto().SerializeToString()):
        path.write_bytes(content)
        assert external_files(path) == []


def test_an_operator_of_a_library_of_its_own_is_refused(tmp_path: Path) -> None:
    """No library is loaded for it: it is unknown."""
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("x", "y")]
    node = helper.make_node("Run", ["x"], ["y"], domain="evil", library="./evil.so")
    graph = helper.make_graph([node], "g", ports[:1], ports[1:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("evil", 1)]
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    (tmp_path / "evil.so").write_bytes(b"\x7fELF")
    with pytest.raises(ModelError, match=r"m\.onnx cannot be loaded .*evil"):
        open_session(path, hint="")
