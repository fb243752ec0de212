"""Styles name the classes of the enum in the colours of the palette."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio

from cloudfree.cloudmask.mask_file import mask_profile
from cloudfree.commands.remove.companion_files import filled_profile
from cloudfree.core.grid import Grid
from cloudfree.core.mask_classes import FILL_COLOURS, MASK_COLOURS, FillClass, MaskClass
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.raster.qgis_style import (
    BRIGHTEST,
    LARGEST_DEVIATION,
    RAMP,
    with_style,
    with_true_colour,
)
from tests.factories.rasters import TEN_METRES

Colours = Mapping[MaskClass, tuple[int, int, int]] | Mapping[FillClass, tuple[int, int, int]]
CLASSES = [(mask_profile(), MASK_COLOURS), (filled_profile(), FILL_COLOURS)]
DEVIATIONS = CogProfile("uint16", 65535, ("B02", "B03", "B04", "B08"))


def _renderer(profile: CogProfile) -> ElementTree.Element:
    return _parsed(with_style(profile).style)


def _parsed(style: str | None) -> ElementTree.Element:
    assert style is not None
    assert style.startswith("<!DOCTYPE qgis")
    root = ElementTree.fromstring(style)
    assert root.tag == "qgis"
    (renderer,) = root.iterfind("pipe/rasterrenderer")
    return renderer


def _rgb(text: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(text.removeprefix("#")))


@pytest.mark.parametrize(("profile", "colours"), CLASSES, ids=["mask", "filled"])
def test_each_class_has_its_value_label_and_colour(profile: CogProfile, colours: Colours) -> None:
    renderer = _renderer(profile)
    assert (renderer.get("type"), renderer.get("band")) == ("paletted", "1")
    found = {
        (int(entry.get("value", "")), entry.get("label"), _rgb(entry.get("color", "")))
        for entry in renderer.iterfind("colorPalette/paletteEntry")
    }
    assert found == {(one.value, one.label, colour) for one, colour in colours.items()}


@pytest.mark.parametrize(("profile", "colours"), CLASSES, ids=["mask", "filled"])
def test_only_no_data_is_transparent(profile: CogProfile, colours: Colours) -> None:
    entries = _renderer(profile).iterfind("colorPalette/paletteEntry")
    clear = [int(entry.get("value", "")) for entry in entries if entry.get("alpha") == "0"]
    assert clear == [MaskClass.NODATA]


@pytest.mark.parametrize(("profile", "colours"), CLASSES, ids=["mask", "filled"])
def test_the_palette_of_the_raster_is_that_of_its_style(
    tmp_path: Path, profile: CogProfile, colours: Colours
) -> None:
    path, grid = tmp_path / "a.tif", Grid(None, TEN_METRES, 8, 8)
    with CogWriter(path, grid, with_style(profile)) as writer:
        writer.write(grid.window, np.zeros((1, 8, 8), np.uint8))
    style = ElementTree.parse(tmp_path / "a.qml")
    with rasterio.open(path) as dataset:
        palette = dataset.colormap(1)
    for entry in style.iterfind(".//paletteEntry"):
        assert palette[int(entry.get("value", ""))][:3] == _rgb(entry.get("color", ""))


def test_deviations_are_a_ramp_of_the_red_band_in_reflectance() -> None:
    renderer = _renderer(DEVIATIONS)
    assert (renderer.get("type"), renderer.get("band")) == ("singlebandpseudocolor", "3")
    (shader,) = renderer.iterfind("rastershader/colorrampshader")
    values = [float(item.get("value", "")) for item in shader.iterfind("item")]
    np.testing.assert_allclose(values, np.linspace(0, LARGEST_DEVIATION, len(RAMP)))
    assert [_rgb(item.get("color", "")) for item in shader.iterfind("item")] == list(RAMP)
    ends = (renderer.get("classificationMin"), renderer.get("classificationMax"))
    assert ends == (shader.get("minimumValue"), shader.get("maximumValue"))


def test_without_a_red_band_the_first_is_shown() -> None:
    assert _renderer(CogProfile("uint16", 65535, ("B05", "B06"))).get("band") == "1"


SCENE = CogProfile(
    "uint16", 0, ("B02", "B03", "B04", "B08"), interpretation=("blue", "green", "red", "undefined")
)


def test_a_scene_is_shown_in_true_colour_by_its_bands_not_by_their_order() -> None:
    renderer = _parsed(with_true_colour(SCENE).style)
    shown = [renderer.get(f"{colour}Band") for colour in ("red", "green", "blue")]
    assert (renderer.get("type"), shown) == ("multibandcolor", ["3", "2", "1"])
    for colour in ("red", "green", "blue"):
        (contrast,) = renderer.iterfind(f"{colour}ContrastEnhancement")
        assert float(contrast.findtext("minValue", "")) == 0
        assert float(contrast.findtext("maxValue", "")) == BRIGHTEST


@pytest.mark.parametrize(
    "profile",
    [
        CogProfile("uint16", 0, ("B08",), interpretation=("undefined",)),
        CogProfile("uint16", 0, ("B04", "B03", "B02")),
        replace(SCENE, dtype="uint8"),
    ],
    ids=["one band", "no colours known", "a picture"],
)
def test_what_has_no_true_colour_has_no_style(profile: CogProfile) -> None:
    assert with_true_colour(profile).style is None
