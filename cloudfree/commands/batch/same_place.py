"""Which other scenes of a batch may show the ground of a scene, before a pixel is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cloudfree.commands.batch.scenes import ScenePair
from cloudfree.commands.remove.references.gates import by_date
from cloudfree.core.acquisition import Acquisition
from cloudfree.core.dated_names import dated
from cloudfree.core.terminal import captured_warnings
from cloudfree.errors import CloudfreeError
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.geographic_bounds import GeographicBounds, geographic_bounds
from cloudfree.raster.warp import grid_of
from cloudfree.sentinel2.detect_product import find_product


@dataclass(frozen=True)
class _Footprint:
    """Where and when a scene was acquired."""

    bounds: GeographicBounds
    acquisition: Acquisition


class SamePlace:
    """The scenes of a batch by place and date; each is opened once.

    A scene that cannot be opened or has no coordinate system has no others. What is found
    may still show other ground, as only rectangles are compared.
    """

    def __init__(self, pairs: Iterable[ScenePair], max_age: float | None) -> None:
        self._max_age = max_age
        self._known = {pair: found for pair in pairs if (found := _footprint(pair))}

    def others(self, pair: ScenePair) -> list[ScenePair]:
        """The scenes that overlap one and are of other days, at most `max_age` days away."""
        here = self._known.get(pair)
        if here is None:
            return []
        return [
            one
            for one, there in self._known.items()
            if one is not pair
            and here.bounds.meet(there.bounds)
            and not by_date(here.acquisition, there.acquisition, self._max_age)
        ]


def _footprint(pair: ScenePair) -> _Footprint | None:
    """By the metadata and the header of one file; None if they do not tell."""
    try:
        with captured_warnings():
            product = find_product(pair.s2)
            with open_raster(product.raster or product.bands[0].path, str(pair.s2)) as dataset:
                bounds = geographic_bounds(grid_of(dataset))
    except (CloudfreeError, OSError):  # its error is reported when it is filled
        return None
    return _Footprint(bounds, dated(product.acquisition, pair.s2)) if bounds else None
