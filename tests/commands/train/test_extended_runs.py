"""Runs that go on for longer, keep their best model, and take settings from a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import load_file

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.errors import InputError, ModelError
from cloudfree.inference.load import load_model
from cloudfree.training.settings import read_settings
from cloudfree.training.trainer import TrainResult
from tests.factories.training_runs import run_training, words, write_patches
from tests.inference.test_checkpoint import SMALL

Train = Callable[..., TrainResult]


@pytest.fixture(scope="module")
def patches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_patches(tmp_path_factory.mktemp("patches"))


@pytest.fixture
def trained(patches: Path, tmp_path: Path) -> Train:
    def call(name: str = "run", **options: Any) -> TrainResult:
        return run_training(patches, tmp_path / name, **options)

    return call


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    (path,) = folder.glob("weights-*.safetensors")
    return load_file(path)


def _same(one: Path, other: Path) -> bool:
    left, right = _weights(one), _weights(other)
    return all(torch.equal(left[key], right[key]) for key in left)


class TestLength:
    def test_a_run_is_extended_as_if_it_had_never_ended(self, trained: Train) -> None:
        whole = trained("whole", steps=4, schedule="constant")
        trained("parts", steps=2, schedule="constant")
        longer = trained("parts", steps=4, schedule="constant", resume=True)
        assert longer.steps == 4
        assert _same(whole.output, longer.output)
        assert read_settings(longer.output / "settings.toml").steps == 4
        assert load_model(str(longer.output), "cpu").card.training["steps"] == 4

    def test_epochs_take_the_place_of_steps(self, trained: Train) -> None:
        trained(steps=2)
        longer = trained(steps=None, epochs=2.0, resume=True)
        assert longer.steps == 3, "2 epochs of 3 patches, 2 a step"

    def test_a_run_that_has_done_more_is_refused(self, trained: Train) -> None:
        trained(steps=2)
        with pytest.raises(InputError, match="1 steps for a run that has done 2; wanted at least"):
            trained(steps=1, resume=True)
        assert read_settings(trained(steps=2, resume=True).output / "settings.toml").steps == 2

    def test_stages_have_parts_of_one_length(self, trained: Train) -> None:
        own = {"network": "simulation_fusion_gan", "batch_size": 1}
        trained(**own, steps=2)
        with pytest.raises(InputError, match="loss simulation-fusion, which has stages"):
            trained(**own, steps=4, resume=True)


class TestBestModel:
    OPTIONS: ClassVar = {"steps": 4, "sample_every": 1, "hold_out": ("p2",), "batch_size": 1}

    def test_the_best_on_patches_held_out_is_kept(self, trained: Train) -> None:
        result = trained(**self.OPTIONS, learning_rate=0.05)
        with (result.output / "validation.csv").open() as file:
            psnr = {int(row["step"]): float(row["psnr"]) for row in csv.DictReader(file)}
        assert result.best is not None
        assert result.best.step == max(psnr, key=psnr.__getitem__)
        assert result.best.psnr == pytest.approx(max(psnr.values()))
        card = load_model(str(result.output / "best"), "cpu").card
        assert card.name == "run-best"
        assert card.training["steps"] == result.best.step
        assert card.training["validation_psnr"] == result.best.psnr
        assert f"best {result.best.psnr:.2f} dB, step {result.best.step}, in best" in (
            result.summary()
        )

    def test_a_run_that_resumes_knows_it(self, trained: Train) -> None:
        before = trained(**self.OPTIONS).best
        after = trained(**{**self.OPTIONS, "steps": 5}, resume=True).best
        assert before is not None
        assert after is not None
        assert after.psnr >= before.psnr

    def test_a_run_that_replaces_another_begins_without(self, trained: Train) -> None:
        folder = trained(**self.OPTIONS).output
        assert (folder / "best").exists()
        trained(steps=1, overwrite=True)
        assert not (folder / "best").exists()

    def test_without_patches_held_out_there_is_none(self, trained: Train) -> None:
        result = trained()
        assert result.best is None
        assert not (result.output / "best").exists()


TEN = [band for band in OPTICAL_BANDS if band not in ("B01", "B09", "B10")]


class TestSettingsFile:
    def _file(self, folder: Path, text: str) -> Path:
        path = folder / "own.toml"
        path.write_text(text)
        return path

    def test_it_names_bands_that_their_number_does_not(
        self, trained: Train, tmp_path: Path
    ) -> None:
        ten = words({**SMALL["dsen2_cr"], "optical_bands": 10})
        with pytest.raises(ModelError, match=r"a network for 10 optical bands; .*--settings"):
            trained(network_setting=ten)
        path = self._file(tmp_path, f"bands = {json.dumps(TEN)}\n")
        result = trained(network_setting=ten, settings=path)
        assert load_model(str(result.output), "cpu").card.optical_bands == tuple(TEN)
        assert trained(network_setting=ten, settings=path, resume=True, steps=3).steps == 3

    def test_options_go_before_it_and_it_before_the_preset(
        self, trained: Train, tmp_path: Path
    ) -> None:
        path = self._file(tmp_path, "learning_rate = 0.25\nseed = 7\nweight_decay = 0.5\n")
        settings = read_settings(trained(settings=path, seed=8).output / "settings.toml")
        assert (settings.learning_rate, settings.seed) == (0.25, 8)
        assert settings.weight_decay == 0.5, "which is no option"
        assert settings.optimiser == "nadam", "as the preset says"

    def test_the_settings_of_a_run_make_the_same_run(self, trained: Train) -> None:
        one = trained("one", seed=3)
        again = trained(
            "again", settings=one.output / "settings.toml", network_setting=(), seed=None
        )
        assert _same(one.output, again.output)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("learnin_rate = 1", "unknown setting 'learnin_rate' in own.toml; .*'learning_rate'"),
            ('network = "glf_cr"', "settings for network glf_cr in own.toml; wanted .*dsen2_cr"),
            ("steps", "own.toml cannot be read"),
        ],
    )
    def test_what_it_cannot_hold(
        self, trained: Train, tmp_path: Path, text: str, message: str
    ) -> None:
        with pytest.raises(InputError, match=message):
            trained(settings=self._file(tmp_path, text))
        assert not (tmp_path / "run").exists()
