"""Bins of cloud cover, by which the literature groups patches."""

from __future__ import annotations

# GLF-CR groups patches by 20 % of cloud cover.
BINS = 5


def cover_bin(cover: float, bins: int = BINS) -> int:
    """The bin of a fraction, from 0 on; the last bin includes its upper edge."""
    return min(int(cover * bins), bins - 1)


def bin_name(index: int, bins: int = BINS) -> str:
    """The edges of a bin in per cent."""
    low, high = (f"{round(100 * edge / bins, 1):g}" for edge in (index, index + 1))
    return f"{low}-{high} %"
