"""Windows as rasterio takes them."""

from __future__ import annotations

import rasterio.windows

from cloudfree.core.window import Window


def rectangle(window: Window) -> rasterio.windows.Window:
    """The same window in rasterio's words, columns first."""
    return rasterio.windows.Window(window.col, window.row, window.width, window.height)
