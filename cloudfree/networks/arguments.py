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


# Far beyond any network, so that a slip of the keyboard is refused and not built for hours.
MOST_CHANNELS, MOST_BLOCKS = 2**16, 1000

# Channels, bands and the like; and blocks or layers, where a network works without any.
Size = Annotated[int, Bounds(1, MOST_CHANNELS + 1)]
Count = Annotated[int, Bounds(0, MOST_BLOCKS + 1)]
Sizes = Annotated[Sequence[int], Bounds(1, MOST_CHANNELS + 1)]
Counts = Annotated[Sequence[int], Bounds(0, MOST_BLOCKS + 1)]
# Blocks or layers of which a network needs one.
Blocks = Annotated[int, Bounds(1, MOST_BLOCKS + 1)]
# Networks are given VV and VH, or no SAR.
SarBands = Annotated[int, OneOf((2,))]
SarBandsOrNone = Annotated[int, OneOf((0, 2))]
