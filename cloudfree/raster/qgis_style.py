"""Styles of QGIS: the text of a .qml file, which QGIS applies to the raster of the same name.

The elements are those that QGIS 3 writes itself (`QgsPalettedRasterRenderer`,
`QgsSingleBandPseudoColorRenderer` and `QgsMultiBandColorRenderer`, method `writeXml`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from cloudfree.core.bands import optical_band
from cloudfree.core.mask_classes import CLASS_TAG
from cloudfree.raster.cog import CogProfile

Colour = tuple[int, int, int]

_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_VERSION = "3.28"  # long-term release; later ones read its styles

# Viridis at equal steps (van der Walt and Smith, matplotlib, CC0): legible in grey, too.
RAMP: tuple[Colour, ...] = (
    (68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37),
)  # fmt: skip
# Reflectance at the end of the ramp: the deviation of a pixel of which little is known.
LARGEST_DEVIATION = 0.05
# Reflectance shown at full brightness, as Earth Engine's example for Sentinel-2 does.
BRIGHTEST = 0.3
_COLOURS = ("red", "green", "blue")
# Of the bands of an uncertainty the one that is shown, if there is one.
_SHOWN_BAND = "B04"


def with_style(profile: CogProfile) -> CogProfile:
    """The profile with a style: its classes by name, or one band of deviations in a ramp."""
    style = _class_style(profile) if profile.colours else _ramp_style(profile)
    return replace(profile, style=style)


def with_true_colour(profile: CogProfile) -> CogProfile:
    """The profile of a scene with a style in true colour, 0 to `BRIGHTEST` in reflectance.

    QGIS takes the first three bands for red, green and blue, whatever a file says of its colours.
    Pictures, and scenes that lack one of the three bands, get none.
    """
    shown = profile.interpretation or ()
    if profile.dtype == "uint8" or not set(_COLOURS) <= set(shown):
        return profile
    return replace(profile, style=_true_colour_style([shown.index(one) + 1 for one in _COLOURS]))


def _true_colour_style(bands: Sequence[int]) -> str:
    """Bands, counted from 1, as red, green and blue."""
    shown = {f"{colour}Band": str(band) for colour, band in zip(_COLOURS, bands, strict=True)}
    root, renderer = _renderer("multibandcolor", shown)
    for colour in _COLOURS:
        contrast = SubElement(renderer, f"{colour}ContrastEnhancement")
        SubElement(contrast, "minValue").text = "0"
        SubElement(contrast, "maxValue").text = f"{BRIGHTEST:g}"
        SubElement(contrast, "algorithm").text = "StretchToMinimumMaximum"
    return _text(root)


def _class_style(profile: CogProfile) -> str:
    """Classes in the colours of the palette, under the names in the tags; no data transparent."""
    root, renderer = _renderer("paletted", {"band": "1"})
    palette = SubElement(renderer, "colorPalette")
    for value, colour in (profile.colours or {}).items():
        SubElement(palette, "paletteEntry", {
            "value": str(value),
            "label": profile.tags.get(f"{CLASS_TAG}{value}", str(value)),
            "color": _hex(colour),
            "alpha": "0" if value == profile.nodata else "255",
        })  # fmt: skip
    return _text(root)


def _ramp_style(profile: CogProfile) -> str:
    """One band in a ramp of colours, in reflectance as QGIS scales it."""
    bands = [optical_band(name) for name in profile.descriptions]
    shown = bands.index(_SHOWN_BAND) + 1 if _SHOWN_BAND in bands else 1
    root, renderer = _renderer("singlebandpseudocolor", {
        "band": str(shown),
        "classificationMin": "0",
        "classificationMax": f"{LARGEST_DEVIATION:g}",
    })  # fmt: skip
    shader = SubElement(SubElement(renderer, "rastershader"), "colorrampshader", {
        "colorRampType": "INTERPOLATED",
        "classificationMode": "1",
        "clip": "0",
        "minimumValue": "0",
        "maximumValue": f"{LARGEST_DEVIATION:g}",
    })  # fmt: skip
    for step, colour in enumerate(RAMP):
        value = f"{LARGEST_DEVIATION * step / (len(RAMP) - 1):g}"
        entry = {"value": value, "label": value, "color": _hex(colour), "alpha": "255"}
        SubElement(shader, "item", entry)
    return _text(root)


def _renderer(kind: str, attributes: dict[str, str]) -> tuple[Element, Element]:
    """The root of a style and its empty renderer."""
    root = Element("qgis", version=_VERSION, styleCategories="Symbology")
    pipe = SubElement(root, "pipe")
    shared = {"type": kind, "opacity": "1", "alphaBand": "-1"}
    renderer = SubElement(pipe, "rasterrenderer", {**shared, **attributes})
    SubElement(renderer, "rasterTransparency")
    SubElement(root, "blendMode").text = "0"
    return root, renderer


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _text(root: Element) -> str:
    indent(root)
    return f"{_HEAD}{tostring(root, encoding='unicode')}\n"
