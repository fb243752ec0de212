"""How GDAL reads files elsewhere.

Source: GDAL documentation, "Virtual File Systems" and "Configuration options".
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rasterio.env import Env

# GDAL's file systems of a network.
_NETWORKS = ("/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls", "/vsioss", "/vsiswift")

# No folder is listed and no side file is looked for: on most servers a listing fails, and each of
# .aux.xml, .msk, .ovr and others is a request that is answered by 404. Headers are read at once,
# and kept.
_SETTINGS = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_INGESTED_BYTES_AT_OPEN": 1 << 15,
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": True,
    "VSI_CACHE": True,
}


def is_remote(source: str) -> bool:
    """Whether what GDAL opens lies, or has parts that lie, in a network."""
    return any(start in source for start in _NETWORKS)


@contextmanager
def access_to(source: str) -> Iterator[None]:
    """Open or read a source in the block; of one in a network, with as few requests as it takes.

    What the user has set in the environment counts.
    """
    if not is_remote(source):
        yield
        return
    with Env(**{name: value for name, value in _SETTINGS.items() if name not in os.environ}):
        yield
