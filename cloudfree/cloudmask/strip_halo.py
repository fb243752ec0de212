"""Strips with the rows around them, from strips that come one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from cloudfree.core.mask_classes import Mask
from cloudfree.core.window import Window

Strip = tuple[Window, Mask]


def with_halo(strips: Iterable[Strip], halo: int) -> Iterator[tuple[Window, Window, Mask]]:
    """Each strip again with up to `halo` rows above and below: (window, window of rows, rows).

    The strips are as wide as the raster and come from top to bottom without gaps. No more rows are
    kept than one strip's halo needs.
    """
    kept: deque[Strip] = deque()
    waiting: deque[Window] = deque()
    for window, rows in strips:
        kept.append((window, rows))
        waiting.append(window)
        while waiting and waiting[0].row_stop + halo <= window.row_stop:
            yield _surrounded(waiting.popleft(), kept, halo)
    while waiting:
        yield _surrounded(waiting.popleft(), kept, halo)


def _surrounded(window: Window, kept: deque[Strip], halo: int) -> tuple[Window, Window, Mask]:
    while kept[0][0].row_stop <= window.row - halo:
        kept.popleft()
    first = kept[0][0]
    rows = np.concatenate([strip for _, strip in kept])
    seen = Window(first.row, 0, len(rows), window.width)
    outer = window.grown(halo, seen.row_stop, window.width)
    return window, outer, rows[outer.within(seen)]
