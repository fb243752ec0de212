"""Sentinel-2 scenes that a STAC item describes.

Source: STAC 1.0 and 1.1 with the extensions eo, raster, view, sat and Sentinel-2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from pystac import Asset, Item

from cloudfree.core.acquisition import Acquisition
from cloudfree.core.bands import optical_band
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.stac_files import gdal_name, read_item
from cloudfree.sentinel2.offset import NO_OFFSET, OffsetEvidence, baseline_evidence, stated_offsets
from cloudfree.sentinel2.product import BandFile, Level, OpticalProduct, product_name

# Earth Search subtracted the offset from some of its items, and records it here; its
# `raster:bands` do not reflect that.
_APPLIED = "earthsearch:boa_offset_applied"
_BASELINES = ("s2:processing_baseline", "processing:version")

# Scale and offset beyond these are no numbers of a reflectance.
_LEAST, _MOST = 1e-9, 1e9

# Suffix of the assets with original JP2 files; the item describes the COGs.
_ORIGINALS = "-jp2"


def stac_product(path: Path) -> OpticalProduct:
    """The scene of a STAC item.

    Raises
    ------
    InputError
        It is no item, or has no single-band assets of Sentinel-2.
    """
    item = read_item(path, "sentinel-2")
    assets = _finest(item.assets.items())
    if not assets and (stacked := _stacked(item, path)):
        from cloudfree.sentinel2.detect_product import raster_product

        return replace(raster_product(Path(stacked)), kind="STAC item of one raster")
    if not assets:
        raise InputError(
            f"no Sentinel-2 bands among the assets of {path.name} ({', '.join(item.assets)})",
            wanted="assets with one band each, named B02 or blue, or one with all of them",
            hint="give an item of a Sentinel-2 L1C or L2A collection",
            code=ErrorCode.MISSING_BAND,
        )
    properties = item.properties
    name = str(properties.get("s2:product_uri", item.id)).removesuffix(".SAFE")
    return OpticalProduct(
        kind="STAC item",
        name=name,
        bands=tuple(BandFile(band, gdal_name(asset, path)) for band, asset in assets.items()),
        level=_level(item, name),
        baseline=_baseline(properties),
        quantification=_quantification(assets.values()),
        scl=_scl(item.assets, path),
        sun_azimuth_deg=properties.get("view:sun_azimuth", properties.get("s2:mean_solar_azimuth")),
        acquisition=_acquisition(item, name),
        evidence=_evidence(item, assets.values(), path.name),
    )


def _stacked(item: Item, path: Path) -> str | None:
    """The raster with several bands of Sentinel-2, as a result of this program has them."""
    for asset in item.assets.values():
        names = [band.get("name") for band in asset.extra_fields.get("bands") or ()]
        if "data" in (asset.roles or []) and len(names) > 1 and all(map(optical_band, names)):
            return gdal_name(asset, path)
    return None


def _scl(assets: Mapping[str, Asset], path: Path) -> str | None:
    """The asset of the scene classification, `scl` or `SCL`, as GDAL opens it."""
    found = (asset for key, asset in assets.items() if key.lower() == "scl" and _is_raster(asset))
    return next((gdal_name(asset, path) for asset in found), None)


def _evidence(item: Item, assets: Iterable[Asset], name: str) -> tuple[OffsetEvidence, ...]:
    """Evidence in the item; statements on its files outweigh the product's baseline."""
    baseline = _baseline(item.properties)
    by_baseline = (baseline_evidence("STAC", baseline, name),) if baseline else ()
    if _APPLIED in item.properties:
        applied = bool(item.properties[_APPLIED])
        stated_zero = OffsetEvidence("STAC", NO_OFFSET, f"0 by {_APPLIED} of {name}")
        return (stated_zero,) if applied else by_baseline
    rasters = [_raster(asset) for asset in assets]
    stated = [
        float(round(raster["offset"] / raster.get("scale", 1.0)))
        for raster in rasters
        if "offset" in raster
    ]
    return stated_offsets("STAC", stated, "scale and offset of the bands", name) + by_baseline


def _raster(asset: Asset) -> dict[str, float]:
    """Scale and offset of an asset: in `raster:bands`, in `bands`, or in the asset itself."""
    fields = asset.extra_fields
    entries = [*fields.get("raster:bands", []), *fields.get("bands", []), fields]
    found: dict[str, float] = {}
    for entry in entries:
        for key in ("scale", "offset"):
            value = entry.get(f"raster:{key}", entry.get(key))
            if isinstance(value, (int, float)):
                found.setdefault(key, float(value))
    if not (
        found.get("scale", 1.0) >= _LEAST and max(map(abs, found.values()), default=0) <= _MOST
    ):
        raise InputError(
            f"scale {found.get('scale', 1.0):g} and offset {found.get('offset', 0.0):g} of "
            f"{PurePosixPath(asset.href).name}",
            wanted="a scale above 0, such as 0.0001, and a number as offset",
            hint="correct the STAC item",
        )
    return found


def _quantification(assets: Iterable[Asset]) -> float | None:
    scales = {scale for asset in assets if (scale := _raster(asset).get("scale"))}
    return round(1 / scales.pop(), 6) if len(scales) == 1 else None


def _finest(assets: Iterable[tuple[str, Asset]]) -> dict[str, Asset]:
    """Band -> its finest asset."""
    found: dict[str, Asset] = {}
    for key, asset in assets:
        band = _band(key, asset)
        if band and (band not in found or _gsd(asset) < _gsd(found[band])):
            found[band] = asset
    return found


def _band(key: str, asset: Asset) -> str | None:
    """The one band of an asset; by its own name, as red edge is the common name of three."""
    fields = asset.extra_fields
    bands = fields.get("bands") or fields.get("eo:bands") or [{}]
    if len(bands) != 1 or key.endswith(_ORIGINALS) or not _is_raster(asset):
        return None
    common = bands[0].get("common_name", bands[0].get("eo:common_name"))
    names = (bands[0].get("name"), key, common)
    return next((band for name in names if (band := optical_band(name))), None)


def _is_raster(asset: Asset) -> bool:
    return "thumbnail" not in (asset.roles or []) and asset.href.lower().split("?")[0].endswith(
        (".tif", ".tiff", ".jp2")
    )


def _gsd(asset: Asset) -> float:
    fields = asset.extra_fields
    transform = fields.get("proj:transform")
    return float(fields.get("gsd", abs(transform[0]) if transform else 0.0))


def _level(item: Item, name: str) -> Level | None:
    named = product_name([name])
    if named:
        return named.level
    text = f"{item.collection_id} {item.properties.get('processing:level')}".upper()
    levels: tuple[Level, ...] = ("L1C", "L2A")
    for level in levels:
        if level in text:
            return level
    return None


def _baseline(properties: Mapping[str, Any]) -> str | None:
    return next((str(properties[key]) for key in _BASELINES if key in properties), None)


def _acquisition(item: Item, name: str) -> Acquisition:
    properties, orbit = item.properties, item.properties.get("sat:relative_orbit")
    platform = properties.get("platform")
    return Acquisition(
        product=name,
        platform=str(platform).title() if platform else None,
        acquired=item.datetime,
        orbit_direction=properties.get("sat:orbit_state"),
        relative_orbit=int(orbit) if orbit is not None else None,
    )
