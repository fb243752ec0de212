"""The slider: two pictures one over the other, and the choice of which."""

from __future__ import annotations

from html import escape

from cloudfree.report.gallery import is_small
from cloudfree.report.scene_section import SceneSection

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
