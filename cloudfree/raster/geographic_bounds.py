"""The longitudes and latitudes between which a grid lies."""

from __future__ import annotations
