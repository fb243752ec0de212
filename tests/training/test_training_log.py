"""Tables of a run: a row for each step, taken back where a run resumes; sample images."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.registry import card_entries
from cloudfree.metrics.image_metrics import Metrics
from cloudfree.training.sampler import PatchArrays
from cloudfree.training.step import StepResult
from cloudfree.training.training_log import (
    GAP_PX,
    LOSS_COLUMNS,
    VALIDATION_COLUMNS,
    TrainingLog,
    write_samples,
)

RESULT = StepResult(0.5, math.nan, 1e-3, 2.0)


@pytest.fixture(autouse=True)
def _no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables alone: TensorBoard has its tests where a whole run is trained."""
    monkeypatch.setattr("cloudfree.training.training_log._board", lambda *_: None)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _write(folder: Path, start: int, steps: range) -> None:
    with TrainingLog(folder, start) as log:
        for step in steps:
            log.write(step, step / 3, 10.0 * step, RESULT)


def test_a_step_is_a_row_and_no_number_an_empty_field(tmp_path: Path) -> None:
    _write(tmp_path, 0, range(1, 3))
    rows = _rows(tmp_path / "losses.csv")
    assert tuple(rows[0]) == LOSS_COLUMNS
    assert [row["step"] for row in rows] == ["1", "2"]
    assert rows[1] == {
        "step": "2", "epoch": "0.6667", "loss": "0.5", "discriminator_loss": "",
        "learning_rate": "0.001", "gradient": "2.0", "seconds": "20.0",
    }  # fmt: skip
    assert not (tmp_path / "validation.csv").exists()


def test_a_run_that_resumes_takes_back_the_rows_behind_it(tmp_path: Path) -> None:
    _write(tmp_path, 0, range(1, 6))
    _write(tmp_path, 3, range(4, 5))
    assert [row["step"] for row in _rows(tmp_path / "losses.csv")] == ["1", "2", "3", "4"]


def test_a_row_that_was_cut_is_taken_back_too(tmp_path: Path) -> None:
    _write(tmp_path, 0, range(1, 3))
    with (tmp_path / "losses.csv").open("a") as file:
        file.write("3,1.0,0.5")
    _write(tmp_path, 3, range(4, 5))
    assert [row["step"] for row in _rows(tmp_path / "losses.csv")] == ["1", "2", "4"]


def test_a_new_run_begins_an_empty_table(tmp_path: Path) -> None:
    _write(tmp_path, 0, range(1, 6))
    _write(tmp_path, 0, range(1, 2))
    assert [row["step"] for row in _rows(tmp_path / "losses.csv")] == ["1"]


def test_a_row_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    with TrainingLog(tmp_path, 0) as log:
        log.write(1, 0.5, 1.0, RESULT)
        assert len(_rows(tmp_path / "losses.csv")) == 1


def test_figures_of_patches_held_out_have_a_table_of_their_own(tmp_path: Path) -> None:
    with TrainingLog(tmp_path, 0, validates=True) as log:
        log.write_validation(4, 2.0, Metrics(100, 30.0, 0.9, None, 0.01, 0.02))
    (row,) = _rows(tmp_path / "validation.csv")
    assert tuple(row) == VALIDATION_COLUMNS
    assert (row["step"], float(row["psnr"]), row["sam"]) == ("4", 30.0, "")


def _card(network: str = "dsen2_cr", **settings: int) -> ModelCard:
    own = {"name": "a", "weights": "", "weights_sha256": ""}
    return model_card({**card_entries(network, dict(settings)), **own})


@pytest.mark.parametrize("radar", [False, True])
def test_a_sample_shows_input_radar_prediction_and_target(tmp_path: Path, radar: bool) -> None:
    rng = np.random.default_rng(0)
    clear = rng.random((13, 20, 24), dtype=np.float32)
    sar = rng.uniform(-25, 0, (2, 20, 24)).astype(np.float32) if radar else None
    pixels = PatchArrays(np.zeros_like(clear), clear, sar, None)
    path = write_samples(tmp_path, 7, [(pixels, clear)] * 2, _card())
    assert path == tmp_path / "samples" / "step-000007.png"
    image = cv2.imread(str(path))
    count = 4 if radar else 3
    assert image.shape[:2] == (2 * 20 + GAP_PX, count * 24 + (count - 1) * GAP_PX)
    predicted, target = image[:20, -48 - GAP_PX : -24 - GAP_PX], image[:20, -24:]
    assert np.array_equal(predicted, target), "one stretch for both"
    assert image[:20, :24].mean() < target.mean()


def test_bands_without_colours_are_shown_in_grey(tmp_path: Path) -> None:
    clear = np.random.default_rng(0).random((1, 8, 8), dtype=np.float32)
    card = replace(_card(), optical_bands=("B08",), output_bands=("B08",))
    image = cv2.imread(
        str(write_samples(tmp_path, 1, [(PatchArrays(clear, clear, None, None), clear)], card))
    )
    assert np.array_equal(image[..., 0], image[..., 1])
    assert np.array_equal(image[..., 0], image[..., 2])
    assert image.std() > 10
