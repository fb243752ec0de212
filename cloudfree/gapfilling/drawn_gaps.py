"""Gaps over clear ground, shaped as those that clouds leave."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cloudfree.gapfilling.observation import Where

GAPS = 4
TRIES = 60
# A gap leaves at least as large a share of the clear ground, and takes at least as large a one.
LEFT_SHARE, TAKEN_SHARE = 0.35, 0.03
# Pixels of a gap that count: more do not tell more.
MAX_TRIED = 6000
# Where clouds hide too little to draw with, squares of an eighth of the scene.
SQUARES = 8
MIN_HIDDEN_SHARE = 0.02


def drawn_gaps(known: Where, seed: int = 0) -> Iterator[Where]:
    """Clear ground, (y, x), below the scene's own clouds when these are moved and turned over."""
    rng = np.random.default_rng(seed)
    hidden, drawn = ~known, 0
    clear = int(known.sum())
    for _ in range(TRIES):
        if drawn == GAPS or not clear:
            return
        gap = _moved(hidden, rng) if _suitable(hidden) else _squares(known, rng)
        gap &= known
        if TAKEN_SHARE * clear <= int(gap.sum()) <= (1 - LEFT_SHARE) * clear:
            drawn += 1
            yield gap


def thinned(gap: Where) -> Where:
    """At most so many pixels of a gap, (y, x), evenly."""
    places = np.flatnonzero(gap)
    kept = np.zeros_like(gap)
    kept.flat[places[:: -(-len(places) // MAX_TRIED) or 1]] = True
    return kept


def _suitable(hidden: Where) -> bool:
    return MIN_HIDDEN_SHARE < float(hidden.mean()) < 1 - MIN_HIDDEN_SHARE


def _moved(hidden: Where, rng: np.random.Generator) -> Where:
    flipped = hidden[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    by = tuple(int(rng.integers(size)) for size in hidden.shape)
    gap = np.roll(flipped, by, axis=(0, 1))
    # Over little clear ground the moved clouds may hide all of it: half of the scene keeps them.
    if rng.random() < 0.5:
        return gap
    edge = int(rng.integers(1, hidden.shape[1] + 1))
    gap[:, edge:] = False
    return gap


def _squares(known: Where, rng: np.random.Generator) -> Where:
    chosen = rng.random((SQUARES, SQUARES)) < 0.25
    rows, cols = (-(-size // SQUARES) for size in known.shape)
    whole = np.kron(chosen, np.ones((rows, cols), np.bool_))
    return np.asarray(whole[: known.shape[0], : known.shape[1]], np.bool_)
