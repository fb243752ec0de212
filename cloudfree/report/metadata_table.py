"""How a result was made, in pairs of a name and a text."""

from __future__ import annotations

from cloudfree import __version__
from cloudfree.core.displacement import words
from cloudfree.core.shift import NO_SHIFT
from cloudfree.raster.georeference import ASSUMED_PIXEL_M, pixel_size_m
from cloudfree.report.provenance import Provenance
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
        "Sentinel-1 in": made.s1_units,
        "Heights": made.dem,
        "Shift": _shift(made),
        "Adapted to the scene": made.adapted,
        "Mask": made.mask,
        "Truth": truth.path.name if truth else None,
        "Size": _size(sources.after),
        "Grid": _grid(sources.after),
        "Bands": ", ".join(sources.after.bands),
        "Made by": f"cloudfree {made.version}",
        "Page by": f"cloudfree {__version__}" if made.version != __version__ else None,
    }
    return tuple((name, text) for name, text in pairs.items() if text)


def _shift(made: Provenance) -> str:
    """How far Sentinel-1 was moved, and why."""
    told = "none" if made.shift == NO_SHIFT else words(made.shift)
    return f"{told}: {made.shift_reason}" if made.shift_reason else told


def _size(scene: OpticalScene) -> str:
    return f"{scene.grid.width} \N{MULTIPLICATION SIGN} {scene.grid.height} pixels"


def _grid(scene: OpticalScene) -> str:
    crs = scene.handle.crs
    if not crs:
        return f"no coordinate system, taken for {ASSUMED_PIXEL_M:g} m pixels"
    return f"{crs.to_string()[:60]}, {pixel_size_m(scene.grid):.3g} m pixels"
