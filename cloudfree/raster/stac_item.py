"""The STAC item of a result, from the headers of its files.

Source: STAC 1.1.0 with the extensions of `EXTENSIONS`. An item that names the MLM extension has to
describe a model itself, so that a result has its link alone: `derived_from` with `mlm:name`
(MLM extension, "Relation Types").
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from pyproj import CRS
from pystac import Asset, Item, Link, MediaType, RelType

from cloudfree import __version__
from cloudfree.core.acquisition import Acquisition
from cloudfree.core.addresses import gdal_name_of
from cloudfree.core.grid import Grid
from cloudfree.core.output_files import item_of
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.geographic_footprint import geographic_footprint
from cloudfree.raster.stac_bands import pixel_gsd_m, stac_bands
from cloudfree.raster.warp import grid_of

_HOST = "https://stac-extensions.github.io"
EXTENSIONS = {
    "proj": f"{_HOST}/projection/v2.0.0/schema.json",
    "eo": f"{_HOST}/eo/v2.0.0/schema.json",
    "raster": f"{_HOST}/raster/v2.0.0/schema.json",
    "processing": f"{_HOST}/processing/v1.1.0/schema.json",
    "classification": f"{_HOST}/classification/v2.0.0/schema.json",
}
# Roles of an asset that shows clouds, shadows and snow.
MASK_ROLES = ("cloud", "cloud-shadow", "snow-ice")

SOFTWARE, _OWN = "processing:software", "cloudfree"

# Media types by the ending of a source; folders and others have none.
_MEDIA_TYPES = {
    ".tif": MediaType.GEOTIFF,
    ".tiff": MediaType.GEOTIFF,
    ".jp2": MediaType.JPEG2000,
    ".json": MediaType.GEOJSON,
    ".geojson": MediaType.GEOJSON,
    ".xml": MediaType.XML,
    ".toml": "application/toml",
}


@dataclass(frozen=True)
class ItemAsset:
    """A raster of an item; `draft` is where it lies until it gets its name."""

    path: Path
    title: str
    roles: tuple[str, ...]
    draft: Path | None = None


@dataclass(frozen=True)
class ItemSource:
    """What a result was derived from; `fields` are further ones of its link."""

    href: str
    title: str
    fields: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ItemFacts:
    """What the files of an item do not say; `cloud_cover` is in per cent, None if unknown."""

    acquisition: Acquisition
    level: str | None
    lineage: str
    cloud_cover: float | None = None
    sources: tuple[ItemSource, ...] = ()


def check_dated(acquisition: Acquisition, name: str, hint: str) -> None:
    """Refuse an item of a scene whose date is not known.

    Raises
    ------
    InputError
        It is not known.
    """
    if acquisition.acquired is None:
        raise InputError(
            f"--stac for {name}, which has no date",
            wanted="the time of acquisition, which every STAC item has",
            hint=hint,
            code=ErrorCode.BAD_OPTION,
        )


def item_text(path: Path, assets: Mapping[str, ItemAsset], facts: ItemFacts, now: datetime) -> str:
    """The JSON of the item at `path`; links are relative to its folder.

    `assets` are of one grid, by their keys; `now` is when the item is made.

    Raises
    ------
    InputError
        An asset cannot be read, or there is no date.
    """
    acquired = facts.acquisition.acquired
    assert acquired is not None
    headers = {key: _header(one) for key, one in assets.items()}
    grid = next(iter(headers.values())).grid
    footprint = geographic_footprint(grid)
    properties = _properties(facts, grid, now)
    item = Item(
        id=path.stem,
        geometry=footprint.geometry if footprint else None,
        bbox=list(footprint.bounds) if footprint else None,
        datetime=acquired,
        properties=properties,
        stac_extensions=list(_used_extensions(properties, headers.values())),
    )
    for key, one in assets.items():
        item.add_asset(key, _asset(one, headers[key]))
    item.add_links([_link(source) for source in facts.sources])
    return json.dumps(item.to_dict(include_self_link=False), indent=2, allow_nan=False) + "\n"


def outdated_items(result: Path, kept: Iterable[Path]) -> tuple[Path, ...]:
    """The item of an earlier result that is replaced by one without an item; none if there is none.

    Files that cloudfree did not write and those of `kept` stay.
    """
    path = item_of(result)
    is_kept = path.resolve() in {one.resolve() for one in kept}
    return () if is_kept or not _is_own(path) else (path,)


def _is_own(path: Path) -> bool:
    try:
        return _OWN in json.loads(path.read_text(encoding="utf-8"))["properties"][SOFTWARE]
    except (OSError, ValueError, KeyError, TypeError):
        return False


@dataclass(frozen=True)
class _Header:
    """The grid of a raster, and its bands as STAC describes them."""

    grid: Grid
    bands: tuple[dict[str, Any], ...]

    def has(self, prefix: str) -> bool:
        """Whether a band has a field of an extension."""
        return any(_has(band, prefix) for band in self.bands)


def _header(asset: ItemAsset) -> _Header:
    with open_raster(gdal_name_of(asset.draft or asset.path), asset.path.name) as dataset:
        return _Header(grid_of(dataset), tuple(stac_bands(dataset)))


def _has(fields: Mapping[str, Any], prefix: str) -> bool:
    return any(name.startswith(f"{prefix}:") for name in fields)


def _used_extensions(properties: Mapping[str, Any], headers: Collection[_Header]) -> Iterator[str]:
    """The extensions of which the item or one of its bands has fields."""
    for prefix, schema in EXTENSIONS.items():
        if _has(properties, prefix) or any(one.has(prefix) for one in headers):
            yield schema


def _properties(facts: ItemFacts, grid: Grid, now: datetime) -> dict[str, Any]:
    platform = facts.acquisition.platform
    known = {
        "created": _utc(now),
        "platform": platform.lower() if platform else None,
        "constellation": platform.lower()[: len("sentinel-2")] if platform else None,
        "gsd": pixel_gsd_m(grid),
        "eo:cloud_cover": None if facts.cloud_cover is None else round(facts.cloud_cover, 4),
        "processing:level": facts.level,
        "processing:lineage": facts.lineage,
        SOFTWARE: {_OWN: __version__},
    }
    return {**{name: one for name, one in known.items() if one is not None}, **_projection(grid)}


def _projection(grid: Grid) -> dict[str, Any]:
    crs = CRS.from_wkt(grid.crs) if grid.crs else None
    code = crs.to_authority() if crs else None
    corners = [grid.transform @ corner for corner in ((0, 0), (grid.width, grid.height))]
    (x, y), (x_end, y_end) = corners
    found: dict[str, Any] = {
        "proj:code": ":".join(code) if code else None,
        "proj:shape": [grid.height, grid.width],
        "proj:transform": list(grid.transform)[:6],
        "proj:bbox": [min(x, x_end), min(y, y_end), max(x, x_end), max(y, y_end)],
    }
    return {**found, "proj:wkt2": crs.to_wkt("WKT2_2019")} if crs and not code else found


def _asset(asset: ItemAsset, header: _Header) -> Asset:
    return Asset(
        f"./{asset.path.name}",
        title=asset.title,
        media_type=MediaType.COG,
        roles=list(asset.roles),
        extra_fields={"bands": list(header.bands)},
    )


def _link(source: ItemSource) -> Link:
    return Link(
        RelType.DERIVED_FROM,
        source.href,
        media_type=_MEDIA_TYPES.get(PurePath(source.href.split("?")[0]).suffix.lower()),
        title=source.title,
        extra_fields=dict(source.fields),
    )


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
