"""One patch: what a model is given of it, and its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cloudfree.commands.evaluate.patch import Clouds, fill_patch, score
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import read_patch
from cloudfree.inference.model import Model, Prediction
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.metrics.bootstrap import mean_metrics
from cloudfree.metrics.protocol import UNCRTAINTS
from tests.commands.evaluate.test_run import Known, near
from tests.factories.sample_folders import write_tree


def test_a_model_is_told_of_the_shadows_of_the_patch(tmp_path: Path) -> None:
    write_tree(tmp_path)
    patch = read_patch(list_samples(tmp_path).samples[0])
    nowhere = np.zeros(patch.cloudy.shape[1:], dtype=bool)
    shadow = nowhere.copy()
    shadow[2:5, 3:] = True
    told: list[np.ndarray] = []

    def predict(tiles: Any) -> list[Prediction]:
        told.extend(tile.shadow for tile in tiles)
        return [Prediction(tile.optical, tile.optical) for tile in tiles]

    model = Model(read_card(find_model(DEFAULT_MODEL)), Known())
    fill_patch(model, predict, patch, Clouds(nowhere, shadow, shadow), tiled=False)
    assert len(told) == 1
    assert np.array_equal(told[0], shadow)


def test_doing_nothing_on_the_real_triplets_scores_as_told(data: Path) -> None:
    """Known beforehand, over the 15 triplets of one source: 18.78 dB, 11.36 degrees, 0.130."""
    figures = {}
    for sample in list_samples(data / "triplets").samples:
        patch = read_patch(sample)
        nowhere = np.zeros(patch.cloudy.shape[1:], dtype=bool)
        found = score(UNCRTAINTS, patch, Clouds(nowhere, nowhere, nowhere), {}, patch.bands)
        figures[sample.name] = found["do nothing"].all
    winter = figures.pop("winter112p797")
    assert (winter.psnr, winter.ssim, winter.sam) == (near(20.40), near(0.729), near(21.39))
    means = mean_metrics(list(figures.values())).figures
    assert len(figures) == 15
    assert (means.psnr, means.ssim, means.sam, means.mae) == (
        near(18.78), near(0.673), near(11.36), near(0.1304),
    )  # fmt: skip
