"""How a result was made, as pairs of a name and a text."""

from __future__ import annotations

from cloudfree import __version__
from cloudfree.core.displacement import NO_SHIFT, describe_displacement
from cloudfree.raster.georeference import ASSUMED_PIXEL_M, pixel_size_m
from cloudfree.raster.provenance import Provenance
from cloudfree.report.sources import Sources
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
