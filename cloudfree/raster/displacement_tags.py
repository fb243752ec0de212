"""How far Sentinel-1 was moved, as tags of a raster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cloudfree.core.displacement import (
    NO_SHIFT,
    Displacement,
    PolynomialDisplacement,
    Shift,
    mean_shift,
)

SHIFT = "CLOUDFREE_SHIFT_PX"
COEFFICIENTS, BOUNDS = "CLOUDFREE_SHIFT_COEFFICIENTS", "CLOUDFREE_SHIFT_BOUNDS"

# Number of coefficients -> degree of the polynomial.
_DEGREES = {(degree + 1) * (degree + 2) // 2: degree for degree in range(1, 10)}


def tags_of_displacement(displacement: Displacement) -> dict[str, str]:
    """The mean as `row,col`; of one that changes, the coefficients as such pairs, and the bounds.

    The numbers mean what they do in `core.displacement.PolynomialDisplacement`.
    """
    shift = mean_shift(displacement)
    tags = {SHIFT: f"{shift.row:.3f},{shift.col:.3f}"}
    if isinstance(displacement, PolynomialDisplacement):
        pairs = (f"{row:.4f},{col:.4f}" for row, col in displacement.coefficients)
        tags[COEFFICIENTS] = " ".join(pairs)
        tags[BOUNDS] = ",".join(f"{bound:.4f}" for bound in displacement.bounds)
    return tags


def displacement_of_tags(tags: Mapping[str, str], height: int, width: int) -> Displacement:
    """What such tags of a raster of that size tell; no shift where they tell of none."""
    pairs = [_numbers(pair) for pair in tags.get(COEFFICIENTS, "").split()]
    coefficients = tuple((pair[0], pair[1]) for pair in pairs if len(pair) == 2)
    if len(coefficients) < len(pairs) or len(pairs) not in _DEGREES:
        mean = _numbers(tags.get(SHIFT, ""))
        return Shift(*mean) if len(mean) == 2 else NO_SHIFT
    bent = PolynomialDisplacement(_DEGREES[len(pairs)], coefficients, height, width)
    bounds = _numbers(tags.get(BOUNDS, ""))
    return replace(bent, bounds=bounds) if len(bounds) == 4 else bent


def _numbers(text: str) -> tuple[float, ...]:
    """Numbers between commas; none where one of them is something else."""
    try:
        return tuple(map(float, text.split(",")))
    except ValueError:
        return ()
