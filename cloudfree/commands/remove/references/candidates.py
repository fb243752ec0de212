"""Paths that may be other dates of a scene: those that are named, and what folders hold.

A collection of STAC items names its Sentinel-2 items.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cloudfree.raster.stac_files import item_paths
from cloudfree.sentinel2.products_below import is_product, scenes_of_any_name_below


@dataclass(frozen=True)
class Candidate:
    """A path that may be a reference; `named` if the user named it, and no folder around it."""

    path: Path
    named: bool


def find_candidates(references: Iterable[Path], by_user: bool = True) -> list[Candidate]:
    """Every path once: those that are named first, then what is found in folders.

    Without `by_user` none is named, as a program has found the references.
    """
    given = [path for one in references for path in item_paths(one, "sentinel-2")]
    searched = [path for path in given if path.is_dir() and not is_product(path)]
    named = [path for path in given if path not in searched]
    # An empty folder stays, so that it is said to be no scene.
    below = [path for folder in searched for path in scenes_of_any_name_below(folder) or [folder]]
    found: dict[Path, Candidate] = {}
    for path in (*named, *below):
        # A folder of band files is found in itself, too.
        candidate = Candidate(path, by_user and (path in named or path in searched))
        found.setdefault(path.resolve(), candidate)
    return list(found.values())
