"""Tables of the page: how a result was made, figures over regions, over bands, over all results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from cloudfree import __version__
from cloudfree.core.displacement import NO_SHIFT, describe_displacement
from cloudfree.raster.georeference import ASSUMED_PIXEL_M, pixel_size_m
from cloudfree.raster.provenance import Provenance
from cloudfree.report.comparison import BeforeAfter, Comparison
from cloudfree.report.html import column_head, table
from cloudfree.report.metric_format import BAND_COLUMNS, COLUMNS, PSNR, SSIM, Column, percent
from cloudfree.report.scene_section import SceneSection
from cloudfree.report.sources import Sources
from cloudfree.sentinel2.optical_scene import OpticalScene


def facts(sources: Sources) -> tuple[tuple[str, str], ...]:
    """What the files of a result tell of its making; what they do not tell is left out."""
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
        "Mask": made.mask,
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
    told = "none" if made.shift == NO_SHIFT else describe_displacement(made.shift)
    return f"{told}: {made.shift_reason}" if made.shift_reason else told


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


NOTES = (
    "PSNR, SSIM, SAM and MAE follow UnCRtainTS (Ebel et al., 2023): reflectance with a peak of 1, "
    "an 11 \N{MULTIPLICATION SIGN} 11 Gaussian window of \N{GREEK SMALL LETTER SIGMA} 1.5 with "
    "zero padding, nothing clipped. Over part of a scene, SSIM is the mean of its map over these "
    "pixels. Before and after are scored on the same pixels: those where both and the truth have "
    "data."
)


def region_table(comparison: Comparison) -> str:
    """Figures before and after, on reconstructed and on all pixels."""
    regions = {"Reconstructed pixels": comparison.cloudy, "All pixels": comparison.all}
    rows = "".join(_region(name, pair) for name, pair in regions.items() if pair)
    heads = "".join(column_head(column) for column in COLUMNS)
    return table(f"<tr><td></td>{heads}</tr>", rows)


def band_table(comparison: Comparison) -> str:
    """Figures of every band, before and after side by side."""
    groups = "".join(column_head(column, span=2) for column in BAND_COLUMNS)
    pair = '<th scope="col">before</th><th scope="col">after</th>' * len(BAND_COLUMNS)
    head = f'<tr><td></td>{groups}</tr><tr><th scope="col">Band</th>{pair}</tr>'
    rows = "".join(_band(band, figures) for band, figures in comparison.bands.items())
    return table(head, rows)


def contents_table(chapters: Sequence[SceneSection]) -> str:
    """One line for each result, with a link to it."""
    scored = any(chapter.comparison for chapter in chapters)
    heads = "".join(
        column_head(column, note="before \N{RIGHTWARDS ARROW} after") for column in (PSNR, SSIM)
    )
    head = f'<th scope="col">Scene</th><th scope="col">Reconstructed</th>{heads if scored else ""}'
    rows = (_line(number, chapter, scored) for number, chapter in enumerate(chapters, start=1))
    return table(f"<tr>{head}</tr>", "".join(rows))


def _region(name: str, pair: BeforeAfter) -> str:
    pixels = f"{pair.after.pixels:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    before = "".join(f"<td>{column.text(pair.before)}</td>" for column in COLUMNS)
    after = "".join(_after(column, pair) for column in COLUMNS)
    span = f'colspan="{len(COLUMNS) + 1}" scope="colgroup"'
    return (
        f'<tr class="group"><th {span}>{name} ({pixels})</th></tr>'
        f'<tr><th scope="row">before</th>{before}</tr><tr><th scope="row">after</th>{after}</tr>'
    )


def _band(band: str, pair: BeforeAfter) -> str:
    cells = "".join(
        f"<td>{column.text(pair.before)}</td>{_after(column, pair)}" for column in BAND_COLUMNS
    )
    return f'<tr><th scope="row">{escape(band)}</th>{cells}</tr>'


def _after(column: Column, pair: BeforeAfter) -> str:
    better = ' class="better"' if column.improves(pair.before, pair.after) else ""
    return f"<td{better}>{column.text(pair.after)}</td>"


def _line(number: int, chapter: SceneSection, scored: bool) -> str:
    share = "\N{EN DASH}" if chapter.reconstructed is None else percent(chapter.reconstructed)
    link = f'<a href="#scene-{number}">{escape(chapter.title)}</a>'
    cells = "".join(_steps(chapter.comparison)) if scored else ""
    return f'<tr><th scope="row" class="path">{link}</th><td>{share}</td>{cells}</tr>'


def _steps(comparison: Comparison | None) -> Iterator[str]:
    """Cells such as `15.3 -> 25.1`, on the reconstructed pixels."""
    pair = (comparison.cloudy or comparison.all) if comparison else None
    for column in (PSNR, SSIM):
        before = column.text(pair.before if pair else None)
        after = column.text(pair.after if pair else None)
        yield f"<td>{before} \N{RIGHTWARDS ARROW} {after}</td>"
