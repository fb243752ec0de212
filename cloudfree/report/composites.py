"""Three bands as red, green and blue: the composites that a page can switch between."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cloudfree.report.pictures import FALSE_COLOUR, SHORT_WAVE_INFRARED, TRUE_COLOUR


@dataclass(frozen=True)
class Composite:
    """Three bands, their short name in pages, and the label of their switch."""

    name: str
    label: str
    bands: tuple[str, str, str]


COMPOSITES = (
    Composite("true", "True colour", TRUE_COLOUR),
    Composite("false", "False colour", FALSE_COLOUR),
    Composite("swir", "Short-wave infrared", SHORT_WAVE_INFRARED),
)


def composites_of(bands: Collection[str]) -> tuple[Composite, ...]:
    """The composites that a scene with these bands has."""
    return tuple(one for one in COMPOSITES if set(one.bands) <= set(bands))


def as_colours(bands: tuple[str, ...]) -> str:
    """Which bands are which colours, in words."""
    return f"{', '.join(bands)} as red, green, blue"
