"""Paths of what lies elsewhere: addresses on servers and in buckets, and names of GDAL's own.

A path merges slashes, so that `https://host` becomes `https:/host`; `address_of` has them again.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath

_URL = re.compile(r"(?:https?|s3|gs):/")
_VIRTUAL = "/vsi"
# GDAL's virtual file system for each URL scheme.
_VSI_PREFIXES = {
    "https://": "/vsicurl/https://",
    "http://": "/vsicurl/http://",
    "s3://": "/vsis3/",
    "gs://": "/vsigs/",
    "file://": "",
}
# Separates the file of a collection of STAC items from the item in it.
FRAGMENT = "#"

ITEM_SUFFIXES = (".json", ".geojson")
# What lies at an address with one of these endings is no STAC item.
_OTHER_SUFFIXES = (".tif", ".tiff", ".jp2", ".vrt", ".zip", ".xml", ".png", ".jpg", ".nc", ".h5")

# A path merges slashes: of a scheme, and before the name of what an archive lies in.
_ARCHIVES = "vsizip|vsitar|vsigzip|vsi7z|vsirar"
_MERGED_SCHEME = re.compile(r"\b(https?|ftp|s3|gs):/(?!/)")
_MERGED_ARCHIVE = re.compile(rf"/({_ARCHIVES})/(?=vsi[a-z0-9]+[/?])")
_LOCAL_ARCHIVE = re.compile(rf"/({_ARCHIVES})/(?P<first>[^/{{][^/]*)")


def is_url(path: PurePath) -> bool:
    """Whether a path is the address of a file on a server or in a bucket."""
    return _URL.match(path.as_posix()) is not None


def is_virtual(path: PurePath) -> bool:
    """Whether a path is a name of GDAL's own, such as that of a file in an archive."""
    return path.as_posix().startswith(_VIRTUAL)


def is_elsewhere(path: PurePath) -> bool:
    """Whether only GDAL or a server knows what is at a path."""
    return is_url(path) or is_virtual(path)


def address_of(path: PurePath) -> str:
    """An address or a name of GDAL's own, with the slashes that a path has merged.

    The path of a file of this machine is its text.
    """
    if not is_elsewhere(path):
        return str(path)
    text = _MERGED_SCHEME.sub(r"\1://", path.as_posix())
    text = _MERGED_ARCHIVE.sub(r"/\1//", text)
    local = _LOCAL_ARCHIVE.match(text)
    if local and not Path(local["first"]).exists() and Path("/", local["first"]).exists():
        return text[: local.start("first")] + "/" + text[local.start("first") :]
    return text


def gdal_name_of(path: PurePath) -> str:
    """The name by which GDAL opens a path: a file, an address, or a name of its own."""
    return vsi_name(address_of(path)) if is_elsewhere(path) else str(path)


def vsi_name(address: str) -> str:
    """The name by which GDAL opens what is at an address; other texts unchanged."""
    for scheme, prefix in _VSI_PREFIXES.items():
        if address.startswith(scheme):
            return prefix + address.removeprefix(scheme)
    return address


def href_of(path: PurePath) -> str:
    """The address of a path for a link: of GDAL's names of files elsewhere, that of the file."""
    address = address_of(path)
    for scheme, prefix in _VSI_PREFIXES.items():
        if prefix and address.startswith(prefix):
            return scheme + address.removeprefix(prefix)
    return address


def is_item(path: PurePath) -> bool:
    """Whether a path is that of a STAC item, by its ending; of an address, unless it has another.

    So is FILE#ID, the item of that ID in a collection.
    """
    name = PurePath(path.as_posix().split("?")[0]).name
    suffix = PurePath(name.rpartition(FRAGMENT)[0] or name).suffix.lower()
    if is_url(path):
        return suffix not in _OTHER_SUFFIXES
    return suffix in ITEM_SUFFIXES


def plain_name(path: PurePath) -> str:
    """The name of a path: of an item in a collection its own, of an address without its query."""
    whole = PurePath(path.as_posix().split("?")[0]) if is_url(path) else path
    return whole.name.rpartition(FRAGMENT)[2]


def collection_of(path: Path) -> Path:
    """The file in which an item lies that a path names as FILE#ID; other paths unchanged."""
    name = path.name.rpartition(FRAGMENT)[0]
    return path.with_name(name) if name and not path.exists() else path
