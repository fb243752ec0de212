"""What the page tells of one result, ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cloudfree.report.comparison import Comparison
from cloudfree.report.pictures import UInt8Image


@dataclass(frozen=True)
class Picture:
    """One picture of a scene, (y, x, 4).

    `name` is short and the same for all scenes (before, after, truth, sar, mask, error,
    uncertainty, outline); `composite` tells apart two pictures of one name: `true` or `swir`, empty
    where there is one.
    """

    name: str
    label: str
    caption: str
    pixels: UInt8Image
    composite: str = ""


@dataclass(frozen=True)
class SceneSection:
    """One result.

    `facts` are pairs of a name and a text; `fractions` the share of each mask class; `warnings`
    are sentences; `comparison` is there where the truth was given.
    """

    title: str
    reconstructed: float | None
    model: str | None
    facts: tuple[tuple[str, str], ...]
    fractions: Mapping[str, float]
    warnings: tuple[str, ...]
    pictures: tuple[Picture, ...]
    comparison: Comparison | None
