"""STAC items as inputs: in files, in collections of items, and on servers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from cloudfree import __version__
from cloudfree.core.addresses import (
    FRAGMENT,
    address_of,
    collection_of,
    gdal_name_of,
    is_elsewhere,
    is_item,
    is_url,
    vsi_name,
)
from cloudfree.core.iso_time import in_utc
from cloudfree.errors import ErrorCode, InputError, parser_errors, reason_of
from cloudfree.raster.reach import check_named
from cloudfree.raster.stac_schema import check_collection, check_item

if TYPE_CHECKING:
    from pystac import Asset, Item

Sensor = Literal["sentinel-1", "sentinel-2"]

_TIMEOUT_S = 60
_HEADERS = {
    "Accept": "application/geo+json, application/json",
    "User-Agent": f"cloudfree/{__version__}",
}
# The answer to a search for a thousand scenes has thirty megabytes.
_MAX_BYTES = 1 << 27
_COLLECTION = "FeatureCollection"


def read_item(path: Path, sensor: Sensor | None = None) -> Item:
    """The item at a path or an address; of a collection the one that FILE#ID names.

    Without an ID it is the only one of a `sensor`.

    Raises
    ------
    InputError
        It is no STAC item, there are several, or the server does not answer.
    """
    from pystac import Item, StacIO

    content, address, wanted = _content(path)
    with parser_errors(partial(_no_item, path)):
        if content.get("type") == _COLLECTION:
            check_collection(content)
            content = _chosen(content["features"], wanted, sensor, path)
            address = _own_address(content) or address
        item = StacIO.default().stac_object_from_dict(content, href=address)
        if not isinstance(item, Item):
            raise TypeError(f"it is a {content['type']}")
        check_item(content)
        if item.datetime:
            item.datetime = in_utc(item.datetime)
        return item


def item_paths(path: Path, sensor: Sensor) -> list[Path]:
    """The paths of the items of a sensor in a collection; of any other file its own path.

    So it is of a file that cannot be read; its error is reported when it is used.
    """
    if is_elsewhere(path) or not is_item(path) or collection_of(path) != path:
        return [path]
    try:
        content = _content(path)[0]
        if content.get("type") != _COLLECTION:
            return [path]
        check_collection(content)
    except (InputError, ValueError):
        return [path]
    found = [one.get("id") for one in content["features"] if sensor_of(one) == sensor]
    # Joined as text: an ID may have slashes, which a name may not.
    return [path.parent / f"{path.name}{FRAGMENT}{name}" for name in found]


def sensor_of(item: Mapping[str, Any]) -> Sensor | None:
    """The sensor of an item, by its constellation, platform or collection; None if unknown."""
    properties = item.get("properties")
    if not isinstance(properties, Mapping):
        properties = {}
    texts = (properties.get("constellation"), properties.get("platform"), item.get("collection"))
    known = " ".join(str(text).lower() for text in texts)
    sensors: tuple[Sensor, ...] = ("sentinel-1", "sentinel-2")
    return next((one for one in sensors if one in known), None)


def gdal_name(asset: Asset, path: Path) -> str:
    """The name under which GDAL opens an asset of the item at `path`.

    Relative links start at the item.

    Raises
    ------
    InputError
        The link leads where names in inputs may not.
    """
    name = _name(asset)
    check_named(name, gdal_name_of(path))
    return name


def _name(asset: Asset) -> str:
    return vsi_name(asset.get_absolute_href() or asset.href)


def local_assets(path: Path) -> list[Path]:
    """The files of an item that lie on this disk.

    Raises
    ------
    InputError
        It is no STAC item.
    """
    names = map(_name, read_item(path).assets.values())
    return [Path(name) for name in names if not is_elsewhere(Path(name))]


def _content(path: Path) -> tuple[dict[str, Any], str, str]:
    """The JSON at a path, its address, and the ID of the item in it; empty without one."""
    file = collection_of(path)
    wanted = path.name.rpartition(FRAGMENT)[2] if file != path else ""
    address = address_of(file) if is_url(file) else str(file)
    try:
        text = _fetched(address) if is_url(file) else _read(file)
    except ValueError as error:  # too long, or of a path with a NUL
        raise _no_item(path, error) from error
    except OSError as error:
        raise _not_read(path, address, error) from error
    with parser_errors(partial(_no_item, path)):
        content = json.loads(text)
        if not isinstance(content, dict):
            raise TypeError(f"it is a {type(content).__name__}")
        return content, address, wanted


def _read(file: Path) -> bytes:
    with file.open("rb") as text:
        return _limited(text)


def _limited(text: IO[bytes]) -> bytes:
    """All bytes of a text, which must not be endless."""
    content = text.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError(f"it has more than {_MAX_BYTES >> 20} MB")
    return content


def _fetched(address: str) -> bytes:
    if not address.startswith(("http://", "https://")):
        raise InputError(
            f"the STAC item {address}",
            wanted="an item in a file or at an address of http or https",
            hint="copy the item here; its assets may stay in the bucket",
        )
    asked = Request(address, headers=_HEADERS)
    try:
        with urlopen(asked, timeout=_TIMEOUT_S) as answer:
            return _limited(answer)
    except HTTPError as error:
        error.close()
        raise


def _chosen(
    items: list[dict[str, Any]], wanted: str, sensor: Sensor | None, path: Path
) -> dict[str, Any]:
    """The item of an ID, or the only one of a sensor."""
    found = [one for one in items if one.get("id") == wanted or not wanted]
    if not wanted and sensor:
        found = [one for one in found if sensor_of(one) == sensor]
    if len(found) == 1:
        return found[0]
    there = ", ".join(str(one.get("id")) for one in items[:3])
    of = f" {wanted}" if wanted else f" of {sensor}" if sensor else "s"
    raise InputError(
        f"{len(found)} items{of} among the {len(items)} in {collection_of(path).name} ({there})",
        wanted="one item",
        hint="name it by its ID, as in FILE.json#ID",
        code=ErrorCode.BAD_INPUT,
    )


def _own_address(content: dict[str, Any]) -> str | None:
    links = content.get("links") or ()
    return next((str(one["href"]) for one in links if one.get("rel") == "self"), None)


def _no_item(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path.name} is no STAC item ({_reason(error)})",
        wanted="the JSON of one item, or of a collection of items",
        hint="save the item itself, or the answer to a search, not a collection's description",
        code=ErrorCode.UNREADABLE,
    )


def _reason(error: Exception) -> str:
    """What is wrong; a KeyError says no more than what is missing."""
    return f"no {error.args[0]}" if isinstance(error, KeyError) else reason_of(error)


def _not_read(path: Path, address: str, error: Exception) -> InputError:
    if is_url(path):
        return InputError(
            f"{address} cannot be read ({error})",
            wanted="a STAC item",
            hint="check the address and the network, or save the item as a file",
            code=ErrorCode.UNREACHABLE,
        )
    return InputError(
        f"{path.name} is no STAC item ({error})",
        wanted="the JSON of one item",
        hint="check the path",
        code=ErrorCode.MISSING_FILE if isinstance(error, FileNotFoundError) else None,
    )
