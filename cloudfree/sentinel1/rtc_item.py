"""A terrain-corrected Sentinel-1 scene that a STAC item describes.

Source: STAC 1.0 with the extensions sat and sar, as the collection sentinel-1-rtc uses them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pystac import Item

from cloudfree.core.acquisition import Acquisition
from cloudfree.core.bands import SAR_BANDS, polarisation
from cloudfree.errors import InputError
from cloudfree.raster.stac_item import gdal_name
from cloudfree.sentinel1.product_name import acquisition_of_name


def files_of_item(item: Item, name: str) -> dict[str, str]:
    """What GDAL opens for each polarisation.

    Raises
    ------
    InputError
        The item has no asset of its own for VV or VH.
    """
    found = {band: asset for key, asset in item.assets.items() if (band := polarisation(key))}
    if missing := [band for band in SAR_BANDS if band not in found]:
        raise InputError(
            f"no asset {' and no asset '.join(missing).lower()} in {name} "
            f"({', '.join(item.assets) or 'it has none'})",
            wanted="a terrain-corrected Sentinel-1 scene with the assets vv and vh",
            hint="give an item of such a collection, as sentinel-1-rtc",
        )
    return {band: gdal_name(found[band]) for band in SAR_BANDS}


def acquisition_of_item(item: Item) -> Acquisition:
    """When and from where the scene of an item was seen."""
    told: dict[str, Any] = item.properties
    named = acquisition_of_name(item.id) or Acquisition()
    platform = str(told.get("platform") or named.platform or "")
    return Acquisition(
        product=item.id,
        platform=platform.title() or None,
        acquired=_utc(told.get("start_datetime")) or _aware(item.datetime) or named.acquired,
        orbit_direction=told.get("sat:orbit_state"),
        relative_orbit=told.get("sat:relative_orbit", named.relative_orbit),
    )


def is_gamma_nought(item: Item) -> bool:
    """Whether the item is of the collection whose backscatter is flattened by the terrain."""
    return "rtc" in str(item.collection_id or "").lower() or item.id.lower().endswith("rtc")


def _utc(text: str | None) -> datetime | None:
    return _aware(datetime.fromisoformat(text)) if text else None


def _aware(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
