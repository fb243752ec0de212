"""Reference arrays: their layouts, and how outputs are compared with them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from cloudfree.commands.models import check
from cloudfree.commands.models.check import differences, network_inputs, read_arrays
from cloudfree.errors import ModelError
from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.registry import card_entries
from tests.fuzz.mutations import encrypted

RNG = np.random.default_rng(0)
OPTICAL = RNG.random((2, 13, 8, 8), dtype=np.float32)
SAR = RNG.random((2, 2, 8, 8), dtype=np.float32)


@pytest.fixture
def card() -> ModelCard:
    own = {"name": "a", "weights": "", "weights_sha256": ""}
    return model_card({**card_entries("dsen2_cr", {}), **own})


def test_separate_inputs_a_stack_and_one_date_are_the_same(card: ModelCard) -> None:
    separate = {"opt": OPTICAL, "sar": SAR}
    found = [
        network_inputs(arrays, card)
        for arrays in (separate, {name: value[:, None] for name, value in separate.items()})
    ]
    for inputs in found:
        assert np.array_equal(inputs["optical"], OPTICAL)
        assert np.array_equal(inputs["sar"], SAR)


def test_inputs_that_are_missing_or_of_other_bands_are_refused(card: ModelCard) -> None:
    with pytest.raises(ModelError, match=r"arrays opt; wanted opt and sar, or x; name the inputs"):
        network_inputs({"opt": OPTICAL}, card)
    with pytest.raises(ModelError, match=r"x of shape .*; wanted 15 bands"):
        network_inputs({"x": OPTICAL}, card)
    with pytest.raises(ModelError, match=r"without dates; wanted \(n, band, y, x\)"):
        network_inputs({"opt": OPTICAL, "sar": np.stack([SAR, SAR], axis=1)}, card)


def test_the_largest_difference_counts(card: ModelCard) -> None:
    scale = card.network_settings.get("scale_by", 1.0)
    expected = OPTICAL * np.float32(scale)
    expected[1, 3, 4, 5] += 0.25
    found = differences({"image": OPTICAL}, {"out": expected}, card)
    assert found == {"out": pytest.approx(0.25, abs=1e-4)}


def test_outputs_that_cannot_be_compared_are_refused(card: ModelCard) -> None:
    broken = OPTICAL.copy()
    broken[0, 0, 0, :3] = np.nan
    with pytest.raises(ModelError, match="out has 3 values that are not finite"):
        differences({"image": broken}, {"out": OPTICAL}, card)
    with pytest.raises(ModelError, match="out has shape"):
        differences({"image": OPTICAL[:, :, :4]}, {"out": OPTICAL}, card)
    with pytest.raises(ModelError, match=r"an expected output 'haze'; wanted one of image, out"):
        differences({"image": OPTICAL}, {"haze": OPTICAL}, card)
    with pytest.raises(ModelError, match="no outputs to compare with"):
        differences({"image": OPTICAL}, {}, card)


def test_a_file_without_arrays_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", opt=OPTICAL)
    assert np.array_equal(read_arrays(tmp_path / "a.npz")["opt"], OPTICAL)
    (tmp_path / "b.npz").write_bytes(b"none")
    with pytest.raises(ModelError, match=r"b\.npz holds no arrays .*; wanted an \.npz file"):
        read_arrays(tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.array(["a"]), "opt has no real numbers"),
        (np.zeros(2, np.complex64), "opt has no real numbers"),
        (np.zeros((0, 13)), "opt has no real numbers"),
    ],
)
def test_arrays_of_something_else_are_refused(tmp_path: Path, values, text: str) -> None:
    np.savez(tmp_path / "a.npz", opt=values)
    with pytest.raises(ModelError, match=rf"a\.npz holds no arrays \({text}\)"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("damage", [b"{'descr': '<f4", b"\x93NUMPY\x01\x00\x02\x00((", b""])
def test_an_array_with_a_damaged_header_is_refused(tmp_path: Path, damage: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("opt.npy", damage)
    with pytest.raises(ModelError, match=r"a\.npz holds no arrays \("):
        read_arrays(tmp_path / "a.npz")


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, opt=OPTICAL)
    path.write_bytes(encrypted(path.read_bytes()))
    with pytest.raises(ModelError, match=r"a\.npz holds no arrays \(.*encrypted"):
        read_arrays(path)


def test_inputs_of_several_sizes_or_other_bands_are_refused(card: ModelCard) -> None:
    with pytest.raises(ModelError, match=r"inputs optical .*; wanted 13 bands of optical and 2"):
        network_inputs({"opt": OPTICAL[:, :12], "sar": SAR}, card)
    with pytest.raises(ModelError, match=r"all of one size; give the inputs of this model"):
        network_inputs({"opt": OPTICAL, "sar": SAR[..., :4]}, card)


def test_arrays_that_unpack_to_more_than_is_meant_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before memory is taken for them."""
    np.savez_compressed(tmp_path / "x.npz", opt=np.zeros(1 << 18, np.float32))
    assert (tmp_path / "x.npz").stat().st_size < 1 << 13
    assert read_arrays(tmp_path / "x.npz")["opt"].size == 1 << 18
    monkeypatch.setattr(check, "_MAX_BYTES", 1 << 20)
    with pytest.raises(ModelError, match=r"x\.npz holds no arrays \(0\.0 GB of arrays, more than"):
        read_arrays(tmp_path / "x.npz")
