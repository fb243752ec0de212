"""The functions on arrays give what the commands write."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import rasterio

import cloudfree
from cloudfree.core.mask_classes import FILLED_CLASSES, is_cloud_or_shadow
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.api.conftest import SceneArrays


def _numbers(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()


def test_a_mask_of_arrays_is_that_of_the_command(folder: Path, arrays: SceneArrays) -> None:
    scene, output = folder / "s2_cloudy.tif", folder / "mask.tif"
    result = cloudfree.mask(scene, output=output, overwrite=True)
    found = cloudfree.cloud_mask(
        arrays.optical, arrays.bands, grid=arrays.grid, sun_azimuth_deg=arrays.azimuth
    )
    assert found.dtype == np.uint8
    assert np.array_equal(found, _numbers(output)[0])
    assert result.fractions["cloud"] > 0.1


@pytest.mark.parametrize("tile", [None, 96], ids=["one tile", "tiles"])
def test_clouds_removed_from_arrays_are_those_of_the_command(
    folder: Path, arrays: SceneArrays, tile: int | None
) -> None:
    scene, output = folder / "s2_cloudy.tif", folder / f"clear_{tile}.tif"
    mask = cloudfree.mask(scene, output=folder / "own.tif", overwrite=True).output
    result = cloudfree.remove(
        folder / "s1.tif", scene, mask=mask, output=output, shift="none", tile=tile,
        uncertainty=True, device="cpu", fill_by="network",
    )  # fmt: skip
    assert result.filled_fraction is not None and 0.1 < result.filled_fraction < 0.9
    assert result.uncertainty is not None
    classes = _numbers(mask)[0]
    clear, deviation = cloudfree.remove_clouds(
        arrays.optical, arrays.sar, classes, cloudfree.load_model("cloudfree-s", device="cpu"),
        bands=arrays.bands, tile=tile, uncertainty=True, fill_by="network",
    )  # fmt: skip
    with OpticalScene(scene) as opened:
        assert np.array_equal(opened.radiometry.encode(clear), _numbers(output))
    filled = _numbers(result.filled)[0] == 1
    assert np.array_equal(np.isfinite(deviation).all(axis=0), filled)
    assert np.array_equal(clear[:, ~filled], arrays.optical[:, ~filled])
    encoded = np.rint(deviation[:, filled] * 10_000)
    assert np.array_equal(encoded, _numbers(result.uncertainty)[:, filled])


@pytest.mark.parametrize("fill_by", ["auto", "scene"])
def test_clouds_filled_beside_clear_ground_are_those_of_the_command(
    folder: Path, arrays: SceneArrays, fill_by: Literal["auto", "scene"]
) -> None:
    scene, mask = folder / "s2_cloudy.tif", folder / "truth_mask.tif"
    result = cloudfree.remove(
        folder / "s1.tif", scene, mask=mask, output=folder / f"{fill_by}.tif", shift="none",
        uncertainty=True, device="cpu", fill_by=fill_by,
    )  # fmt: skip
    assert result.uncertainty is not None
    assert (result.parts is not None) == (fill_by == "auto")
    model = cloudfree.load_model("cloudfree-s", device="cpu")
    clear, deviation = cloudfree.remove_clouds(
        arrays.optical, arrays.sar, _numbers(mask)[0], model,
        bands=arrays.bands, uncertainty=True, fill_by=fill_by,
    )  # fmt: skip
    with OpticalScene(scene) as opened:
        numbers = opened.radiometry.encode(clear).astype(int)
    assert np.abs(numbers - _numbers(result.output)).max() <= 1
    filled = np.isin(_numbers(result.filled)[0], FILLED_CLASSES)
    assert 0.1 < filled.mean() < 0.9
    assert np.array_equal(np.isfinite(deviation).all(axis=0), filled)
    assert np.array_equal(clear[:, ~filled], arrays.optical[:, ~filled])
    encoded = np.rint(deviation[:, filled] * 10_000)
    assert np.abs(encoded - _numbers(result.uncertainty)[:, filled]).max() <= 1


def test_auto_is_the_default_and_the_scene_needs_neither_model_nor_radar(
    folder: Path, arrays: SceneArrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = _numbers(folder / "truth_mask.tif")[0]
    model = cloudfree.load_model("cloudfree-s", device="cpu")
    given = arrays.optical, arrays.sar, classes, model
    default = cloudfree.remove_clouds(*given, bands=arrays.bands)
    auto = cloudfree.remove_clouds(*given, bands=arrays.bands, fill_by="auto")
    assert np.array_equal(default, auto)
    monkeypatch.setattr("cloudfree.api.arrays.load_model", lambda *_: pytest.fail("a model"))
    alone = cloudfree.remove_clouds(
        arrays.optical, None, classes, bands=arrays.bands, fill_by="scene"
    )
    truth = _numbers(folder / "s2_clear.tif") / np.float32(10_000)
    hidden = is_cloud_or_shadow(classes)
    errors = [np.square(one - truth)[:, hidden].mean() for one in (arrays.optical, alone, auto)]
    assert errors[2] < errors[1] < errors[0] / 10


def test_a_scene_of_fewer_bands_is_filled_beside_its_clear_ground(
    folder: Path, arrays: SceneArrays
) -> None:
    bands = ("B02", "B03", "B04", "B08")
    few = arrays.optical[[arrays.bands.index(band) for band in bands]]
    classes = _numbers(folder / "truth_mask.tif")[0]
    model = cloudfree.load_model("cloudfree-s", device="cpu")
    clear = cloudfree.remove_clouds(few, arrays.sar, classes, model, bands=bands)
    assert (clear != few).any(axis=0)[is_cloud_or_shadow(classes)].mean() > 0.9
    everywhere = np.ones_like(classes)
    for fill_by, mask in (("network", classes), ("auto", everywhere)):
        with pytest.raises(cloudfree.InputError, match="no band B01"):
            cloudfree.remove_clouds(
                few,
                arrays.sar,
                mask,
                model,
                bands=bands,
                fill_by=fill_by,  # type: ignore[call-overload]
            )


def test_a_scene_cannot_fill_itself_without_clear_ground(arrays: SceneArrays) -> None:
    everywhere = np.ones(arrays.optical.shape[1:], np.uint8)
    for mask, text in ((None, "fill_by='scene' and no mask"), (everywhere, "no clear pixel")):
        with pytest.raises(cloudfree.InputError, match=text):
            cloudfree.remove_clouds(arrays.optical, None, mask, bands=arrays.bands, fill_by="scene")


def test_a_misspelt_choice_is_refused(arrays: SceneArrays) -> None:
    with pytest.raises(cloudfree.InputError, match="fill_by='model'; wanted one of"):
        cloudfree.remove_clouds(arrays.optical, arrays.sar, None, fill_by="model")  # type: ignore


def test_a_scene_with_pixels_missing_is_masked_and_filled_as_the_command_does(
    folder: Path, arrays: SceneArrays
) -> None:
    scene = folder / "holes.tif"
    with rasterio.open(folder / "s2_cloudy.tif") as whole:
        numbers = whole.read()
        numbers[:, :30, 100:] = 0
        with rasterio.open(scene, "w", **{**whole.profile, "driver": "GTiff"}) as file:
            file.write(numbers)
            file.descriptions = whole.descriptions
            file.update_tags(**whole.tags())
    result = cloudfree.remove(
        folder / "s1.tif", scene, shift="none", device="cpu", fill_by="network"
    )
    optical = arrays.optical.copy()
    optical[:, :30, 100:] = np.nan
    classes = cloudfree.cloud_mask(
        optical, arrays.bands, grid=arrays.grid, sun_azimuth_deg=arrays.azimuth
    )
    model = cloudfree.load_model("cloudfree-s", device="cpu")
    clear = cloudfree.remove_clouds(
        optical, arrays.sar, classes, model, bands=arrays.bands, fill_by="network"
    )
    assert np.isnan(clear[:, :30, 100:]).all()
    with OpticalScene(scene) as opened:
        assert np.array_equal(opened.radiometry.encode(clear), _numbers(result.output))


def test_without_a_mask_every_pixel_is_filled(arrays: SceneArrays) -> None:
    model = cloudfree.load_model("cloudfree-s", device="cpu")
    _, deviation = cloudfree.remove_clouds(
        arrays.optical, arrays.sar, None, model, bands=arrays.bands, uncertainty=True
    )
    assert deviation.shape == arrays.optical.shape
    assert np.isfinite(deviation).all()


def test_bands_may_come_in_any_order(arrays: SceneArrays, folder: Path) -> None:
    classes = np.zeros(arrays.optical.shape[1:], np.uint8)
    classes[40:90, 30:100] = cloudfree.MaskClass.CLOUD
    model = cloudfree.load_model("cloudfree-s", device="cpu")
    one = cloudfree.remove_clouds(
        arrays.optical, arrays.sar, classes, model, bands=arrays.bands, fill_by="network"
    )
    other = cloudfree.remove_clouds(
        arrays.optical[::-1],
        arrays.sar,
        classes,
        model,
        bands=arrays.bands[::-1],
        fill_by="network",
    )
    assert np.array_equal(one, other[::-1])
    assert is_cloud_or_shadow(classes).any()
    assert (one != arrays.optical).any(axis=0).sum() > 1000


def test_clouds_without_sentinel_1_stay_and_are_reported(
    arrays: SceneArrays, caplog: pytest.LogCaptureFixture
) -> None:
    classes = np.ones(arrays.optical.shape[1:], np.uint8)
    sar = arrays.sar.copy()
    sar[:, 80:] = np.nan
    model = cloudfree.load_model("cloudfree-s", device="cpu")
    with caplog.at_level(logging.WARNING, "cloudfree"):
        clear = cloudfree.remove_clouds(arrays.optical, sar, classes, model, bands=arrays.bands)
    assert np.array_equal(clear[:, 80:], arrays.optical[:, 80:])
    assert (clear[:, :80] != arrays.optical[:, :80]).any()
    assert "50.0% of the clouds have no Sentinel-1 and stay" in caplog.text


BANDS = ("B02", "B03")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cloudfree.cloud_mask(np.ones((2, 8, 8), np.uint16), BANDS),
         "uint16 numbers in the optical array; wanted reflectance as floats, 0-1;"),
        (lambda: cloudfree.cloud_mask(np.ones((3, 8, 8)), BANDS),
         "an optical array of shape (3, 8, 8) for 2 bands; wanted (band, y, x);"),
        (lambda: cloudfree.cloud_mask(np.ones((2, 8, 8)), BANDS), "no band B0"),
        (lambda: cloudfree.cloud_mask(np.full((2, 8, 8), np.nan), BANDS), "no valid pixel in the"),
        (lambda: _removed(sar=None), "no SAR array; wanted VV and VH in dB"),
        (lambda: _removed(sar=np.ones((2, 8, 9))), "a SAR array of shape (2, 8, 9); wanted VV and"),
        (lambda: _removed(mask=np.ones((9, 8))), "a mask of shape (9, 8); wanted one class a pix"),
        (lambda: _removed(mask=np.full((8, 8), 9)), "9 in the mask; wanted classes: 0 clear, 1 c"),
        (lambda: _removed(overlap=900), "an overlap of 900 pixels for tiles of"),
        (lambda: _removed(model="none"), "no model 'none'; wanted one of"),
    ],
    ids=["integers", "bands", "no band", "no pixel", "no radar", "radar", "mask shape", "class",
         "overlap", "model"],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(call: Any, message: str) -> None:
    with pytest.raises(cloudfree.CloudfreeError) as error:
        call()
    assert str(error.value).startswith(message)


def _removed(**changed: Any) -> np.ndarray:
    given = {"optical": np.ones((13, 8, 8)), "sar": np.ones((2, 8, 8)), "mask": None, **changed}
    return cloudfree.remove_clouds(**given)
