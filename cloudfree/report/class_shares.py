"""The shares of classes as a page shows them: in words and colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cloudfree.core.mask_classes import FILL_COLOURS, MASK_COLOURS, FillClass
from cloudfree.report.pictures import Rgb, class_legend, fill_label


@dataclass(frozen=True)
class ClassShare:
    """A class, its colour from 0 to 255, and its share from 0 to 1."""

    label: str
    colour: Rgb
    share: float


def mask_shares(fractions: Mapping[str, float]) -> tuple[ClassShare, ...]:
    """The classes of a cloud mask, by their labels."""
    colours = class_legend(MASK_COLOURS)
    return tuple(ClassShare(label, colours[label], share) for label, share in fractions.items())


def filled_by(shares: Mapping[FillClass, float]) -> tuple[ClassShare, ...]:
    """What filled the filled pixels, the largest share first."""
    largest_first = sorted(shares, key=lambda one: -shares[one])
    return tuple(
        ClassShare(fill_label(one, shares), FILL_COLOURS[one], shares[one]) for one in largest_first
    )


class HasShares(Protocol):
    """Something with shares of classes."""

    @property
    def shares(self) -> tuple[ClassShare, ...]:
        """Its classes."""
        ...


def legend_of_shares(entries: Sequence[HasShares]) -> dict[str, Rgb]:
    """The legend of the classes that several have, by their labels, in the order of the classes."""
    found = {one.colour: one.label for entry in entries for one in entry.shares}
    return {found[colour]: colour for colour in FILL_COLOURS.values() if colour in found}
