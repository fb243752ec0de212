"""Items of SpatioTemporal Asset Catalogs, and where GDAL finds their assets."""

from __future__ import annotations

from pathlib import Path

from pystac import Asset, Item, STACError, STACTypeError

from cloudfree.errors import InputError

# How GDAL reaches files elsewhere.
_PLACES = {
    "https://": "/vsicurl/https://",
    "http://": "/vsicurl/http://",
    "s3://": "/vsis3/",
    "gs://": "/vsigs/",
    "file://": "",
}


def read_item(path: Path) -> Item:
    """The item in a file.

    Raises
    ------
    InputError
        It holds none.
    """
    try:
        return Item.from_file(str(path))
    except (STACError, STACTypeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path.name} is no STAC item ({error})",
            wanted="the JSON of one item",
            hint="save the item itself, not a collection or the answer to a search",
        ) from error


def gdal_name(asset: Asset) -> str:
    """What GDAL opens to read an asset; a relative link is one from the item."""
    href = asset.get_absolute_href() or asset.href
    for scheme, place in _PLACES.items():
        if href.startswith(scheme):
            return place + href.removeprefix(scheme)
    return href
