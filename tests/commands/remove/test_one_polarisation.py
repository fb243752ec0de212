"""A radar of VV or VH alone fills clouds without the model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from cloudfree.commands.remove import run as remove
from cloudfree.commands.remove.run import RemoveOptions, RemoveResult, run
from cloudfree.commands.simulate.options import SimulateOptions
from cloudfree.commands.simulate.run import run as simulate
from cloudfree.core.mask_classes import FILLED_CLASSES, FillClass
from cloudfree.core.radiometry import QUANTIFICATION, Float32
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from cloudfree.raster.provenance import Provenance
from tests.factories.rasters import write_one_band, write_raster


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated scene with an earlier date, and VV and VH of its radar alone."""
    folder = tmp_path_factory.mktemp("one") / "scene"
    simulate(SimulateOptions(folder, size=192, seed=5, dates=1), silent)
    for band in ("VV", "VH"):
        (folder / band).mkdir()
        write_one_band(folder / band / "one.tif", folder / "s1.tif", band)
    return folder


@pytest.fixture(autouse=True)
def without_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remove, "load_model", lambda *_: pytest.fail("a model is loaded"))


def _remove(place: Path, radar: str | None, **options: Any) -> RemoveResult:
    given = {
        "s1": (place / radar,) if radar else (),
        "s2": place / "s2_cloudy.tif",
        "mask": place / "truth_mask.tif",
        "output": place / "out.tif",
        "overwrite": True,
        **options,
    }
    return run(RemoveOptions(**given), silent)


def _read(path: Path) -> Float32:
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(), np.float32)


def _error(place: Path, result: RemoveResult) -> float:
    """Root mean square error of filled pixels in reflectance."""
    filled = np.isin(_read(result.filled)[0], FILLED_CLASSES)
    error = (_read(result.output) - _read(place / "s2_clear.tif")) / np.float32(QUANTIFICATION)
    return float(np.sqrt(np.square(error[:, filled]).mean()))


@pytest.mark.parametrize("band", ["VV", "VH"])
def test_the_scene_fills_itself_by_one_polarisation(
    place: Path, caplog: pytest.LogCaptureFixture, band: str
) -> None:
    without_radar = _error(place, _remove(place, None, fill_by="scene"))
    caplog.clear()
    with caplog.at_level(logging.INFO, "cloudfree"):
        result = _remove(place, f"{band}/one.tif")
    assert (result.model, result.parts, result.unfilled_fraction) == (None, None, 0)
    assert _error(place, result) < 0.95 * without_radar
    told = [text for text in caplog.messages if "model" in text]
    assert told == [
        f"model cloudfree-s is not used: it needs VV and VH, and there is {band} alone in one.tif"
    ]
    classes = _read(result.filled)[0]
    assert set(np.unique(classes)) == {FillClass.ORIGINAL, FillClass.FILLED_BY_SCENE}
    with rasterio.open(result.output) as dataset:
        tags = Provenance.from_tags(dataset.tags(), dataset.height, dataset.width)
    assert (tags.model, str(tags.s1)) == (None, f"{band}/one.tif")


def test_the_pixels_and_deviations_are_those_of_the_scene_by_itself(place: Path) -> None:
    auto = _remove(place, "VV/one.tif", uncertainty=True)
    scene = _remove(
        place, "VV/one.tif", fill_by="scene", uncertainty=True, output=place / "scene.tif"
    )
    assert np.array_equal(_read(auto.output), _read(scene.output))
    assert auto.uncertainty is not None and scene.uncertainty is not None
    found = _read(auto.uncertainty)
    assert np.array_equal(found, _read(scene.uncertainty))
    assert found[:, _read(auto.filled)[0] == FillClass.FILLED_BY_SCENE].all()


def test_references_fill_beside_it(place: Path) -> None:
    alone = _error(place, _remove(place, "VV/one.tif"))
    result = _remove(
        place, "VV/one.tif",
        references=(place / "earlier",), reference_s1=(place / "earlier",),
    )  # fmt: skip
    (used,) = result.references
    assert used.with_radar
    assert result.model is None
    assert _error(place, result) < alone


def test_without_clear_ground_it_is_refused(place: Path) -> None:
    overcast = place / "overcast.tif"
    write_raster(overcast, np.ones((1, 192, 192), np.uint8), ["mask"], crs=None)
    text = (
        r"no clear pixel in the scene, and VV alone in one\.tif; wanted clear ground, from which "
        r"clouds could be filled, or VV and VH, which model cloudfree-s needs; give a Sentinel-1"
    )
    with pytest.raises(InputError, match=text):
        _remove(place, "VV/one.tif", mask=overcast)


def test_a_model_that_is_left_out_cannot_be_adapted_which_is_told(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert _remove(place, "VV/one.tif", adapt=True).adaptation is None
    assert "--adapt does nothing here: no model fills this scene" in caplog.text


@pytest.mark.parametrize("options", [{"fill_by": "network"}, {"replace": "all", "mask": None}])
def test_the_model_alone_is_refused(place: Path, options: dict[str, Any]) -> None:
    text = (
        r"^VV alone in one\.tif; wanted VV and VH, which model cloudfree-s needs; give a "
        r"Sentinel-1 scene with both, in one file or in two that differ by VV and VH in their names"
    )
    with pytest.raises(InputError, match=text):
        _remove(place, "VV/one.tif", **options)
