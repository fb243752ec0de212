"""Models are listed, shown, checked and converted; published arrays are reproduced."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cloudfree.commands.models import check as models_check
from cloudfree.commands.models import convert as models_convert
from cloudfree.commands.models import list as models_list
from cloudfree.commands.models import show as models_show
from cloudfree.commands.models.check import CheckOptions, CheckResult
from cloudfree.commands.models.convert import ConvertOptions
from cloudfree.commands.models.show import ShowOptions
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError, ModelError, OutputError
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.load import find_card, load_model
from cloudfree.inference.model import TileInputs
from cloudfree.inference.model_store import find_model
from cloudfree.inference.reference_outputs import GOLDEN as GOLDEN_ARRAYS
from cloudfree.inference.reference_outputs import INPUTS, PUBLISHED_NAMES, read_arrays
from cloudfree.inference.registry import DEFAULT_MODEL, network_names
from tests.factories.damage import full_disk
from tests.factories.default_golden import simulated_patch
from tests.factories.golden_weights import golden_weights, read_json
from tests.factories.networks import lively
from tests.factories.toy_network import plant
from tests.inference.test_checkpoint import SMALL


def _save(folder: Path, name: str, **settings: Any) -> Path:
    """A bare checkpoint of a small network."""
    path = folder / f"{name}.pth"
    network = lively(build_network(name, {**SMALL[name], **settings}))
    torch.save({"epoch": 3, "state_dict": network.state_dict()}, path)
    return path


def _check(model: Path, inputs: Path, expect: Path, **options: Any) -> CheckResult:
    return models_check.run(CheckOptions(str(model), inputs, expect, **options), silent)


class TestList:
    def test_models_and_networks_are_listed(self, monkeypatch, tmp_path: Path) -> None:
        folder = plant(monkeypatch, tmp_path)
        result = models_list.run(models_list.ListOptions(), silent)
        listed = {model.name: model for model in result.models}
        assert {"cloudfree-s", "toy-one"} <= listed.keys()
        assert (listed["toy-one"].network, listed["toy-one"].license) == ("toy", "CC0-1.0")
        assert listed["toy-one"].folder == folder
        assert [network.name for network in result.networks] == [*network_names()]
        halos = {network.name: network.halo_px for network in result.networks}
        assert (halos["dsen2_cr"], halos["glf_cr"]) == (34, None)

    def test_the_tables_are_for_reading(self) -> None:
        lines = models_list.run(models_list.ListOptions(), silent).summary().splitlines()
        assert lines[0].split() == ["model", "network", "inputs", "levels", "size", "licence"]
        (line,) = [line for line in lines if line.startswith("spa_gan")]
        assert "optical" in line
        assert "image, attention" in line
        assert "36 px" in line
        assert "MIT" in line
        assert line.endswith("Pan, arXiv 2009.13015 (2020)")

    def test_a_card_that_cannot_be_read_is_a_warning(
        self, monkeypatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (plant(monkeypatch, tmp_path) / "card.toml").write_text("name =")
        result = models_list.run(models_list.ListOptions(), silent)
        assert "toy-one" not in {model.name for model in result.models}
        assert "model toy-one: a model card that cannot be read" in caplog.text


class TestShow:
    def test_a_bare_checkpoint_is_shown_as_what_it_is_recognised_as(self, tmp_path: Path) -> None:
        result = models_show.run(ShowOptions(str(_save(tmp_path, "dsen2_cr"))), silent)
        assert (result.card.network, result.card.license) == ("dsen2_cr", "GPL-3.0")
        assert result.card.network_settings["features"] == SMALL["dsen2_cr"]["features"]
        network = build_network("dsen2_cr", SMALL["dsen2_cr"])
        assert result.parameters == sum(p.numel() for p in network.parameters())
        assert "reflectance 0 to 1 becomes 0 to 5" in result.summary()
        assert "VV VH; dB -25 to 0, -32.5 to 0 becomes 0 to 2" in result.summary()
        assert "licence     GPL-3.0" in result.summary()

    def test_the_default_model_is_shown_with_its_scores(self) -> None:
        text = models_show.run(ShowOptions("cloudfree-s"), silent).summary()
        assert text.startswith("model       cloudfree-s\nnetwork     cloudfree_s")
        assert "attribution contains modified Copernicus" in text
        assert "shadow      1 where the cloud mask has a shadow, else 0" in text
        assert "scores" in text

    def test_the_network_can_be_named(self, tmp_path: Path) -> None:
        path = str(_save(tmp_path, "glf_cr"))
        assert models_show.run(ShowOptions(path), silent).card.network == "glf_cr"
        named = models_show.run(ShowOptions(path, "cloud_attentive"), silent)
        assert named.card.network == "cloud_attentive"

    def test_what_is_no_model_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"no model 'nothing'; wanted one of .*cloudfree-s"):
            models_show.run(ShowOptions("nothing"), silent)


class TestConvert:
    @pytest.mark.parametrize("name", SMALL)
    def test_a_converted_model_predicts_the_same(self, tmp_path: Path, name: str) -> None:
        path = _save(tmp_path, name)
        result = models_convert.run(ConvertOptions(str(path), tmp_path / "own", name), silent)
        assert result.network == name
        before, after = load_model(str(path), "cpu", network=name), load_model(str(result.output))
        assert after.card.name == "own"
        random = np.random.default_rng(0)
        tile = TileInputs(
            random.random((13, 32, 40), np.float32),
            random.uniform(-30, 0, (2, 32, 40)).astype(np.float32),
        )
        (one,), (other,) = before.predict([tile]), after.predict([tile])
        assert np.array_equal(one, other)

    def test_a_folder_is_whole(self, tmp_path: Path) -> None:
        output = tmp_path / "models" / "own"
        models_convert.run(ConvertOptions(str(_save(tmp_path, "uncrtaints")), output), silent)
        assert {path.name for path in output.iterdir()} == {"card.toml", "weights.safetensors"}
        assert list(output.parent.iterdir()) == [output]

    def test_what_exists_is_replaced_only_if_it_is_a_model_and_asked_for(
        self, tmp_path: Path
    ) -> None:
        path, output = str(_save(tmp_path, "dsen2_cr")), tmp_path / "own"
        models_convert.run(ConvertOptions(path, output), silent)
        with pytest.raises(OutputError, match="own exists; wanted a new name"):
            models_convert.run(ConvertOptions(path, output), silent)
        (output / "old").touch()
        models_convert.run(ConvertOptions(path, output, overwrite=True), silent)
        assert not (output / "old").exists()
        (tmp_path / "photos").mkdir()
        with pytest.raises(OutputError, match="photos exists and is no model"):
            models_convert.run(ConvertOptions(path, tmp_path / "photos", overwrite=True), silent)

    def test_a_failure_leaves_what_was_there(self, tmp_path: Path) -> None:
        path, output = _save(tmp_path, "dsen2_cr"), tmp_path / "own"
        models_convert.run(ConvertOptions(str(path), output), silent)
        path.write_bytes(path.read_bytes()[:500])
        with pytest.raises(ModelError, match="cannot be read"):
            models_convert.run(ConvertOptions(str(path), output, overwrite=True), silent)
        assert load_model(str(output), "cpu").card.network == "dsen2_cr"
        assert {p.name for p in tmp_path.iterdir()} == {"dsen2_cr.pth", "own"}

    def test_a_folder_that_cannot_be_written_is_refused(self, tmp_path: Path) -> None:
        path = _save(tmp_path, "dsen2_cr")
        with pytest.raises(OutputError, match="own cannot be written"):
            models_convert.run(ConvertOptions(str(path), path / "own"), silent)

    def test_a_full_disk_is_refused_in_one_line_and_leaves_nothing(self, tmp_path: Path) -> None:
        path = _save(tmp_path, "dsen2_cr")
        with full_disk(4096), pytest.raises(OutputError, match="own cannot be written") as refusal:
            models_convert.run(ConvertOptions(str(path), tmp_path / "own"), silent)
        assert "\n" not in str(refusal.value)
        assert list(tmp_path.iterdir()) == [path]


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
        for model in ("toy-one", str(_save(tmp_path, "dsen2_cr"))):
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


def test_an_added_network_is_recognised_by_its_tensors(monkeypatch, tmp_path: Path) -> None:
    weights = plant(monkeypatch, tmp_path) / "weights.safetensors"
    bare = tmp_path / "bare.safetensors"
    shutil.copy(weights, bare)
    card = find_card(str(bare)).card
    assert (card.network, card.optical_bands) == ("toy", OPTICAL_BANDS)
    assert find_card(str(_save(tmp_path, "glf_cr"))).card.network == "glf_cr"
