"""Checkpoints become models with a card that predict the same."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from cloudfree.commands.models import convert as models_convert
from cloudfree.commands.models.convert import ConvertOptions
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.terminal import silent
from cloudfree.errors import ModelError, OutputError
from cloudfree.inference.load import load_model
from cloudfree.inference.model import TileInputs
from cloudfree.inference.model_store import CARD, WEIGHTS
from tests.factories.checkpoints import save_checkpoint
from tests.factories.damage import full_disk
from tests.factories.left_drafts import left_by_another_process
from tests.inference.test_checkpoint import SMALL

TEN = [band for band in OPTICAL_BANDS if band not in ("B01", "B09", "B10")]


class TestConvert:
    @pytest.mark.parametrize("name", SMALL)
    def test_a_converted_model_predicts_the_same(self, tmp_path: Path, name: str) -> None:
        path = save_checkpoint(tmp_path, name)
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
        models_convert.run(
            ConvertOptions(str(save_checkpoint(tmp_path, "uncrtaints")), output), silent
        )
        assert {path.name for path in output.iterdir()} == {"card.toml", "weights.safetensors"}
        assert list(output.parent.iterdir()) == [output]

    def test_what_exists_is_replaced_only_if_it_is_a_model_and_asked_for(
        self, tmp_path: Path
    ) -> None:
        path, output = str(save_checkpoint(tmp_path, "dsen2_cr")), tmp_path / "own"
        models_convert.run(ConvertOptions(path, output), silent)
        with pytest.raises(OutputError, match="own exists; wanted a new name"):
            models_convert.run(ConvertOptions(path, output), silent)
        (output / "losses.csv").touch()
        models_convert.run(ConvertOptions(path, output, overwrite=True), silent)
        assert {p.name for p in output.iterdir()} == {CARD, WEIGHTS, "losses.csv"}
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "a.jpg").touch()
        with pytest.raises(OutputError, match="photos exists and is no model"):
            models_convert.run(ConvertOptions(path, tmp_path / "photos", overwrite=True), silent)

    def test_weights_of_another_name_go_with_the_card_that_names_them(self, tmp_path: Path) -> None:
        path, output = str(save_checkpoint(tmp_path, "dsen2_cr")), tmp_path / "own"
        models_convert.run(ConvertOptions(path, output), silent)
        card = output / CARD
        (output / WEIGHTS).rename(output / "weights-000002.safetensors")
        card.write_text(card.read_text().replace(WEIGHTS, "weights-000002.safetensors"))
        models_convert.run(ConvertOptions(path, output, overwrite=True), silent)
        assert {p.name for p in output.iterdir()} == {CARD, WEIGHTS}

    def test_the_folder_that_is_read_is_not_written(self, tmp_path: Path) -> None:
        path, output = str(save_checkpoint(tmp_path, "dsen2_cr")), tmp_path / "own"
        models_convert.run(ConvertOptions(path, output), silent)
        before = {p.name: p.read_bytes() for p in output.iterdir()}
        for model in (output, output / WEIGHTS):
            with pytest.raises(OutputError, match=r"own holds weights\.safetensors, which is read"):
                models_convert.run(ConvertOptions(str(model), output, overwrite=True), silent)
        assert {p.name: p.read_bytes() for p in output.iterdir()} == before

    def test_a_killed_run_that_wrote_nothing_yet_is_not_in_the_way(self, tmp_path: Path) -> None:
        path, output = str(save_checkpoint(tmp_path, "dsen2_cr")), tmp_path / "own"
        output.mkdir()
        left_by_another_process(output / CARD)
        models_convert.run(ConvertOptions(path, output), silent)
        assert {p.name for p in output.iterdir()} == {CARD, WEIGHTS}

    @pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
    def test_others_may_read_the_weights_as_any_new_file(self, tmp_path: Path) -> None:
        path, output = str(save_checkpoint(tmp_path, "dsen2_cr")), tmp_path / "own"
        models_convert.run(ConvertOptions(path, output), silent)
        (tmp_path / "any").touch()
        assert (output / WEIGHTS).stat().st_mode == (tmp_path / "any").stat().st_mode

    def test_a_failure_leaves_what_was_there(self, tmp_path: Path) -> None:
        path, output = save_checkpoint(tmp_path, "dsen2_cr"), tmp_path / "own"
        models_convert.run(ConvertOptions(str(path), output), silent)
        path.write_bytes(path.read_bytes()[:500])
        with pytest.raises(ModelError, match="cannot be read"):
            models_convert.run(ConvertOptions(str(path), output, overwrite=True), silent)
        assert load_model(str(output), "cpu").card.network == "dsen2_cr"
        assert {p.name for p in tmp_path.iterdir()} == {"dsen2_cr.pth", "own"}

    def test_a_folder_that_cannot_be_written_is_refused(self, tmp_path: Path) -> None:
        path = save_checkpoint(tmp_path, "dsen2_cr")
        with pytest.raises(OutputError, match="own cannot be written"):
            models_convert.run(ConvertOptions(str(path), path / "own"), silent)

    def test_a_full_disk_is_refused_in_one_line_and_leaves_nothing(self, tmp_path: Path) -> None:
        path = save_checkpoint(tmp_path, "dsen2_cr")
        with full_disk(4096), pytest.raises(OutputError, match="own cannot be written") as refusal:
            models_convert.run(ConvertOptions(str(path), tmp_path / "own"), silent)
        assert "\n" not in str(refusal.value)
        assert list(tmp_path.iterdir()) == [path]


class TestGivenEntries:
    """`--card` says what tensors do not show."""

    def test_bands_whose_number_does_not_name_them(self, tmp_path: Path) -> None:
        path = save_checkpoint(tmp_path, "dsen2_cr", optical_bands=10)
        with pytest.raises(ModelError, match=r"a network for 10 optical bands; .*--card"):
            models_convert.run(ConvertOptions(str(path), tmp_path / "own"), silent)
        card = tmp_path / "entries.toml"
        card.write_text(f'license = "MIT"\n[optical]\nbands = {json.dumps(TEN)}\n')
        models_convert.run(ConvertOptions(str(path), tmp_path / "own", card=card), silent)
        model = load_model(str(tmp_path / "own"), "cpu")
        assert model.card.optical_bands == model.card.output_bands == tuple(TEN)
        assert model.card.license == "MIT"
        tile = TileInputs(np.full((10, 32, 32), 0.3, np.float32), np.zeros((2, 32, 32), np.float32))
        assert model.predict([tile])[0].shape == (10, 32, 32)

    def test_a_model_with_a_card_takes_none(self, tmp_path: Path) -> None:
        card = tmp_path / "entries.toml"
        card.write_text('license = "MIT"')
        with pytest.raises(ModelError, match="--card for the model cloudfree-s, which has one"):
            models_convert.run(ConvertOptions("cloudfree-s", tmp_path / "own", card=card), silent)
