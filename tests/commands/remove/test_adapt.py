"""`cloudfree remove --adapt`: where it learns, what it says, and when it leaves the model alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch

from cloudfree.commands.remove import adapt
from cloudfree.commands.remove import run as remove
from cloudfree.commands.remove.run import RemoveOptions, RemoveResult, run
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import is_cloud_or_shadow
from cloudfree.core.terminal import silent
from cloudfree.inference.model import Model
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.torch_runtime import TorchRuntime
from cloudfree.training.adaptation.fit import Adaptation
from tests.factories.paint import Paint
from tests.factories.rasters import CLOUD, FIELD, write_radar, write_raster

SIDE = 320
SHADOW = (0.10, 0.07, 0.05, 0.03, 0.03, 0.05, 0.06, 0.06, 0.06, 0.03, 0.002, 0.04, 0.02)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A field with a cloud and its shadow 60 pixels west of it; a network that paints."""
    numbers, _, _ = scene()
    write_raster(tmp_path / "l1c.tif", numbers, OPTICAL_BANDS, MEAN_SUN_AZIMUTH_ANGLE="90")
    write_radar(tmp_path / "vv_vh.tif", SIDE, SIDE)
    card = read_card(find_model(DEFAULT_MODEL))
    runtime = TorchRuntime(Paint(), card.inputs, torch.device("cpu"), torch.float32)
    monkeypatch.setattr(remove, "load_model", lambda *_: Model(card, runtime))
    return tmp_path


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Digital numbers, the cloud and its shadow."""
    rows, cols = np.mgrid[:SIDE, :SIDE]
    cloud = np.hypot(rows - 160, cols - 200) < 20
    shadow = np.hypot(rows - 160, cols - 140) < 20
    pixels = np.where(cloud, np.reshape(CLOUD, (13, 1, 1)), np.reshape(FIELD, (13, 1, 1)))
    pixels = np.where(shadow, np.reshape(SHADOW, (13, 1, 1)), pixels)
    noise = np.random.default_rng(0).normal(0, 0.002, pixels.shape)
    return (10_000 * (pixels + noise)).clip(1).astype(np.uint16), cloud, shadow


def _remove(folder: Path, **options: Any) -> RemoveResult:
    given = {
        "s1": (folder / "vv_vh.tif",),
        "s2": folder / "l1c.tif",
        "shift": "none",
        "adapt": True,
        "fill_by": "network",
        "detector": "published",
        **options,
    }
    return run(RemoveOptions(**given), silent)


def _as_if(monkeypatch: pytest.MonkeyPatch, gain_db: float, kept: bool) -> list[Any]:
    """Learns nothing but says so; what it was given is returned."""
    seen: list[Any] = []

    def said(model: Model, training: Any, held_out: Any, *__: Any) -> Adaptation:
        seen.extend([*training, *held_out])
        return Adaptation(model, kept, gain_db, 0.1, 0.5, 1.0)

    monkeypatch.setattr(adapt, "adapt", said)
    return seen


def _tags(path: Path) -> dict[str, str]:
    with rasterio.open(path) as dataset:
        tags: dict[str, str] = dataset.tags()
    return tags


def test_neither_clouds_nor_shadows_are_known_ground(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = _as_if(monkeypatch, 1.0, kept=True)
    result = _remove(folder)
    assert len(samples) >= adapt.MIN_TRAINING + adapt.MIN_HELD_OUT
    for sample in samples:
        known = sample.inputs.optical[:, sample.known]
        assert np.abs(known - np.reshape(FIELD, (13, 1))).max() < 0.015
        assert sample.known.sum() <= adapt.SMALL_BLOCK_PX**2
    assert result.adaptation is not None
    assert result.adaptation.adapted


def test_the_clouds_of_the_scene_are_laid_over_its_ground(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def given_to(
        model: Model, training: Any, held_out: Any, transplants: Any, *_: Any
    ) -> Adaptation:
        given.extend(transplants)
        return Adaptation(model)

    monkeypatch.setattr(adapt, "adapt", given_to)
    _remove(folder)
    assert 0 < len(given) <= adapt.MAX_TRANSPLANTS
    for transplant in given:
        assert adapt.MIN_HIDDEN <= is_cloud_or_shadow(transplant.mask).mean() <= adapt.MAX_HIDDEN
        hidden, bright = is_cloud_or_shadow(transplant.mask), transplant.light[1] > 0.4
        assert hidden[bright].all(), "all of the cloud is in it"
        assert transplant.opacity[bright].mean() > 5 * transplant.opacity[~hidden].mean()
        assert np.abs(transplant.filled - 0.3).max() < 1e-6, "what the network paints"


def test_a_network_that_fills_other_bands_than_it_sees_learns_under_drawn_clouds(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = read_card(find_model(DEFAULT_MODEL))
    some = replace(card, output_bands=card.optical_bands[:-1])
    runtime = TorchRuntime(Paint(), card.inputs, torch.device("cpu"), torch.float32)
    monkeypatch.setattr(remove, "load_model", lambda *_: Model(some, runtime))
    samples = _as_if(monkeypatch, 1.0, kept=True)
    monkeypatch.setattr(adapt, "cut_transplant", None)
    _remove(folder)
    assert samples


def test_the_gain_is_in_summary_and_tags(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _as_if(monkeypatch, 1.25, kept=True)
    result = _remove(folder)
    assert "\n  adapted to the scene: +1.25 dB (standard error 0.10)" in result.summary()
    tags = _tags(result.output)
    assert (tags["CLOUDFREE_ADAPTED"], tags["CLOUDFREE_ADAPTED_GAIN_DB"]) == ("yes", "1.25")
    assert tags["CLOUDFREE_ADAPTED_SHARE"] == "0.5"


def test_a_fallback_is_reported_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _as_if(monkeypatch, -0.5, kept=False)
    result = _remove(folder)
    assert result.adaptation is not None
    assert (result.adaptation.adapted, result.adaptation.gain_db) == (False, -0.5)
    assert "not adapted to the scene: -0.50 dB" in result.summary()
    tags = _tags(result.output)
    assert tags["CLOUDFREE_ADAPTED"].startswith("no: -0.50 dB")
    assert "CLOUDFREE_ADAPTED_GAIN_DB" not in tags


def test_the_adapted_model_fills_the_scene(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(model: Model, *_: Any) -> Adaptation:
        network = Paint()
        network.colour.data.fill_(0.2222)
        runtime = TorchRuntime(network, model.card.inputs, torch.device("cpu"), torch.float32)
        return Adaptation(Model(model.card, runtime), True, 9.0, 0.1, 0.5, 1.0)

    monkeypatch.setattr(adapt, "adapt", trained)
    with rasterio.open(_remove(folder).output) as dataset:
        assert (dataset.read()[:, 160, 200] == 2222).all()


def test_too_little_clear_ground_leaves_the_model_alone(folder: Path) -> None:
    mask = np.ones((1, SIDE, SIDE), np.uint8)
    mask[0, :100, :100] = 0
    write_raster(folder / "mask.tif", mask, ["mask"])
    result = _remove(folder, mask=folder / "mask.tif")
    assert result.adaptation is not None
    assert not result.adaptation.adapted
    assert "0 of 25 parts of the scene have enough" in result.adaptation.reason


def test_with_a_mask_without_sun_all_around_a_cloud_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers, cloud, _ = scene()
    write_raster(folder / "l1c.tif", numbers, OPTICAL_BANDS)
    write_raster(folder / "mask.tif", cloud[None].astype(np.uint8), ["mask"])
    samples = _as_if(monkeypatch, 1.0, kept=True)
    _remove(folder, mask=folder / "mask.tif")
    dark = [sample.inputs.optical[7][sample.known].min() for sample in samples]
    assert min(dark) > 0.2, "the shadow, of which the mask knows nothing, is 60 pixels away"


def test_a_dry_run_learns_nothing(folder: Path) -> None:
    assert _remove(folder, dry_run=True).adaptation is None


def test_where_all_is_filled_no_ground_counts_as_clear(folder: Path) -> None:
    result = _remove(folder, replace="all")
    assert result.adaptation is not None
    assert "every pixel is filled, and no mask gives its clear ground" in result.summary()


def test_a_field_is_painted_in_its_own_colour(folder: Path) -> None:
    """The network paints everything grey; the clear field around the cloud tells the colours."""
    result = _remove(folder)
    assert result.adaptation is not None
    assert result.adaptation.adapted
    with rasterio.open(result.output) as dataset:
        filled = dataset.read()[:, 160, 200] / 10_000
    grey, field = np.full(13, 0.3), np.array(FIELD)
    assert np.abs(filled - field).mean() < 0.4 * np.abs(grey - field).mean()


def test_without_adapting_nothing_is_said(folder: Path) -> None:
    assert RemoveOptions(s2=folder / "l1c.tif").adapt is False
    result = _remove(folder, adapt=False)
    assert result.adaptation is None
    assert "adapted" not in result.summary()
    assert not any("ADAPTED" in tag for tag in _tags(result.output))
