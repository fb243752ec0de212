"""Which Sentinel-1 product sees the ground of a Sentinel-2 scene."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from cloudfree.commands.batch.scenes import ScenePair
from cloudfree.core.log_capture import captured_warnings
from cloudfree.errors import CloudfreeError
from cloudfree.sentinel1.acquisition import acquisition_of_name
from cloudfree.sentinel1.sar_source import open_sar_source
from cloudfree.sentinel2.optical_scene import OpticalScene

# Share of a scene from which a product counts as covering it: its edge is not straight.
COVERING = 0.99


def with_radar(pair: ScenePair, radars: Sequence[Path], max_gap_days: float) -> ScenePair:
    """The scene with one of the products, if it has no radar of its own.

    Of those at most so many days away it is the nearest in time that covers the scene, or else the
    one that covers most. A scene or product that cannot be opened has none: what is wrong with it
    is told when its turn comes.
    """
    if pair.s1 or not radars:
        return pair
    try:
        with captured_warnings(), OpticalScene(pair.s2) as scene:
            return replace(pair, s1=_nearest(scene, radars, timedelta(days=max_gap_days)))
    except CloudfreeError:
        return pair


def _nearest(scene: OpticalScene, radars: Iterable[Path], most: timedelta) -> Path | None:
    gaps = {path: _gap(scene, path) for path in radars}
    best, best_share = None, 0.0
    for path in sorted((path for path in gaps if gaps[path] <= most), key=gaps.__getitem__):
        share = _share(scene, path)
        if share > best_share:
            best, best_share = path, share
        if best_share >= COVERING:
            break
    return best


def _gap(scene: OpticalScene, radar: Path) -> timedelta:
    """Time between the two as far as names tell, else none."""
    named = acquisition_of_name(radar.name)
    return (named and named.gap(scene.acquisition)) or timedelta(0)


def _share(scene: OpticalScene, path: Path) -> float:
    """How much of the scene a product covers; nothing, if it cannot be opened."""
    try:
        with open_sar_source(path) as radar:
            return radar.overlap(scene.grid)
    except CloudfreeError:
        return 0.0
