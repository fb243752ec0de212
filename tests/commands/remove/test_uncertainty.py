"""The standard deviations beside a result: which pixels have one, how large, and who says so."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from cloudfree.commands.remove import run as remove
from cloudfree.commands.remove.companion_files import DEVIATION_NODATA, digital_numbers
from cloudfree.commands.remove.run import RemoveOptions, RemoveResult, run
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import FillClass
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError, ModelError, OutputError
from cloudfree.inference.model import Arrays, Model
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.uncertainty import calibration_of
from tests.factories.rasters import cloudy_scene, write_cloudy_scene, write_radar, write_raster
from tests.factories.readiness import OneAtATime

CARD = read_card(find_model(DEFAULT_MODEL))
CALIBRATION = {
    "source": "flips", "floor": [0.03] * 13, "share": [0.2] * 13, "scale": [2.0] * 13,
    "within_1": 0.7,
}  # fmt: skip


class Network(OneAtATime):
    """Answers 0.2 everywhere, and a variance where it is given one."""

    description = "known"
    batch = 2

    def __init__(self, variance: float | None = None) -> None:
        self.variance = variance

    def run(self, inputs: Arrays) -> Arrays:
        optical = inputs["optical"]
        variance = (
            {} if self.variance is None else {"variance": np.full_like(optical, self.variance)}
        )
        return {"image": np.full_like(optical, 0.2), **variance}


class Leaning(Network):
    """Follows its input, darker to the right: it has a spread, unlike from place to place."""

    def run(self, inputs: Arrays) -> Arrays:
        shade = np.linspace(1.0, 0.9, inputs["optical"].shape[-1], dtype=np.float32)
        return {"image": inputs["optical"] * shade}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_cloudy_scene(tmp_path / "l1c.tif")
    write_radar(tmp_path / "vv_vh.tif")
    return tmp_path


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a network and a calibration in the place of the default model's."""

    def put(network: Network, **calibration: Any) -> None:
        card = dataclasses.replace(CARD, uncertainty=calibration)
        monkeypatch.setattr(remove, "load_model", lambda *_: Model(card, network))

    return put


def _remove(folder: Path, **options: Any) -> RemoveResult:
    given = {"s1": (folder / "vv_vh.tif",), "s2": folder / "l1c.tif", "shift": "none", **options}
    given.setdefault("fill_by", "network")
    return run(RemoveOptions(**{"uncertainty": True, **given}), silent)


def _read(path: Path | None) -> np.ndarray:
    assert path is not None
    with rasterio.open(path) as dataset:
        return dataset.read()


def test_filled_pixels_have_a_deviation_and_no_others(folder: Path, use: Any) -> None:
    use(Network(), **CALIBRATION)
    result = _remove(folder)
    filled = _read(result.filled)[0] == FillClass.FILLED
    numbers = _read(result.uncertainty)
    assert 0.1 < filled.mean() < 0.5
    # Floor 0.03, a fifth of 0.2, and no spread: the network is blind to direction.
    assert (numbers[:, filled] == 500).all()
    assert (numbers[:, ~filled] == DEVIATION_NODATA).all()


def test_a_variance_that_is_known_is_given_back_through_overlapping_tiles(
    folder: Path, use: Any
) -> None:
    use(Network(variance=0.0009))
    result = _remove(folder, replace="all", tile=32, overlap=13)
    assert (_read(result.uncertainty) == 300).all()


def test_a_network_that_is_blind_to_direction_and_not_calibrated_is_sure(
    folder: Path, use: Any, caplog: pytest.LogCaptureFixture
) -> None:
    use(Network())
    with caplog.at_level(logging.WARNING, logger="cloudfree"):
        result = _remove(folder, replace="all")
    assert (_read(result.uncertainty) == 0).all()
    assert f"model {DEFAULT_MODEL} is not calibrated" in caplog.text
    with rasterio.open(result.uncertainty) as dataset:
        assert dataset.tags()["CLOUDFREE_CALIBRATION"] == "none: the bare spread"


def test_the_image_is_the_same_with_and_without(folder: Path, use: Any) -> None:
    use(Leaning(), **CALIBRATION)
    with_it = _remove(folder, output=folder / "a.tif", tile=48)
    without = _remove(folder, output=folder / "b.tif", tile=48, uncertainty=False)
    assert np.array_equal(_read(with_it.output), _read(without.output))
    assert without.uncertainty is None
    assert not (folder / "b_uncertainty.tif").exists()


