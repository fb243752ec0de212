"""Whether a grid lies on the Earth: any twelve bytes of a file are a geotransform."""

from __future__ import annotations

import functools
import math

from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from cloudfree.core.grid import Grid
from cloudfree.errors import reason_of

# Sides of a pixel in units of any coordinate system: from a millimetre in degrees to a quarter of
# the Earth in metres.
_LEAST, _MOST = 1e-9, 1e7
# A place comes back within these pixels; in the Mercator projection, which ends at the
# antimeridian, perhaps the length of the equator away.
_BACK_PX, _AROUND_M = 10.0, 40_075_016.6856


def what_lacks(grid: Grid) -> str:
    """What a grid lacks to lie on the Earth, in words; empty if nothing."""
    a, b, c, d, e, f = grid.transform[:6]
    if not all(map(math.isfinite, (a, b, c, d, e, f))):
        return "its geotransform has numbers that are not finite"
    sides = (math.hypot(a, d), math.hypot(b, e))
    if not all(_LEAST <= side <= _MOST for side in sides) or abs(a * e - b * d) < _LEAST**2:
        return f"its pixels are {sides[0]:g} x {sides[1]:g} units"
    return "" if grid.crs is None else _misplaced(grid.crs, _centre(grid), max(sides))


def _centre(grid: Grid) -> tuple[float, float]:
    x, y = grid.transform @ (grid.width / 2, grid.height / 2)
    return float(x), float(y)


def _misplaced(crs: str, place: tuple[float, float], side: float) -> str:
    """What is wrong with a place in a coordinate system; `side` is that of a pixel."""
    try:
        longitude, latitude = _to_lonlat(crs).transform(*place)
        back = _to_lonlat(crs).transform(longitude, latitude, direction="INVERSE")
    except ProjError as error:  # such as that of a building site
        return f"its coordinate system is none of the Earth ({reason_of(error)})"
    # Beyond the Earth a projection begins anew: what is there comes back elsewhere, or nowhere.
    x, y = (abs(one - other) for one, other in zip(back, place, strict=True))
    comes_back = y <= _BACK_PX * side and min(x, abs(x - _AROUND_M)) <= _BACK_PX * side
    if comes_back and abs(latitude) <= 90:
        return ""
    return f"its centre is x {place[0]:.7g}, y {place[1]:.7g} ({CRS.from_wkt(crs).name})"


@functools.lru_cache(maxsize=16)
def _to_lonlat(crs: str) -> Transformer:
    return Transformer.from_crs(CRS.from_wkt(crs), "EPSG:4326", always_xy=True)
