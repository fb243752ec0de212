"""A Sentinel-2 scene and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ScenePair:
    """A Sentinel-2 scene, its Sentinel-1 scene and its mask; None where there is none.

    `name` is unique among the scenes of a batch: their results are called by it.
    """

    name: str
    s2: Path
    s1: Path | None = None
    mask: Path | None = None
