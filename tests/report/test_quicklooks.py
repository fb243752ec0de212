"""Pictures from files: the radar lies where the result has it."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.core.displacement import Shift
from cloudfree.core.mask_classes import FillClass
from cloudfree.report import layers, quicklooks
from cloudfree.report.pictures import Picture, size_colours
from cloudfree.report.sources import open_sources
from tests.factories.rasters import cloudy_scene, write_cloudy_scene, write_radar, write_raster
from tests.factories.results import FakeResult, reference_tags, write_result

BRIGHT_COL = 40


def radar_picture(fake: FakeResult) -> np.ndarray | None:
    with open_sources(fake.result, None) as sources:
        pictures = {picture.name: picture.pixels for picture in quicklooks.quicklooks(sources)}
    return pictures.get("sar")


def write_bright_column(path: Path) -> None:
    backscatter_db = np.full((2, 48, 64), -20, np.float32)
    backscatter_db[:, :, BRIGHT_COL] = 0
    write_raster(path, backscatter_db, SAR_BANDS)


@pytest.mark.parametrize(("tag", "col"), [("none", BRIGHT_COL), ("0.0,6.0", BRIGHT_COL - 6)])
def test_the_radar_is_shown_with_the_shift_that_was_corrected(tmp_path, tag, col):
    fake = write_result(tmp_path, CLOUDFREE_SHIFT_PX=tag)
    write_bright_column(fake.s1)
    assert radar_picture(fake)[20, :, 0].argmax() == col


def test_the_shift_shrinks_with_the_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(quicklooks, "LONGEST_PX", 32)
    fake = write_result(tmp_path, CLOUDFREE_SHIFT_PX="0.0,6.0")
    write_bright_column(fake.s1)
    assert radar_picture(fake)[10, :, 0].argmax() == (BRIGHT_COL - 6) // 2


@pytest.mark.parametrize("longest", [1024, 32], ids=["as it is", "reduced"])
def test_a_shift_that_changes_over_the_scene_is_shown_as_it_was_corrected(
    tmp_path, monkeypatch, longest
):
    """No column is moved in the middle of the rows, 9 at the top and at the bottom."""
    monkeypatch.setattr(quicklooks, "LONGEST_PX", longest)
    fake = write_result(
        tmp_path, CLOUDFREE_SHIFT_PX="0,0", CLOUDFREE_SHIFT_COEFFICIENTS="0,0 0,-9 0,0"
    )
    write_bright_column(fake.s1)
    per_px = 64 // min(longest, 64)
    red = radar_picture(fake)[..., 0]
    last = len(red) - 1
    seen = np.array([red[0].argmax(), red[last // 2].argmax(), red[last].argmax()])
    assert np.abs(seen * per_px - [BRIGHT_COL - 9, BRIGHT_COL, BRIGHT_COL + 9]).max() <= per_px


def test_the_radar_is_read_in_the_units_that_the_user_said(tmp_path):
    """Power of cities, not recognisable as power by itself."""
    fake = write_result(tmp_path, CLOUDFREE_S1_UNITS="linear (as given)")
    write_raster(fake.s1, np.full((2, 48, 64), 3.0, np.float32), SAR_BANDS)
    assert radar_picture(fake) is not None
    other = write_result(tmp_path / "other")
    write_raster(other.s1, np.full((2, 48, 64), 3.0, np.float32), SAR_BANDS)
    assert radar_picture(other) is None


def test_a_radar_that_cannot_be_placed_is_left_out_with_a_warning(tmp_path, caplog):
    fake = write_result(tmp_path)
    write_radar(fake.s1, 20, 20, crs=None)
    with caplog.at_level(logging.WARNING, logger="cloudfree"):
        assert radar_picture(fake) is None
    assert caplog.messages[-1].startswith("no picture of the radar: no coordinate system")


def test_strips_of_the_radar_join_without_a_seam(tmp_path, monkeypatch):
    fake = write_result(tmp_path, CLOUDFREE_SHIFT_PX="0.3,0.7")
    whole = radar_picture(fake)
    monkeypatch.setattr(layers, "STRIP_ROWS", 5)
    np.testing.assert_allclose(radar_picture(fake).astype(int), whole, atol=1)


def test_deviations_are_shown_where_pixels_are_filled(tmp_path):
    fake = write_result(tmp_path, CLOUDFREE_UNCERTAINTY="sure.tif")
    numbers = np.full((2, 48, 64), 65535, np.uint16)
    numbers[:, 20:30, 20:30] = np.reshape([200, 400], (2, 1, 1))
    write_raster(tmp_path / "sure.tif", numbers, ["B02", "B03"], nodata=65535)
    with rasterio.open(tmp_path / "sure.tif", "r+") as file:
        file.scales = (1e-4, 1e-4)
    with open_sources(fake.result, None) as sources:
        pictures = {picture.name: picture.pixels for picture in quicklooks.quicklooks(sources)}
    shown = pictures["uncertainty"]
    assert shown[25, 25].tolist() == size_colours(np.float32([[0.03]]))[0, 0].tolist()
    assert not shown[10, 10].any()


@pytest.mark.parametrize(
    ("kept", "classes"),
    [
        (True, ["clear", "cloud", "shadow", "snow", "nodata"]),
        (False, ["original", "filled"]),
    ],
    ids=["cloud mask", "fill mask"],
)
def test_the_legend_is_that_of_the_mask_shown(
    tmp_path: Path, kept: bool, classes: list[str]
) -> None:
    fake = write_result(tmp_path, **({} if kept else {"CLOUDFREE_MASK": None}))
    with open_sources(fake.result, None) as sources:
        pictures = {picture.name: picture for picture in quicklooks.quicklooks(sources)}
    mask = pictures["mask"]
    assert mask.label == ("Mask" if kept else "Filled")
    assert list(mask.legend) == classes
    shown = {tuple(colour) for colour in mask.pixels[mask.pixels[..., 3] > 0][:, :3].tolist()}
    assert shown <= set(mask.legend.values())
    assert all(not picture.legend for name, picture in pictures.items() if name != "mask")


def test_cloud_that_is_not_filled_is_shown_beside_the_mask(tmp_path: Path) -> None:
    fake = write_result(tmp_path)
    with rasterio.open(fake.filled, "r+") as file:
        classes = file.read(1)
        classes[20:30, 30:34] = FillClass.UNFILLED
        file.write(classes, 1)
    with open_sources(fake.result, None) as sources:
        pictures = {picture.name: picture for picture in quicklooks.quicklooks(sources)}
    shown = pictures["filled"].pixels[25, 32, :3].tolist()
    assert tuple(shown) == pictures["filled"].legend["cloud, not filled"]
    assert list(pictures["mask"].legend)[:2] == ["clear", "cloud"]
    assert list(pictures["filled"].legend) == ["original", "filled", "cloud, not filled"]
    for one in (pictures["mask"], pictures["filled"]):
        drawn = one.pixels[one.pixels[..., 3] > 0][:, :3]
        assert set(map(tuple, drawn.tolist())) <= set(one.legend.values()), one.name
    assert not pictures["outline"].pixels[25, 32].any()


def pictures_with_dates(folder: Path, dates: list[Path], **known: object) -> dict[str, Picture]:
    """The pictures in true colour by name."""
    fake = write_result(folder, **reference_tags(dates, **known))
    with open_sources(fake.result, None) as sources:
        found = list(quicklooks.quicklooks(sources))
    return {picture.name: picture for picture in found if picture.composite in ("", "true")}


def test_other_dates_are_shown_in_the_colours_of_the_scene(tmp_path: Path) -> None:
    """The same pixels have the same colours, clouds included."""
    date = write_cloudy_scene(tmp_path / "may.tif", 48, 64)
    pictures = pictures_with_dates(tmp_path, [date], acquired=datetime(2021, 5, 4, 10, 50))
    shown, before = pictures["reference_1"], pictures["before"]
    known = before.pixels[..., 3] > 0
    np.testing.assert_array_equal(shown.pixels[known], before.pixels[known])
    assert shown.label == "Reference 1, 2021-05-04"
    assert shown.caption.startswith("may.tif as it is, clouds included, B04, B03, B02 as red")


def test_other_dates_are_shown_with_their_shift(tmp_path: Path) -> None:
    numbers = cloudy_scene(48, 64)[0]
    numbers[:, :, BRIGHT_COL] = 20_000
    date = write_raster(tmp_path / "may.tif", numbers, OPTICAL_BANDS)
    shown = pictures_with_dates(tmp_path, [date], shift=Shift(0, 6))["reference_1"]
    assert shown.pixels[2, :, 0].argmax() == BRIGHT_COL - 6


def test_a_date_without_infrared_is_shown_in_true_colour_alone(tmp_path: Path) -> None:
    """It stays on the page where the others are in infrared."""
    names = ("B02", "B03", "B04")
    numbers = cloudy_scene(48, 64)[0][[OPTICAL_BANDS.index(name) for name in names]]
    date = write_raster(tmp_path / "may.tif", numbers, names, CLOUDFREE_OFFSET_DN="0")
    pictures = pictures_with_dates(tmp_path, [date])
    assert (pictures["reference_1"].composite, pictures["after"].composite) == ("", "true")
    assert pictures["reference_1"].label == "Reference 1"


def test_a_result_has_the_composites_that_its_bands_allow(tmp_path: Path) -> None:
    with open_sources(write_result(tmp_path).result, None) as sources:
        found = [one for one in quicklooks.quicklooks(sources) if one.name == "after"]
    assert [one.composite for one in found] == ["true", "false", "swir"]
    assert [one.caption.split(", ", 1)[1] for one in found] == [
        f"{bands} as red, green, blue"
        for bands in ("B04, B03, B02", "B08, B04, B03", "B11, B08, B04")
    ]
