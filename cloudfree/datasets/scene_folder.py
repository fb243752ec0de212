"""Scenes that lie in a folder, and which Sentinel-1 scene sees the ground of each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from cloudfree.core.kept_warnings import warnings_kept
from cloudfree.datasets.scene_pair import ScenePair
from cloudfree.errors import CloudfreeError
from cloudfree.io.optical import OpticalScene
from cloudfree.io.output_name import beside
from cloudfree.io.radar import open_radar
from cloudfree.io.sentinel1.product_name import acquisition_of_name

# Names of products, S2 PSD-14.9 and S1-RS-MDA-52-7441, in the packings they come in.
_PACKED = r".*?(?P<packing>\.SAFE(?:\.zip)?|\.zip)"
_S2_PRODUCT = re.compile(rf"S2[A-D]_MSIL(?:1C|2A)_{_PACKED}", re.IGNORECASE)
_S1_PRODUCT = re.compile(rf"S1[A-D]_[A-Z0-9]{{2}}_GRD{_PACKED}", re.IGNORECASE)
_RASTER = re.compile(r"(?:(?P<name>.+)_)?(?P<kind>s1|s2|s2_cloudy)\.tiff?", re.IGNORECASE)

# Share of a scene from which a Sentinel-1 product counts as covering it: its edge is not straight.
COVERING = 0.99


def scenes_below(folder: Path, max_gap_days: float) -> list[ScenePair]:
    """The scenes of a folder and of those below it, in the order of their names.

    They are products, as folders or zip files, or rasters: `NAME_s2.tif` or `NAME_s2_cloudy.tif`
    with `NAME_s1.tif`; without `NAME_` they are named by their folder. What has no such radar gets
    one of the products of Sentinel-1 that lie anywhere below: of those at most so many days away
    the nearest in time that covers it, or else the one that covers most.
    """
    paths = sorted(_paths(folder))
    radars = _unpacked_first(path for path in paths if _S1_PRODUCT.fullmatch(path.name))
    products = _unpacked_first(path for path in paths if _S2_PRODUCT.fullmatch(path.name))
    pairs = [ScenePair(name, path) for name, path in products.items()]
    pairs += _raster_pairs(folder, paths)
    gap = timedelta(days=max_gap_days)
    return [
        pair if pair.s1 else ScenePair(pair.name, pair.s2, _radar_of(pair.s2, radars.values(), gap))
        for pair in sorted(pairs, key=lambda pair: pair.name)
    ]


def _paths(folder: Path) -> Iterator[Path]:
    """Files, and folders that are products, which are not looked into."""
    for place, folders, files in os.walk(folder):
        products = [name for name in folders if name.upper().endswith(".SAFE")]
        folders[:] = [name for name in folders if name not in products and name[0] != "."]
        yield from (Path(place, name) for name in (*products, *files))


def _unpacked_first(paths: Iterable[Path]) -> dict[str, Path]:
    """Products by name; of one that lies there twice the folder, which is quicker to read."""
    found: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: (path.is_file(), path)):
        found.setdefault(beside(path, "").name.rstrip("_"), path)
    return found


def _raster_pairs(folder: Path, paths: Sequence[Path]) -> list[ScenePair]:
    found: dict[str, dict[str, Path]] = {}
    for path in paths:
        if match := _RASTER.fullmatch(path.name):
            parts = [*path.parent.relative_to(folder).parts, match["name"]]
            name = "_".join(part for part in parts if part) or folder.resolve().name
            found.setdefault(name, {})[match["kind"].lower()] = path
    scenes = {name: kinds.get("s2") or kinds.get("s2_cloudy") for name, kinds in found.items()}
    return [ScenePair(name, s2, found[name].get("s1")) for name, s2 in scenes.items() if s2]


def _radar_of(s2: Path, radars: Iterable[Path], gap: timedelta) -> Path | None:
    """The radar of a scene; None where there is none, or the scene cannot be opened."""
    try:
        with warnings_kept(), OpticalScene(s2) as scene:
            return _nearest(scene, radars, gap)
    except CloudfreeError:
        return None  # it is told when the scene's turn comes


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
    """Days between the two as far as names tell, else none."""
    named = acquisition_of_name(radar.name)
    return (named and named.gap(scene.acquisition)) or timedelta(0)


def _share(scene: OpticalScene, path: Path) -> float:
    """How much of the scene a radar product covers; nothing, if it cannot be opened."""
    try:
        with open_radar(path) as radar:
            return radar.overlap(scene.grid)
    except CloudfreeError:
        return 0.0
