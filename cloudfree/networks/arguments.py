"""What the arguments of a network may be, said where they stand: in the signature of its class.

`cloudfree.inference.network_arguments` holds settings against the signatures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Bounds:
    """A number is at least `least` and less than `below`.

    Of a list it bounds each number, and there are as many as in the default.
    """

    least: float
    below: float = math.inf


@dataclass(frozen=True)
class OneOf:
    """A number is one of these."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Divides:
    """A number divides the argument of this name without remainder."""

    argument: str


# Channels, bands and the like; and blocks or layers, where a network works without any.
Size = Annotated[int, Bounds(1)]
Count = Annotated[int, Bounds(0)]
Sizes = Annotated[Sequence[int], Bounds(1)]
Counts = Annotated[Sequence[int], Bounds(0)]
# Networks are given VV and VH, or no SAR.
SarBands = Annotated[int, OneOf((2,))]
SarBandsOrNone = Annotated[int, OneOf((0, 2))]
