"""The files of a product: in a folder or a zip archive, its XML, its STAC item."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from pystac import Asset, Item, STACError, STACTypeError

from cloudfree.errors import ErrorCode, InputError

# GDAL's virtual file system for each URL scheme.
_VSI_PREFIXES = {
    "https://": "/vsicurl/https://",
    "http://": "/vsicurl/http://",
    "s3://": "/vsis3/",
    "gs://": "/vsigs/",
    "file://": "",
}


class Tree(Protocol):
    """Files by their names relative to the product."""

    @property
    def name(self) -> str:
        """Name of the folder or archive."""
        ...

    def files(self) -> list[str]:
        """Names of all files, with forward slashes, sorted."""
        ...

    def content(self, file: str) -> bytes:
        """The bytes of a file.

        Raises
        ------
        InputError
            It cannot be read.
        """
        ...

    def gdal_name(self, file: str) -> str:
        """The name under which GDAL opens a file."""
        ...


@dataclass(frozen=True)
class Folder:
    """A product unpacked into a folder."""

    root: Path

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.root.resolve().name

    def files(self) -> list[str]:
        """Names of all files below the folder."""
        found = (path for path in self.root.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def content(self, file: str) -> bytes:
        """The bytes of a file."""
        try:
            return (self.root / file).read_bytes()
        except OSError as error:
            raise _damaged(file, self.name, error) from error

    def gdal_name(self, file: str) -> str:
        """The path of a file."""
        return str(self.root / file)


@dataclass(frozen=True)
class Archive:
    """A product in a zip archive, in the folder `root` of it, which ends with a slash or is ""."""

    path: Path
    root: str = ""

    @property
    def name(self) -> str:
        """Name of the archive."""
        return self.path.name

    def files(self) -> list[str]:
        """Names of all files below the root of the archive."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(
                f"{self.path} cannot be opened ({error})",
                wanted="a zip archive of a product",
                hint="download it again",
                code=ErrorCode.UNREADABLE,
            ) from error
        start = len(self.root)
        return sorted(name[start:] for name in names if name.startswith(self.root))

    def content(self, file: str) -> bytes:
        """The bytes of a file."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                return archive.read(self.root + file)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise _damaged(file, self.name, error) from error

    def gdal_name(self, file: str) -> str:
        """The virtual file; with braces, as an archive need not end with .zip."""
        return f"/vsizip/{{{self.path}}}/{self.root}{file}"


def parse_xml(text: bytes, name: str) -> Element:
    """The root of an XML text.

    Raises
    ------
    InputError
        It is no XML, or declares a document type: entities can make a small file fill the memory.
    """
    parser = ElementTree.XMLParser(target=_WithoutDoctype())
    try:
        parser.feed(text)
        root: Element = parser.close()
    except (ElementTree.ParseError, _DoctypeError) as error:
        raise InputError(
            f"{name} cannot be read ({error})",
            wanted="the XML of the product as it was delivered",
            hint="download the product again",
            code=ErrorCode.UNREADABLE,
        ) from error
    return root


def read_item(path: Path) -> Item:
    """The item in a file.

    Raises
    ------
    InputError
        It is no STAC item.
    """
    try:
        return Item.from_file(str(path))
    except (STACError, STACTypeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path.name} is no STAC item ({error})",
            wanted="the JSON of one item",
            hint="save the item itself, not a collection or the answer to a search",
            code=ErrorCode.UNREADABLE,
        ) from error


def gdal_name(asset: Asset) -> str:
    """The name under which GDAL opens an asset; relative links start at the item."""
    href = asset.get_absolute_href() or asset.href
    for scheme, prefix in _VSI_PREFIXES.items():
        if href.startswith(scheme):
            return prefix + href.removeprefix(scheme)
    return href


def local_assets(path: Path) -> list[Path]:
    """The files of an item that lie on this disk.

    Raises
    ------
    InputError
        It is no STAC item.
    """
    names = map(gdal_name, read_item(path).assets.values())
    return [Path(name) for name in names if not name.startswith("/vsi")]


class _WithoutDoctype(ElementTree.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse the declaration."""
        del name, pubid, system
        raise _DoctypeError("a document type declaration")


class _DoctypeError(ValueError):
    """An XML text declares a document type."""


def _damaged(file: str, product: str, error: Exception) -> InputError:
    return InputError(
        f"{file} in {product} cannot be read ({error})",
        wanted="a product that is whole",
        hint="copy or download it again",
        code=ErrorCode.UNREADABLE,
    )
