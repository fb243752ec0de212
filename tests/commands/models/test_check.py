"""Models are checked; published arrays are reproduced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cloudfree.commands.models import check as models_check
from cloudfree.commands.models.check import GOLDEN as GOLDEN_ARRAYS
from cloudfree.commands.models.check import (
    INPUTS,
    PUBLISHED_NAMES,
    CheckOptions,
    CheckResult,
    read_arrays,
)
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError, ModelError
from cloudfree.inference.load import load_model
from cloudfree.inference.model_store import find_model
from cloudfree.inference.registry import DEFAULT_MODEL
from tests.factories.checkpoints import save_checkpoint
from tests.factories.default_golden import simulated_patch
from tests.factories.golden_weights import golden_weights, read_json
from tests.factories.toy_network import plant


def _check(model: Path, inputs: Path, expect: Path, **options: Any) -> CheckResult:
    return models_check.run(CheckOptions(str(model), inputs, expect, **options), silent)


def test_the_default_model_gives_what_it_gave_where_it_was_made() -> None:
    result = models_check.run(CheckOptions(DEFAULT_MODEL), silent)
    assert result.differences.keys() == {"out"}
    assert result.largest <= result.atol == 1e-4
    assert (find_model(DEFAULT_MODEL) / GOLDEN_ARRAYS).stat().st_size < 100_000


def test_the_known_arrays_of_the_default_model_can_be_made_again() -> None:
    folder = find_model(DEFAULT_MODEL)
    fed = load_model(DEFAULT_MODEL, "cpu").scaled([simulated_patch()])
    known = read_arrays(folder / GOLDEN_ARRAYS)
    assert {PUBLISHED_NAMES[name]: array.shape for name, array in fed.items()} == {
        name: array.shape for name, array in known.items() if name in INPUTS
    }


# Every golden folder that has weights: file, and the network where the tensors fit two.
GOLDEN = {
    "glf_cr/small/weights.safetensors": None,
    "glf_cr/small/ckpt_official_layout_legacy.pth": None,
    "glf_cr/small/ckpt_dataparallel_zip.pth": None,
    "cloud_attentive/small/ckpt_official_layout.pth": "cloud_attentive",
    "uncrtaints/mono_l2/weights.safetensors": None,
    "uncrtaints/mono_mgnll_scale10/weights.safetensors": None,
    "uncrtaints/mono_mgnll_scale10/model.pth.tar": None,
    "uncrtaints/mono_mgnll_scale10/model_oldnames.pth.tar": None,
    "uncrtaints/multi_t3/weights.safetensors": None,
    "dsen2_cr/small/weights.safetensors": None,
    "dsen2_cr/small/weights_legacy_keras2.h5": None,
    "dsen2_cr/small/full_model_keras2.hdf5": None,
    "dsen2_cr/small/keras224_like.hdf5": None,
    "dsen2_cr/small/keras224_like_offset35.hdf5": None,
    "dsen2_cr/small/keras224_like_multigpu.hdf5": None,
    "spa_gan/published_RICE1/weights.safetensors": None,
    "spa_gan/published_RICE1/gen_model_epoch_200.pth": None,
    "spa_gan/published_RICE2/weights.safetensors": None,
    "spa_gan/published_RICE2/gen_model_epoch_200.pth": None,
    "spa_gan/rgb3/weights.safetensors": None,
    "spa_gan/s2_13/weights.safetensors": None,
    "mcgan/rgbn4_small/weights.safetensors": None,
    "sar_opt_cgan/unet128_small/weights.safetensors": None,
}
# Weights of one of two stages: no network of the catalogue is one stage.
SINGLE_STAGES = ("G1_s1_2to13_small", "G2_28to13_small")
# These have arrays but no weights: rebuilt from the names of their tensors.
REBUILT = {
    "uncrtaints/mono_mgnll": {"scale_by": 1.0},
    "uncrtaints/mono_residual_block": {},
    "sar2opt/unet128_small": {},
}
WEIGHTS = (".safetensors", ".pth", ".tar", ".h5", ".hdf5")


class TestCheckOfPublishedArrays:
    @pytest.mark.parametrize("weights", GOLDEN)
    def test_published_outputs_are_reproduced(self, golden: Path, weights: str) -> None:
        path = golden / weights
        result = _check(
            path, path.parent / "inputs.npz", path.parent / "outputs.npz", network=GOLDEN[weights]
        )
        assert result.largest <= 1e-4
        assert "out" in result.differences
        assert ("attention" in result.differences) == ("spa_gan" in weights)

    def test_no_golden_folder_is_forgotten(self, golden: Path) -> None:
        with_arrays = {p.parent for p in golden.glob("*/*/outputs.npz")}
        found = {
            str(path.relative_to(golden))
            for folder in with_arrays
            for path in folder.iterdir()
            if path.suffix in WEIGHTS and "simulation_fusion_gan" not in str(path)
        }
        assert found == set(GOLDEN)

    @pytest.mark.parametrize("name", REBUILT)
    def test_rebuilt_weights_reproduce_them_too(
        self, golden: Path, tmp_path: Path, name: str
    ) -> None:
        folder = golden / name
        counts = {
            entry["key"]: torch.zeros(entry["shape"], dtype=torch.int64)
            for entry in read_json(folder / "state_dict.json")
            if entry["dtype"] == "int64"
        }
        save_file({**golden_weights(folder), **counts}, tmp_path / "rebuilt.safetensors")
        (tmp_path / "conf.json").write_text(json.dumps(REBUILT[name]))
        result = _check(
            tmp_path / "rebuilt.safetensors", folder / "inputs.npz", folder / "outputs.npz"
        )
        assert result.largest <= 1e-4

    def test_the_outputs_of_keras_are_reproduced(self, golden: Path) -> None:
        folder = golden / "dsen2_cr" / "small"
        weights = folder / "full_model_keras2.hdf5"
        assert _check(weights, folder / "inputs.npz", folder / "outputs_keras.npz").largest < 1e-4

    @pytest.mark.parametrize("stage", SINGLE_STAGES)
    def test_one_stage_of_two_is_refused(self, golden: Path, stage: str) -> None:
        folder = golden / "simulation_fusion_gan" / stage
        with pytest.raises(ModelError, match="are not those of a network in the registry"):
            _check(folder / "weights.safetensors", folder / "inputs.npz", folder / "outputs.npz")

    def test_the_wrong_one_of_two_networks_is_noticed(self, golden: Path) -> None:
        folder = golden / "cloud_attentive" / "small"
        with pytest.raises(
            ModelError, match=r"out of ckpt\w+ differs by .*; wanted at most 0.0001"
        ):
            _check(
                folder / "ckpt_official_layout.pth", folder / "inputs.npz", folder / "outputs.npz"
            )

    def test_a_stricter_tolerance_is_kept_to(self, golden: Path) -> None:
        folder = golden / "uncrtaints" / "multi_t3"
        with pytest.raises(ModelError, match="wanted at most 1e-12"):
            _check(
                folder / "weights.safetensors", folder / "inputs.npz", folder / "outputs.npz",
                atol=1e-12,
            )  # fmt: skip


class TestCheck:
    @pytest.fixture
    def toy(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """A model with arrays beside its card."""
        folder = plant(monkeypatch, tmp_path)
        np.savez(folder / "golden.npz", **_toy_arrays())
        return folder

    def test_a_model_is_checked_with_the_arrays_beside_its_card(self, toy: Path) -> None:
        result = models_check.run(CheckOptions("toy-one"), silent)
        assert result.differences.keys() == {"out", "radar"}
        assert result.largest < 1e-6
        assert "largest difference" in result.summary()

    def test_a_difference_in_any_output_counts(self, toy: Path) -> None:
        arrays = _toy_arrays()
        arrays["radar"][0, 1, 2, 3] += 0.01
        np.savez(toy / "golden.npz", **arrays)
        with pytest.raises(ModelError, match=r"radar of toy-one differs by 1\.00e-02; wanted at"):
            models_check.run(CheckOptions("toy-one"), silent)
        assert models_check.run(CheckOptions("toy-one", atol=0.02), silent).largest > 0.009

    def test_no_number_is_no_result(self, toy: Path) -> None:
        arrays = _toy_arrays()
        arrays["sar"][0, 0, 0, 0] = np.nan
        np.savez(toy / "golden.npz", **arrays)
        with pytest.raises(ModelError, match="radar has 1 values that are not finite"):
            models_check.run(CheckOptions("toy-one"), silent)

    def test_no_number_to_compare_with_is_no_agreement(self, toy: Path) -> None:
        arrays = _toy_arrays()
        arrays["out"][0, 0, 0, 0] = np.nan
        np.savez(toy / "golden.npz", **arrays)
        with pytest.raises(ModelError, match="out of toy-one differs by nan"):
            models_check.run(CheckOptions("toy-one"), silent)

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"out": np.zeros((1, 13, 8, 12), np.float32)}, r"out has shape \(2, 13, 8, 12\)"),
            ({"haze": np.zeros(1, np.float32)}, "an expected output 'haze'; wanted one of image"),
            ({"sar": None}, "wanted opt and sar, or x"),
            ({"out": None, "radar": None}, "no outputs to compare with; wanted an array out"),
            ({"x": np.zeros((1, 14, 8, 8), np.float32)}, r"wanted 15 bands: 13 optical, 2 sar"),
            ({"x": np.zeros((1, 3, 15, 8, 8), np.float32)}, "wanted .* one date"),
        ],
    )
    def test_arrays_that_do_not_belong_are_refused(
        self, toy: Path, change: dict, text: str
    ) -> None:
        arrays = {k: v for k, v in (_toy_arrays() | change).items() if v is not None}
        np.savez(toy / "golden.npz", **arrays)
        with pytest.raises(ModelError, match=text):
            models_check.run(CheckOptions("toy-one"), silent)

    def test_without_arrays_it_says_what_to_give(self, toy: Path, tmp_path: Path) -> None:
        (toy / "golden.npz").unlink()
        for model in ("toy-one", str(save_checkpoint(tmp_path, "dsen2_cr"))):
            with pytest.raises(InputError, match=r"no golden\.npz .*; give --inputs X\.npz"):
                models_check.run(CheckOptions(model), silent)
        with pytest.raises(InputError, match="only one of --inputs and --expect"):
            models_check.run(CheckOptions("toy-one", inputs=tmp_path), silent)

    def test_a_file_without_arrays_is_refused(self, toy: Path) -> None:
        (toy / "golden.npz").write_text("hello")
        with pytest.raises(ModelError, match=r"holds no arrays .*; wanted an \.npz file"):
            models_check.run(CheckOptions("toy-one"), silent)
        np.savez(toy / "golden.npz", opt=np.array([{}], dtype=object))
        with pytest.raises(ModelError, match=r"holds no arrays .*; wanted an \.npz file"):
            models_check.run(CheckOptions("toy-one"), silent)


def _toy_arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    optical, sar = (random.random((2, bands, 8, 12), np.float32) for bands in (13, 2))
    return {
        "opt": optical, "sar": sar, "out": np.full_like(optical, 0.1234), "radar": 2 * sar,
    }  # fmt: skip
