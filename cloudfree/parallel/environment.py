"""What a process of the command line sets for the C libraries that it loads.

They read these variables once, when they are loaded or first used. `import cloudfree` sets none of
them: a program that imports it decides for itself.
"""

from __future__ import annotations

import os

# GDAL's own limit is 5 % of the machine's memory, so that memory seems to grow with a scene. One
# row of 512-pixel blocks of a full 13-band tile is 146 MB.
_GDAL_CACHE_MB = 256

# GDAL decodes one block after the other by default; each thread holds blocks.
_GDAL_MAX_THREADS = 4


def set_library_defaults() -> None:
    """Set the variables that the user has not set; to be called before GDAL and torch are loaded.

    OpenMP threads sleep while they wait for each other, where by default they spin: beside other
    busy processes on two cores a tile of the default model took 2.0 s spinning and 0.1 s asleep.
    """
    os.environ.setdefault("GDAL_CACHEMAX", str(_GDAL_CACHE_MB))
    os.environ.setdefault("GDAL_NUM_THREADS", str(min(_GDAL_MAX_THREADS, os.cpu_count() or 1)))
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
