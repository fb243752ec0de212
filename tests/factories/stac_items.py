"""STAC items as an API serves them: Sentinel-2 by bands, Sentinel-1 as VV and VH."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from shapely.geometry import box, mapping

from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from tests.factories.rasters import cloudy_scene, write_radar, write_raster
from tests.factories.stac_server import ADDRESS

# Degrees of `TEN_METRES` of the rasters, 96 x 96 pixels, and somewhat more.
BBOX = (2.999, 40.63, 3.02, 40.66)


def item(
    name: str,
    moment: str,
    assets: Mapping[str, str] | None = None,
    bbox: Sequence[float] = BBOX,
    sensor: str = "sentinel-2",
    level: str = "l1c",
    **properties: Any,
) -> dict[str, Any]:
    """An item whose assets are named after their bands; addresses start at `ADDRESS`."""
    collection = f"{sensor}-{level if sensor == 'sentinel-2' else 'rtc'}"
    own = f"{ADDRESS}/collections/{collection}/items/{name}"
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": name, "collection": collection,
        "stac_extensions": [], "bbox": list(bbox), "geometry": mapping(box(*bbox)),
        "links": [{"rel": "self", "href": own}],
        "properties": {"datetime": moment, "constellation": sensor, **properties},
        "assets": {
            band: {"href": href, "roles": ["data"], "type": "image/tiff; application=geotiff"}
            for band, href in (assets or {}).items()
        },
    }  # fmt: skip


def cloudy_item(folder: Path, name: str, moment: str, **properties: Any) -> dict[str, Any]:
    """An item of the cloudy scene, whose bands are written as files of their own."""
    numbers = cloudy_scene(96, 96)[0]
    files = {band: f"{name}_{band}.tif" for band in OPTICAL_BANDS}
    for pixels, file in zip(numbers, files.values(), strict=True):
        write_raster(folder / file, pixels[np.newaxis], [None])
    hrefs = {band: f"{ADDRESS}/files/{file}" for band, file in files.items()}
    return item(name, moment, hrefs, **{"s2:processing_baseline": "03.01", **properties})


def radar_item(folder: Path, name: str, moment: str) -> dict[str, Any]:
    """An item of a radar scene, whose polarisations are written as files of their own."""
    whole = write_radar(folder / f"{name}.tif")
    hrefs = {}
    with rasterio.open(whole) as dataset:
        for index, band in enumerate(SAR_BANDS, start=1):
            write_raster(folder / f"{name}_{band}.tif", dataset.read([index]), [band])
            hrefs[band.lower()] = f"{ADDRESS}/files/{name}_{band}.tif"
    return item(name, moment, hrefs, sensor="sentinel-1")


def local(one: Mapping[str, Any], folder: Path | str = ".") -> dict[str, Any]:
    """The same item with files of a folder, that of the item, instead of those of a server."""
    assets = {
        key: {**asset, "href": str(asset["href"]).replace(f"{ADDRESS}/files", str(folder))}
        for key, asset in one["assets"].items()
    }
    return {**one, "assets": assets, "links": []}
