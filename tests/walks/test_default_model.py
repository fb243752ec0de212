"""The model that comes with the tool: its scores are of places that its training never saw."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from pathlib import Path
from statistics import fmean

import pytest

from cloudfree.cli.train import command as train_command
from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.commands.evaluate.run import run
from cloudfree.commands.train import run as train
from cloudfree.commands.train.options import TrainOptions
from cloudfree.core.terminal import silent
from cloudfree.datasets.patch import Sample
from cloudfree.training.settings import choose_settings
from tests.bench.compare_networks import FOLDS
from tests.conftest import ROOT
from tests.factories.sample_folders import write_triplet

FOLDER = ROOT / "models" / "cloudfree-s"
LEARNED_FROM = "winter112p797"  # the one triplet that is not scored
METRICS = ("psnr", "ssim", "sam", "mae")


def test_the_command_that_trained_it_holds_out_every_place_that_is_scored(
    data: Path, tmp_path: Path
) -> None:
    simulated = tmp_path / "simulated"
    write_triplet(simulated / "one", "", 64)
    ran = subprocess.run(
        ["sh", FOLDER / "train.sh", data, simulated, tmp_path / "run", "--steps", "30"],
        env={**os.environ, "PYTHON": "echo"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    _, _, name, *words = ran.stdout.split()
    values = train_command.make_context(name, words).params
    names = {field.name for field in dataclasses.fields(TrainOptions)}
    options = TrainOptions(**{key: value for key, value in values.items() if key in names})
    settings = choose_settings("cloudfree_s", options.changes)
    assert (settings.preset, settings.steps, settings.seed) == ("default", 30, 2026)
    found = train.samples_of(options, settings)
    learned, unseen = found.learned, found.unseen
    assert sum(fold_of(sample) is not None for sample in unseen) == 15
    assert not [sample for sample in learned if fold_of(sample)]
    assert not [sample for sample in learned if "fall_136" in sample.name]
    assert {LEARNED_FROM, "spain", "one"} < {sample.name for sample in learned}
    assert len(learned) == 1 + 14 + 14 + 4 + 2  # triplet, pairs, clear and cloudy dates, scenes


def fold_of(sample: Sample) -> str | None:
    return next((fold for fold, places in FOLDS.items() if sample.name in places), None)


def test_the_scores_of_the_card_are_those_of_the_shipped_weights(data: Path) -> None:
    documented = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))["mean"]
    scored = run(EvaluateOptions(data / "triplets", ("cloudfree-s",)), silent).patches
    measured = [patch.figures for patch in scored if patch.name != LEARNED_FROM]
    assert len(measured) == 15
    for name, method in (("raw", "cloudfree-s, raw"), ("clear_kept", "cloudfree-s, written")):
        for metric in METRICS:
            mean = fmean(getattr(figures[method].all, metric) for figures in measured)
            assert mean == pytest.approx(documented[name][metric], rel=1e-3, abs=1e-4)
