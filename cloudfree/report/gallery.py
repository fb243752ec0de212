"""The pictures of a scene: side by side, and two of them under a slider."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from cloudfree.core.mask_classes import FILE_CLASSES, MASK_COLOURS, MaskClass
from cloudfree.raster.preview import jpeg, png
from cloudfree.report.pictures import ERROR_COLOURS, LARGEST_ERROR
from cloudfree.report.scene_section import Picture, SceneSection

# Pictures of this many pixels and fewer stay PNG, and their pixels are shown as squares.
SMALL_PX = 512 * 512


def is_small(picture: Picture) -> bool:
    """Whether every pixel of a picture can be seen on a screen."""
    return picture.pixels[..., 0].size <= SMALL_PX


def gallery(pictures: Sequence[Picture]) -> str:
    """The pictures in rows of three or four, so that the last row is as full as it can be."""
    count = sum(picture.composite != "swir" and picture.name != "outline" for picture in pictures)
    columns = 3 if count in (1, 2, 3, 5, 6) else 4
    figures = "".join(map(_figure, pictures))
    return f'<div class="gallery" style="--columns: {columns}">{figures}</div>'


def _figure(picture: Picture) -> str:
    """A picture with its name, what it shows, and its legend."""
    coarse = ' class="coarse"' if is_small(picture) else ""
    composite = f' data-composite="{picture.composite}"' if picture.composite else ""
    legends = {"mask": _mask_legend, "error": _error_legend, "uncertainty": _error_legend}
    legend = legends[picture.name]() if picture.name in legends else ""
    return (
        f'<figure data-name="{picture.name}"{composite}{coarse}>'
        f'<img src="{_data_uri(picture)}" alt="{escape(picture.caption)}">'
        f"<figcaption><strong>{escape(picture.label)}</strong>{escape(picture.caption)}{legend}"
        "</figcaption></figure>"
    )


def _data_uri(picture: Picture) -> str:
    """PNG where every pixel counts; else JPEG, in which pixels without data are black."""
    if is_small(picture) or picture.name in ("mask", "outline"):
        kind, encoded = "png", png(picture.pixels)
    else:
        kind, encoded = "jpeg", jpeg(picture.pixels[..., :3])
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode()}"


def _mask_legend() -> str:
    entries = (f"<li>{swatch(value)}{value.name.lower()}</li>" for value in FILE_CLASSES)
    return f'<ul class="legend">{"".join(entries)}</ul>'


def _error_legend() -> str:
    colours = ", ".join(f"rgb{colour}" for colour in ERROR_COLOURS)
    return (
        f'<div class="ramp" style="background: linear-gradient(to right, {colours})"></div>'
        f'<div class="ends"><span>0</span><span>{LARGEST_ERROR} and more</span></div>'
    )


def swatch(value: MaskClass) -> str:
    """A small square in the colour of a mask class."""
    return f'<span class="swatch" style="background: rgb{MASK_COLOURS[value]}"></span>'


# Pictures that the slider can show, in the order of its menus, and which stand left at first.
SLIDER = ("before", "after", "truth", "sar", "mask", "error", "uncertainty")
LEFT = ("before", "sar", "mask")


def viewer(chapter: SceneSection) -> str:
    """The slider; a page without two pictures to compare has none."""
    labels = {picture.name: picture.label for picture in chapter.pictures}
    names = [name for name in SLIDER if name in labels]
    if len(names) < 2:
        return ""
    height, width = chapter.pictures[0].pixels.shape[:2]
    # A strip of one row would be too thin to touch: the stage keeps a shape, the picture its own.
    aspect = min(max(width / height, 0.5), 3.0)
    coarse = " coarse" if is_small(chapter.pictures[0]) else ""
    return (
        f'<div class="viewer" style="--aspect: {aspect:.4f}">{_controls(chapter, labels, names)}'
        f'<div class="stage{coarse}" style="--split: 50%">'
        '<img class="right" alt=""><img class="left" alt="">'
        '<img class="outline" alt="Border of the reconstructed pixels" hidden>'
        '<span class="name on-left"></span><span class="name on-right"></span>'
        '<input type="range" min="0" max="100" step="0.1" value="50" '
        'aria-label="Where the left picture ends and the right one begins">'
        '<div class="bar"></div></div></div>'
    )


def _controls(chapter: SceneSection, labels: dict[str, str], names: list[str]) -> str:
    left = next((name for name in LEFT if name in labels), names[0])
    menus = "".join(
        _menu(side, labels, names, chosen) for side, chosen in (("left", left), ("right", "after"))
    )
    infrared = any(picture.composite == "swir" for picture in chapter.pictures)
    return (
        f'<div class="controls">{menus}{_switch("swir", "Infrared") if infrared else ""}'
        f"{_switch('outline', 'Reconstructed area') if 'outline' in labels else ''}"
        '<button type="button">Full screen</button></div>'
    )


def _menu(side: str, labels: dict[str, str], names: list[str], chosen: str) -> str:
    selected = {chosen: " selected"}
    options = "".join(
        f'<option value="{name}"{selected.get(name, "")}>{escape(labels[name])}</option>'
        for name in names
    )
    return f'<label>{side.title()} <select data-side="{side}">{options}</select></label>'


def _switch(name: str, label: str) -> str:
    return f'<label><input type="checkbox" data-switch="{name}"> {label}</label>'
