"""Checks of a VRT that a user names: that its pixels come from rasters in its own folder.

A VRT may also take bytes of any file for pixels, run functions on them, and fetch sources from a
network. What is not known to be harmless is refused.
Source: GDAL documentation, "VRT - GDAL Virtual Format", and the schema gdalvrt.xsd.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.product_files import parse_xml
from cloudfree.raster.reach import check_named, is_vrt_file, not_allowed

# A mosaic of ten thousand files takes a few megabytes.
_MAX_BYTES = 1 << 26

_SOURCE, _SUB_CLASS, _PLAIN_BAND = "sourcefilename", "subclass", "vrtsourcedrasterband"

# Elements and attributes, in small letters, as GDAL does not tell them apart: those of VRTs that
# show rasters, as gdalbuildvrt and gdal_translate write them.
_ELEMENTS = re.compile(
    "vrtdataset|srs|geotransform|gcplist|gcp|metadata|mdi|maskband|vrtrasterband|description|"
    "unittype|offset|scale|categorynames|category|colorinterp|colortable|entry|nodatavalue|"
    "hidenodatavalue|histograms|histitem|histmin|histmax|bucketcount|includeoutofrange|"
    "approximate|histcounts|simplesource|complexsource|averagedsource|kernelfilteredsource|"
    "nodatafrommasksource|kernel|size|coefs|maskvaluethreshold|remappedvalue|sourcefilename|"
    "sourceband|sourceproperties|srcrect|dstrect|scaleoffset|scaleratio|srcmin|srcmax|dstmin|"
    "dstmax|exponent|clamp|lut|colortablecomponent|nodata|usemaskband|overview|overviewlist|"
    "blockxsize|blockysize"
)
_ATTRIBUTES = re.compile(
    "rasterxsize|rasterysize|datatype|band|blockxsize|blockysize|relativetovrt|shared|xoff|yoff|"
    "xsize|ysize|key|domain|c[1-4]|id|info|pixel|line|x|y|z|projection|resampling|normalized|"
    "dataaxistosrsaxismapping|coordinateepoch"
)


def check_vrt(path: Path, open_source: Callable[[str], None]) -> None:
    """Check a VRT, and those that it shows; `open_source` opens and closes a raster by its name.

    Sources that are not there are left to the reader of the VRT.

    Raises
    ------
    InputError
        It is no VRT, does more than show rasters, or shows one outside of its folder or one that
        `open_source` does not open.
    """
    todo, seen = [path], {path}
    while todo:
        for source in map(Path, _sources(todo.pop())):
            check_named(str(source), path)
            packed = str(source).startswith("/vsi")
            if source in seen or not (packed or source.exists()):
                continue
            seen.add(source)
            if is_vrt_file(str(source)):
                todo.append(source)
            else:
                open_source(str(source))


def _sources(path: Path) -> list[str]:
    """The names of the rasters that a VRT shows, each once."""
    root = _parsed(path)
    for element in root.iter():
        _check_element(element, path.name)
    if root.tag.lower() != "vrtdataset":
        raise not_allowed(f"{path.name} is no VRT, but {root.tag}")
    names = (_name(one, path) for one in root.iter() if one.tag.lower() == _SOURCE)
    return list(dict.fromkeys(names))


def _check_element(element: Element, name: str) -> None:
    """Refuse what leads to files by other ways than a source, or runs code."""
    attributes = {key.lower(): value for key, value in element.items()}
    kind = attributes.pop(_SUB_CLASS, None)
    is_band = element.tag.lower() == "vrtrasterband"
    unknown = [] if _ELEMENTS.fullmatch(element.tag.lower()) else [element.tag]
    unknown += [key for key in attributes if not _ATTRIBUTES.fullmatch(key)]
    if kind is not None and not (is_band and kind.lower() == _PLAIN_BAND):
        unknown.append(kind)
    if unknown:
        raise not_allowed(f"{name} is a VRT that has {unknown[0]}, which may read other files")


def _name(element: Element, path: Path) -> str:
    """The name of a source as GDAL opens it."""
    text = element.text or ""
    relative = any(key.lower() == "relativetovrt" and value != "0"
                   for key, value in element.items())  # fmt: skip
    if text != text.strip() or text.startswith("<") or len(element):
        raise not_allowed(f"{path.name} is a VRT whose source {text.strip()[:40]!r} is no path")
    return str(path.parent / text) if relative else text


def _parsed(path: Path) -> Element:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise InputError(
            f"{path} cannot be opened ({error})",
            wanted="the XML of a VRT",
            hint="check the path and the file",
            code=ErrorCode.MISSING_FILE if missing else ErrorCode.UNREADABLE,
        ) from error
    if len(text) > _MAX_BYTES:
        raise not_allowed(f"{path.name} is a VRT of more than {_MAX_BYTES >> 20} MB")
    if b"<!--" in text or text.count(b"<?") > 1:  # within a name GDAL reads them in its own way
        raise not_allowed(f"{path.name} is a VRT with comments or instructions")
    return parse_xml(text, path.name)