def test_rows_that_come_one_after_the_other_are_those_of_the_whole_scene(
    folder: Path, use: Any
) -> None:
    """A network that looks at one pixel is as sure of it in any tile."""

    class Pixelwise(Network):
        def run(self, inputs: Arrays) -> Arrays:
            optical = inputs["optical"]
            return {"image": 1 - optical, "variance": optical / 100}

    use(Pixelwise(), **{**CALIBRATION, "source": "network"})
    whole = _read(_remove(folder, output=folder / "a.tif", replace="all").uncertainty)
    tiled = _read(_remove(folder, output=folder / "b.tif", replace="all", tile=32).uncertainty)
    assert np.ptp(whole) > 100
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def test_the_file_lies_on_the_grid_of_the_scene_and_says_what_it_holds(
    folder: Path, use: Any
) -> None:
    use(Network(), **CALIBRATION)
    result = _remove(folder)
    assert result.uncertainty == folder / "l1c_cloudfree_uncertainty.tif"
    assert "standard deviations in l1c_cloudfree_uncertainty.tif" in result.summary()
    with rasterio.open(result.output) as one, rasterio.open(result.uncertainty) as other:
        assert (one.crs, one.transform, one.shape) == (other.crs, other.transform, other.shape)
        assert one.descriptions == other.descriptions
        assert one.tags()["CLOUDFREE_UNCERTAINTY"] == "l1c_cloudfree_uncertainty.tif"
        assert set(other.scales) == {1e-4}
        assert set(other.units) == {"standard deviation of reflectance"}
        assert other.nodata == DEVIATION_NODATA
        assert other.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        tags = other.tags()
    assert tags["CLOUDFREE_SPREAD"] == "flips"
    assert tags["CLOUDFREE_CALIBRATION"] == "by the card of the model"
    assert tags["CLOUDFREE_CALIBRATION_WITHIN_1"] == "0.7"


def test_bands_stand_where_the_scene_has_them(folder: Path, use: Any) -> None:
    pixels = cloudy_scene(96, 96)[0][::-1].copy()
    path = write_raster(folder / "turned.tif", pixels, OPTICAL_BANDS[::-1], nodata=0)
    use(Network(), **{**CALIBRATION, "floor": [n / 100 for n in range(13)], "share": [0.0] * 13})
    result = _remove(folder, s2=path, replace="all")
    assert _read(result.uncertainty)[:, 40, 40].tolist() == [100 * n for n in range(12, -1, -1)]
    with rasterio.open(result.uncertainty) as dataset:
        assert dataset.descriptions == OPTICAL_BANDS[::-1]


def test_nothing_is_overwritten_and_nothing_left_after_a_fault(folder: Path, use: Any) -> None:
    use(Network(), **CALIBRATION)
    (folder / "l1c_cloudfree_uncertainty.tif").write_text("mine")
    with pytest.raises(OutputError, match=r"l1c_cloudfree_uncertainty\.tif exists already"):
        _remove(folder)
    radar = np.full((2, 96, 96), -12, np.float32)
    radar[:, 12:84, 12:84] = np.nan
    write_raster(folder / "vv_vh.tif", radar, ["VV", "VH"])
    with pytest.raises(InputError, match="no Sentinel-1 pixel over any of the clouds"):
        _remove(folder, output=folder / "new.tif")
    assert not list(folder.glob("new*"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"floor": [0.1]}, "floor has 1 numbers for 13 bands"),
        ({"source": "guess"}, "source = 'guess'"),
        ({"scale": None}, r"\[uncertainty\] of model cloudfree-s \(TypeError"),
        ({"share": ["much"] * 13}, "could not convert string to float"),
    ],
    ids=str,
)
def test_a_card_that_says_it_badly_is_refused(changes: dict[str, Any], message: str) -> None:
    card = dataclasses.replace(CARD, uncertainty={**CALIBRATION, **changes})
    with pytest.raises(ModelError, match=message):
        calibration_of(card)


def test_the_default_model_is_calibrated_and_says_how_often_it_holds() -> None:
    source, found = calibration_of(CARD)
    assert (source, found is not None) == ("flips", True)
    assert 0.6 < CARD.uncertainty["within_1"] < 0.78
    assert 0.9 < CARD.uncertainty["within_2"] < 0.99


def test_numbers_are_those_of_sentinel_2_and_never_nodata() -> None:
    numbers = digital_numbers(np.float32([0.0, 0.01234, 9.0, np.nan]))
    assert numbers.tolist() == [0, 123, DEVIATION_NODATA - 1, DEVIATION_NODATA]
