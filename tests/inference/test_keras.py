"""Keras files of DSen2-CR: every layout is read, everything else is refused in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from cloudfree.errors import ModelError
from cloudfree.inference.keras import read_keras
from cloudfree.networks.dsen2_cr import DSen2CR

LAYOUTS = [
    "weights_legacy_keras2.h5",
    "full_model_keras2.hdf5",
    "keras224_like.hdf5",
    "keras224_like_offset35.hdf5",
    "keras224_like_multigpu.hdf5",
]
BLOCKS = 5  # 12 convolutions: the alphabet puts conv2d_10 before conv2d_2


def network(blocks: int = BLOCKS, sar_bands: int = 2) -> DSen2CR:
    torch.manual_seed(1)
    return DSen2CR(features=3, blocks=blocks, sar_bands=sar_bands)


Layers = list[tuple[str, dict[str, np.ndarray[Any, Any]]]]


def layers_of(model: DSen2CR, first: int = 1) -> Layers:
    """Layers as Keras lists them: each convolution with its tensors, each addition with none."""
    tensors = list(model.state_dict().values())
    layers: Layers = [("input_1", {}), ("concatenate_1", {})]
    for i, (weight, bias) in enumerate(zip(tensors[::2], tensors[1::2], strict=True)):
        name = f"conv2d_{first + i}" if first + i else "conv2d"
        kernel = weight.numpy().transpose(2, 3, 1, 0)
        named = {f"{name}/kernel:0": kernel, f"{name}/bias:0": bias.numpy()}
        layers += [(name, named), (f"add_{i + 1}", {})]
    return layers


def write(
    path: Path, layers: Layers, *, root: str = "model_weights", as_bytes: bool = True
) -> Path:
    """Write layers the way Keras does."""

    def names(texts: Sequence[str]) -> Any:
        return np.array([text.encode() for text in texts]) if as_bytes else list(texts)

    with h5py.File(path, "w") as file:
        top = file.create_group(root) if root else file
        top.attrs["layer_names"] = names([name for name, _ in layers])
        for name, tensors in layers:
            group = top.create_group(name)
            group.attrs["weight_names"] = names(list(tensors))
            for tensor, values in tensors.items():
                group.create_dataset(tensor, data=values)
        if root:
            optimizer = file.create_group("optimizer_weights")
            optimizer.create_dataset("m_0", data=np.zeros((3, 3, 15, 3)))
    return path


def in_one_layer(layers: Layers) -> Layers:
    """As from several GPUs: everything nested in one layer."""
    nested = {name: values for _, tensors in layers for name, values in tensors.items()}
    return [("input_1", {}), ("model_1", nested), ("concatenate_3", {})]


def assert_same(read: dict[str, torch.Tensor], model: DSen2CR) -> None:
    wanted = model.state_dict()
    assert list(read) == list(wanted)
    assert all(torch.equal(read[key], wanted[key]) for key in wanted)


class TestGolden:
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_every_layout_holds_the_same_weights(self, golden: Path, layout: str) -> None:
        folder = golden / "dsen2_cr" / "small"
        state = read_keras(folder / layout)
        torch.testing.assert_close(
            state, dict(load_file(folder / "weights.safetensors")), rtol=0, atol=1e-8
        )

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_the_network_gives_what_keras_gave(self, golden: Path, layout: str) -> None:
        folder = golden / "dsen2_cr" / "small"
        model = DSen2CR(features=24, blocks=3).eval()
        model.load_state_dict(read_keras(folder / layout))
        with np.load(folder / "inputs.npz") as given_arrays, torch.inference_mode():
            inputs = (torch.from_numpy(given_arrays[name]) for name in ("opt", "sar"))
            image = model(*inputs)["image"].numpy()
        with np.load(folder / "outputs_keras.npz") as wanted:
            np.testing.assert_allclose(image, wanted["out"], rtol=0, atol=5e-6)


@pytest.mark.parametrize("first", [0, 1, 2, 35, 95])
@pytest.mark.parametrize("root", ["model_weights", ""])
@pytest.mark.parametrize("as_bytes", [True, False])
@pytest.mark.parametrize("arrange", [list, in_one_layer])
def test_layers_come_in_the_order_of_the_network(
    tmp_path: Path, first: int, root: str, as_bytes: bool, arrange: Callable[[Layers], Layers]
) -> None:
    model = network()
    layers = arrange(layers_of(model, first))
    path = write(tmp_path / "weights.h5", layers, root=root, as_bytes=as_bytes)
    assert_same(read_keras(path), model)


def test_the_list_of_layers_decides_not_their_numbers(tmp_path: Path) -> None:
    model = network()
    renumbered = layers_of(model, first=1)
    numbers = [13 - i for i in range(1, 13)]
    for i, number in zip(range(2, len(renumbered), 2), numbers, strict=True):
        tensors = renumbered[i][1].values()
        names = (f"conv2d_{number}/kernel:0", f"conv2d_{number}/bias:0")
        renumbered[i] = (f"conv2d_{number}", dict(zip(names, tensors, strict=True)))
    assert_same(read_keras(write(tmp_path / "weights.h5", renumbered)), model)


@given(blocks=st.integers(1, 12), sar_bands=st.sampled_from([0, 2]))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sizes_follow_from_the_tensors(tmp_path: Path, blocks: int, sar_bands: int) -> None:
    model = network(blocks, sar_bands)
    assert_same(read_keras(write(tmp_path / "weights.h5", layers_of(model))), model)


class TestRefusals:
    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"^no file .*gone\.h5; wanted .*; correct the path$"):
            read_keras(tmp_path / "gone.h5")

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip, as .keras files are"])
    def test_another_kind_of_file(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "weights.h5"
        path.write_bytes(content)
        with pytest.raises(ModelError, match=r"weights\.h5 is not an HDF5 file; .*model\.save"):
            read_keras(path)

    def test_hdf5_from_elsewhere(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "scene.h5", "w") as file:
            file.create_dataset("reflectance", data=np.zeros((3, 3, 15, 3)))
        with pytest.raises(ModelError, match=r"scene\.h5 lists no Keras layers; wanted .*DSen2-CR"):
            read_keras(tmp_path / "scene.h5")

    @pytest.mark.parametrize("root", ["model_weights", ""])
    def test_model_weights_that_are_no_group(self, tmp_path: Path, root: str) -> None:
        path = tmp_path / "odd.h5"
        with h5py.File(path, "w") as file:
            top = file.create_group(root) if root else file
            top.attrs["layer_names"] = ["conv2d"]
            top.create_dataset("conv2d", data=np.zeros(3)).attrs["weight_names"] = ["kernel:0"]
        with pytest.raises(ModelError, match=r"conv2d/kernel:0, but does not have it"):
            read_keras(path)

    @pytest.mark.parametrize(("kept", "found"), [(0, 0), (1, 1), (2, 2), (11, 11)])
    def test_a_wrong_number_of_convolutions(self, tmp_path: Path, kept: int, found: int) -> None:
        path = write(tmp_path / "weights.h5", layers_of(network())[: 2 + 2 * kept])
        wanted = rf"weights\.h5 holds {found} convolutions and {found} biases; wanted 2 .*"
        with pytest.raises(ModelError, match=wanted):
            read_keras(path)

    def test_a_convolution_without_bias(self, tmp_path: Path) -> None:
        layers = layers_of(network())
        del layers[4][1]["conv2d_2/bias:0"]
        with pytest.raises(ModelError, match="holds 12 convolutions and 11 biases"):
            read_keras(write(tmp_path / "weights.h5", layers))

    @pytest.mark.parametrize(
        ("layer", "shape"), [(2, (3, 3, 7, 3)), (4, (1, 1, 3, 3)), (24, (3, 3, 3, 12))]
    )
    def test_a_convolution_of_another_size(
        self, tmp_path: Path, layer: int, shape: tuple[int, ...]
    ) -> None:
        layers = layers_of(network())
        name, tensors = layers[layer]
        tensors[f"{name}/kernel:0"] = np.zeros(shape)
        refused = rf"{name}/kernel:0 of shape \({shape[0]}, .*\) as model\.[\w.]+; wanted shape \("
        with pytest.raises(ModelError, match=refused):
            read_keras(write(tmp_path / "weights.h5", layers))

    @pytest.mark.parametrize("lost", ["conv2d_3", "conv2d_3/conv2d_3/kernel:0"])
    def test_a_tensor_that_is_listed_but_not_there(self, tmp_path: Path, lost: str) -> None:
        path = write(tmp_path / "weights.h5", layers_of(network()))
        with h5py.File(path, "r+") as file:
            del file[f"model_weights/{lost}"]
        refused = rf"lists /model_weights/{lost}, but does not have it; .*damaged"
        with pytest.raises(ModelError, match=refused):
            read_keras(path)

    def test_names_that_are_no_text(self, tmp_path: Path) -> None:
        path = write(tmp_path / "weights.h5", layers_of(network()))
        with h5py.File(path, "r+") as file:
            file["model_weights"].attrs["layer_names"] = np.array([b"conv2d_\xff"])
        with pytest.raises(ModelError, match=r"weights\.h5 cannot be read to its end .*damaged"):
            read_keras(path)

    def test_a_tensor_whose_description_is_damaged(self, tmp_path: Path) -> None:
        path = write(tmp_path / "weights.h5", layers_of(network()))
        with h5py.File(path) as file:
            place = h5py.h5o.get_info(file["model_weights/conv2d_5/conv2d_5/kernel:0"].id).addr
        damaged = bytearray(path.read_bytes())
        damaged[place : place + 16] = bytes(16)
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=r"^weights\.h5 cannot be read .*damaged[^\n]*$"):
            read_keras(path)

    @given(share=st.floats(0, 0.999))
    @settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_a_truncated_file(self, tmp_path: Path, share: float) -> None:
        whole = write(tmp_path / "weights.h5", layers_of(network())).read_bytes()
        path = tmp_path / "part.h5"
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ModelError, match=r"^part\.h5 .*; wanted .*; [^\n]*$"):
            read_keras(path)


@pytest.mark.parametrize("how", ["a link", "bytes", "a link of all", "a virtual tensor"])
def test_tensors_of_another_file_are_refused(tmp_path: Path, how: str) -> None:
    """HDF5 links to other files, and takes the bytes of any file for numbers."""
    other = write(tmp_path / "other.h5", layers_of(network()))
    path = write(tmp_path / "weights.h5", layers_of(network()))
    place = "model_weights/conv2d_1/conv2d_1/bias:0"
    with h5py.File(path, "r+") as file:
        shape = file[place].shape
        if how == "a link of all":
            del file["model_weights"]
            file["model_weights"] = h5py.ExternalLink(other.name, "/model_weights")
        else:
            del file[place]
        if how == "a link":
            file[place] = h5py.ExternalLink(other.name, f"/{place}")
        elif how == "bytes":
            size = 4 * shape[0]
            file.create_dataset(place, shape, "f4", external=[("other.h5", 0, size)])
        elif how == "a virtual tensor":
            layout = h5py.VirtualLayout(shape, "f4")
            layout[:] = h5py.VirtualSource(str(other), place, shape)
            file.create_virtual_dataset(place, layout)
    with pytest.raises(ModelError, match=r"weights\.h5 takes /model_weights.* from another file"):
        read_keras(path)
