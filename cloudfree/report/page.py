"""Results as one HTML page that needs nothing but itself: metadata, metrics, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cloudfree import __version__
from cloudfree.core.displacement import NO_SHIFT, describe_displacement
from cloudfree.core.mask_classes import REFERENCE_CLASSES, FillClass
from cloudfree.raster.parts import Parts
from cloudfree.raster.provenance import Provenance
from cloudfree.raster.used_reference import UsedReference
from cloudfree.raster.warp import ASSUMED_PIXEL_M, pixel_size_m
from cloudfree.report.class_shares import filled_by, legend_of_shares, mask_shares
from cloudfree.report.comparison import BAND_COLUMNS, COLUMNS, PSNR, SSIM, Comparison, percent
from cloudfree.report.composites import COMPOSITES, Composite
from cloudfree.report.content_security import content_security_policy
from cloudfree.report.embedding import REFERENCES, data_uri
from cloudfree.report.histograms import BINS, HEIGHT, BandHistogram
from cloudfree.report.page_size import LARGEST_PAGE_MB
from cloudfree.report.parts_table import part_rows
from cloudfree.report.pictures import ERROR_COLOURS, LARGEST_ERROR, Picture, Rgb
from cloudfree.report.reference_table import reference_rows
from cloudfree.report.sources import Sources
from cloudfree.report.zoom import Zoom
from cloudfree.sentinel2.optical_scene import OpticalScene


def metadata(sources: Sources) -> tuple[tuple[str, str], ...]:
    """How a result was made, by its tags and files; what is unknown is left out."""
    made, truth = sources.provenance, sources.truth
    pairs = {
        "Model": made.model,
        "Licence": made.model_license,
        "Weights SHA-256": made.model_sha256,
        "Sentinel-2": made.s2,
        "Sentinel-1": made.s1,
        "Sentinel-1 in": made.s1_quantity,
        "Heights": made.dem,
        "Shift": _shift(made),
        "Adapted to the scene": _adapted(made),
        "Mask": made.mask or made.used_mask,
        "Truth": truth.path.name if truth else None,
        "Size": _size(sources.after),
        "Grid": _grid(sources.after),
        "Bands": ", ".join(sources.after.bands),
        "Made by": f"cloudfree {made.version}",
        "Page by": f"cloudfree {__version__}" if made.version != __version__ else None,
    }
    return tuple((name, str(value)) for name, value in pairs.items() if value)


def _shift(made: Provenance) -> str:
    """How far Sentinel-1 was moved, and why."""
    text = "none" if made.shift == NO_SHIFT else describe_displacement(made.shift)
    return f"{text}: {made.shift_reason}" if made.shift_reason else text


def _adapted(made: Provenance) -> str | None:
    if made.adapted_gain_db is None:
        return made.adapted
    return f"{made.adapted}, {made.adapted_gain_db:+.2f} dB on clear pixels held out"


def _size(scene: OpticalScene) -> str:
    return f"{scene.grid.width} \N{MULTIPLICATION SIGN} {scene.grid.height} pixels"


def _grid(scene: OpticalScene) -> str:
    crs = scene.handle.crs
    if not crs:
        return f"no coordinate system, taken for {ASSUMED_PIXEL_M:g} m pixels"
    return f"{crs.to_string()[:60]}, {pixel_size_m(scene.grid):.3g} m pixels"


# Pictures that the slider can show, in the order of its menus, and which stand left at first.
SLIDER = (
    "before", "after", *REFERENCES, "truth", "sar", "mask", "filled", "error", "uncertainty"
)  # fmt: skip
LEFT = ("before", "sar", "mask")
# A strip of one row would be too thin to touch: the stage keeps a shape, the picture its own.
ASPECTS = (0.5, 3.0)


@dataclass(frozen=True)
class Slider:
    """Two pictures, one over the other.

    `labels` are those of the pictures to choose from, by name; `left` is the name of the first on
    the left; `aspect` is width by height; `composites` are those to switch between.
    """

    labels: Mapping[str, str]
    left: str
    aspect: float
    composites: tuple[Composite, ...]
    outline: bool


@dataclass(frozen=True)
class SceneSection:
    """One result on the page.

    `filled` and `unfilled` are the shares of the valid pixels that are filled, and that are cloud
    and not filled; `metadata` are pairs of a name and a text; `fractions` the share of each mask
    class; `warnings` are sentences; `comparison` is None without the truth; `fill_shares` are
    shares of the filled pixels; `references` the other dates that the result is filled from;
    `parts` the scene itself and the model, where both filled it; `histograms` are those of the
    bands; `zoom` the finer pixels in the page.
    """

    title: str
    filled: float | None
    unfilled: float | None
    model: str | None
    metadata: tuple[tuple[str, str], ...]
    fractions: Mapping[str, float]
    warnings: tuple[str, ...]
    pictures: tuple[Picture, ...]
    comparison: Comparison | None
    fill_shares: Mapping[FillClass, float] = field(default_factory=dict)
    references: tuple[UsedReference, ...] = ()
    parts: Parts | None = None
    histograms: tuple[BandHistogram, ...] = ()
    zoom: Zoom | None = None

    @property
    def filled_with(self) -> str:
        """What filled pixels, as the end of a sentence; empty if unknown."""
        dates = len(set(REFERENCE_CLASSES) & set(self.fill_shares))
        by_network = FillClass.FILLED in self.fill_shares or not self.fill_shares
        parts = [f"from {dates} other date{'s' if dates > 1 else ''}"] if dates else []
        parts += [f"with {self.model}"] if self.model and by_network else []
        return " and ".join(parts)

    @property
    def slider(self) -> Slider | None:
        """The slider; None without two pictures to compare."""
        known = {picture.name: picture.label for picture in self.pictures}
        labels = {name: known[name] for name in SLIDER if name in known}
        if len(labels) < 2:
            return None
        height, width = self.pictures[0].pixels.shape[:2]
        return Slider(
            labels=labels,
            left=next((name for name in LEFT if name in labels), next(iter(labels))),
            aspect=min(max(width / height, ASPECTS[0]), ASPECTS[1]),
            composites=self._composites(),
            outline="outline" in known,
        )

    def _composites(self) -> tuple[Composite, ...]:
        """Those of its pictures; none if there is no choice."""
        found = {picture.composite for picture in self.pictures if picture.composite}
        return tuple(one for one in COMPOSITES if one.name in found) if len(found) > 1 else ()

    @property
    def script_data(self) -> dict[str, Any]:
        """What the script needs to know beside the pictures."""
        if self.zoom:
            return self.zoom.data()
        height, width = self.pictures[0].pixels.shape[:2]
        return {"width": width, "height": height, "levels": {}}


def render(
    sections: Sequence[SceneSection], version: str, largest_mb: float = LARGEST_PAGE_MB
) -> str:
    """The page of one or several results, which are chosen so that it has at most `largest_mb`."""
    one = len(sections) == 1
    title = sections[0].title if one else f"{len(sections)} cloud-free scenes"
    return render_template(
        "page.html", title=title, sections=sections, version=version, largest_mb=largest_mb
    )


def render_template(
    template: str, styles: Sequence[str] = (), script: str = "page.js", **values: Any
) -> str:
    """The template of the folder `templates` with these values, all escaped.

    `styles` are files of this package that follow the style of all pages; `script` is one, too.
    """
    style = "\n".join([*map(_file, ("page.css", *styles)), _error_ramp()])
    code = _file(script)
    return (
        _environment()
        .get_template(template)
        .render(values, style=style, script=code, policy=content_security_policy(style, code))
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cloudfree.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "data_uri": data_uri,
        "gallery_columns": gallery_columns,
        "filled_by": filled_by,
        "legend_of_shares": legend_of_shares,
        "mask_shares": mask_shares,
        "part_rows": part_rows,
        "percent": percent,
        "reference_rows": reference_rows,
        "rgb": rgb,
        "thousands": thousands,
        "zoom_limits": zoom_limits,
    }
    environment.globals |= {
        "columns": COLUMNS,
        "band_columns": BAND_COLUMNS,
        "contents_columns": (PSNR, SSIM),
        "largest_error": LARGEST_ERROR,
        "histogram_size": (BINS, HEIGHT),
    }
    return environment


def rgb(colour: Rgb) -> str:
    """Red, green and blue from 0 to 255 as CSS."""
    return f"rgb{colour}"


@cache
def _file(name: str) -> str:
    """The text of a style or script beside this module."""
    return resources.files("cloudfree.report").joinpath(name).read_text(encoding="utf-8")


def _error_ramp() -> str:
    """The rule of the legend of errors."""
    colours = ", ".join(map(rgb, ERROR_COLOURS))
    return f".ramp {{ background: linear-gradient(to right, {colours}); }}"


def gallery_columns(pictures: Sequence[Picture]) -> int:
    """Three or four pictures in a row, so that the last row is as full as it can be."""
    shown = (picture for picture in pictures if picture.composite in ("", "true"))
    count = sum(picture.name != "outline" for picture in shown)
    return 3 if -count % 3 < -count % 4 else 4


def thousands(number: int) -> str:
    """A count with its digits in groups of three."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def zoom_limits(zoom: Zoom, largest_mb: float) -> str:
    """In which pixels each group of layers can be seen, and why they are no finer."""
    by_factor: dict[int, list[str]] = {}
    for name, factor in zoom.finest.items():
        by_factor.setdefault(factor, []).append(name)
    pixels = (
        f"{', '.join(names)} in pixels of {factor * zoom.pixel_m:.3g} m"
        for factor, names in sorted(by_factor.items())
    )
    return (
        f"Zoomed in, this page shows {'; '.join(pixels)}. Finer pixels would make it larger than "
        f"{largest_mb:g} MB; --max-size raises this limit."
    )
