"""Reading and writing files; the only place that knows rasterio."""

import os

# GDAL keeps blocks up to 5 % of the machine's memory, so that memory seems to grow with a scene.
# One row of 512-pixel blocks of a full 13-band tile is 146 MB; a user's own setting stays.
os.environ.setdefault("GDAL_CACHEMAX", "256")
# GDAL decodes one block after the other by default; each thread holds blocks.
os.environ.setdefault("GDAL_NUM_THREADS", str(min(4, os.cpu_count() or 1)))
