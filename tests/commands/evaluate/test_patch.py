"""One patch: what a model is given of it, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudfree.commands.evaluate.patch import (
    NOTHING,
    Clouds,
    FilledPatch,
    fill_patch,
    find_clouds,
    predict_patch,
    raw_of,
    score,
    written_of,
)
from cloudfree.core.grid import Window
from cloudfree.datasets.date_choice import choose_dates
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Patch, read_patch
from cloudfree.inference.model import Model, Prediction, TileInputs
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.metrics.bootstrap import mean_metrics
from cloudfree.metrics.protocol import UNCRTAINTS
from tests.commands.evaluate.test_run import Known, near
from tests.factories.rasters import cloudy_scene
from tests.factories.sample_folders import write_tree, write_triplet
from tests.factories.time_series import SERIES_TEST, write_time_series


def test_a_model_is_told_of_the_shadows_of_the_patch(tmp_path: Path) -> None:
    write_tree(tmp_path)
    patch = read_patch(list_samples(tmp_path).samples[0])
    nowhere = np.zeros(patch.cloudy.shape[1:], dtype=bool)
    shadow = nowhere.copy()
    shadow[2:5, 3:] = True
    shadows: list[np.ndarray] = []

    def predict(tiles: Any) -> list[Prediction]:
        shadows.extend(tile.shadow for tile in tiles)
        return [Prediction(tile.optical, tile.optical) for tile in tiles]

    model = Model(read_card(find_model(DEFAULT_MODEL)), Known())
    fill_patch(model, predict, patch, Clouds(shadow, shadow), tiled=False)
    assert len(shadows) == 1
    assert np.array_equal(shadows[0], shadow)


def test_doing_nothing_on_the_real_triplets_scores_as_documented(data: Path) -> None:
    """Known beforehand, over the 15 triplets of one source: 18.78 dB, 11.36 degrees, 0.130."""
    figures = {}
    for sample in list_samples(data / "triplets").samples:
        patch = read_patch(sample)
        nowhere = np.zeros(patch.cloudy.shape[1:], dtype=bool)
        found = score(UNCRTAINTS, patch, Clouds(nowhere, nowhere), {}, patch.bands)
        figures[sample.name] = found["do nothing"].all
    winter = figures.pop("winter112p797")
    assert (winter.psnr, winter.ssim, winter.sam) == (near(20.40), near(0.729), near(21.39))
    means = mean_metrics(list(figures.values())).figures
    assert len(figures) == 15
    assert (means.psnr, means.ssim, means.sam, means.mae) == (
        near(18.78), near(0.673), near(11.36), near(0.1304),
    )  # fmt: skip


@pytest.fixture(scope="module")
def patch(tmp_path_factory: pytest.TempPathFactory) -> Patch:
    folder = tmp_path_factory.mktemp("patch")
    write_triplet(folder, "a", side=64)
    return read_patch(list_samples(folder, offset_dn=0.0).samples[0])


def test_clouds_are_found_and_dilated(patch: Patch) -> None:
    clouds = find_clouds(patch)
    _, true = cloudy_scene(64, 64)
    assert (clouds.dilated & true).sum() > 0.9 * true.sum()
    assert true.mean() < clouds.dilated.mean() < 0.6


def test_a_part_of_the_clouds_is_that_of_its_window() -> None:
    rng = np.random.default_rng(0)
    clouds = Clouds(*(rng.random((20, 30)) < 0.5 for _ in range(2)))
    part = clouds.part(Window(3, 5, 8, 11))
    for name in ("dilated", "shaded"):
        assert np.array_equal(getattr(part, name), getattr(clouds, name)[3:11, 5:16])


def _filled(patch: Patch, bands: slice = slice(None)) -> FilledPatch:
    """Filled by a model of some bands that answers one half everywhere."""
    card = read_card(find_model(DEFAULT_MODEL))
    card = replace(card, output_bands=card.output_bands[bands])

    def predict(tiles: Any) -> list[Prediction]:
        shapes = [(len(card.output_bands), *tile.optical.shape[1:]) for tile in tiles]
        return [Prediction(np.full(shape, 0.5, np.float32)) for shape in shapes]

    return fill_patch(Model(card, Known()), predict, patch, find_clouds(patch), tiled=True)


def test_clouds_are_filled_and_clear_pixels_far_from_them_stay(patch: Patch) -> None:
    clouds, filled = find_clouds(patch), _filled(patch)
    assert (filled.prediction.mean == 0.5).all()
    _, true = cloudy_scene(64, 64)
    assert filled.written[:, true & clouds.dilated] == pytest.approx(0.5, abs=1e-4)
    corner = filled.written[:, :4, :4]
    assert not clouds.dilated[:4, :4].any()
    np.testing.assert_allclose(corner, patch.cloudy[:, :4, :4], atol=1e-6)


def test_bands_that_a_model_lacks_have_no_prediction_and_stay_cloudy(patch: Patch) -> None:
    filled = _filled(patch, slice(3))
    assert np.isnan(filled.prediction.mean[3:]).all()
    assert (filled.prediction.mean[:3] == 0.5).all()
    np.testing.assert_allclose(filled.written[3:], patch.cloudy[3:], atol=1e-6)


def test_every_method_is_scored_on_the_same_pixels(patch: Patch) -> None:
    filled = _filled(patch)
    filled.prediction.mean[:, :10] = np.nan
    found = score(UNCRTAINTS, patch, find_clouds(patch), {"m": filled}, patch.bands)
    assert list(found) == [NOTHING, raw_of("m"), written_of("m")]
    assert {figures.all.pixels for figures in found.values()} == {54 * 64}


def test_tiles_of_a_patch_have_its_other_dates_in_the_bands_of_the_model(tmp_path: Path) -> None:
    write_time_series(tmp_path, SERIES_TEST)
    patch = read_patch(choose_dates(list_samples(tmp_path, dates=3).samples[0]))
    card = replace(
        read_card(find_model(DEFAULT_MODEL)), dates="one or several", tile=32, overlap=0,
        optical_bands=("B08", "B02"), output_bands=("B02",),
    )  # fmt: skip
    seen: list[TileInputs] = []

    def predict(tiles: Sequence[TileInputs]) -> list[Prediction]:
        seen.extend(tiles)
        return [Prediction(tile.optical[1:]) for tile in tiles]

    nowhere = np.zeros(patch.cloudy.shape[1:], dtype=bool)
    predict_patch(Model(card, Known()), predict, patch, nowhere, tiled=True)
    assert len(seen) == 4
    for tile in seen:
        assert tile.day == patch.day
        for one, whole in zip(tile.others, patch.others, strict=True):
            assert one.days == whole.days
            assert one.optical.shape == (2, 32, 32)
            assert one.sar is not None
            assert one.sar.shape == (2, 32, 32)
    corner = patch.select(patch.others[1].optical, ("B08", "B02"))[:, :32, :32]
    assert np.array_equal(seen[0].others[1].optical, corner)
