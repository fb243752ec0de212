"""The model that comes with the tool: its scores are of places that its training never saw."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from types import ModuleType

import numpy as np
import pytest

from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.commands.evaluate.run import run
from cloudfree.core.terminal import silent
from tests.conftest import ROOT

FOLDER = ROOT / "models" / "cloudfree-s"
LEARNED_FROM = "winter112p797"  # the one triplet that is not scored
METRICS = ("psnr", "ssim", "sam", "mae")


@pytest.fixture
def patches(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that tells what training may see."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("patches")


def test_training_draws_from_no_place_that_is_scored(
    patches: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, sar = np.random.default_rng(0).random((2, 13, 64, 64), np.float32)
    scored = [*patches.SCORED, "fall_136_p12"]
    names = [*scored, LEARNED_FROM, "spring_101_p4"]

    def read(folder: Path) -> Iterator[object]:
        del folder
        for name in names:
            yield patches.Patch(name, image, image, sar[:2])

    for reader in ("read_triplets", "read_pairs", "read_time_series", "read_scenes"):
        monkeypatch.setattr(patches, reader, read)
    everything = patches.open_library(Path("data"), held_out=set())
    library = patches.open_library(Path("data"))
    assert {patch.name for patch in everything.real} == set(names)
    assert {patch.name for patch in library.real} == {LEARNED_FROM, "spring_101_p4"}
    assert len(library.donors) == len(library.veils) == len(library.real)


def test_the_scores_of_the_card_are_those_of_the_shipped_weights(data: Path) -> None:
    documented = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))["mean"]
    scored = run(EvaluateOptions(data / "triplets", ("cloudfree-s",)), silent).patches
    measured = [patch.figures for patch in scored if patch.name != LEARNED_FROM]
    assert len(measured) == 15
    for name, method in (("raw", "cloudfree-s, raw"), ("clear_kept", "cloudfree-s, written")):
        for metric in METRICS:
            mean = fmean(getattr(figures[method].all, metric) for figures in measured)
            assert mean == pytest.approx(documented[name][metric], rel=1e-3, abs=1e-4)
