"""The files of a product: in a folder or a zip archive, its XML."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from cloudfree.errors import ErrorCode, InputError, parser_errors, reason_of


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

        def as_error(error: Exception) -> InputError:
            return InputError(
                f"{self.path} cannot be opened ({reason_of(error)})",
                wanted="a zip archive of a product",
                hint="download it again",
                code=ErrorCode.UNREADABLE,
            )

        with parser_errors(as_error), zipfile.ZipFile(self.path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
        start = len(self.root)
        return sorted(name[start:] for name in names if name.startswith(self.root))

    def content(self, file: str) -> bytes:
        """The bytes of a file."""
        # Archives are encrypted, packed in other ways, cut short: each raises errors of its own.
        with (
            parser_errors(partial(_damaged, file, self.name)),
            zipfile.ZipFile(self.path) as archive,
        ):
            return archive.read(self.root + file)

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

    def as_error(error: Exception) -> InputError:
        return InputError(
            f"{name} cannot be read ({reason_of(error)})",
            wanted="the XML of the product as it was delivered",
            hint="download the product again",
            code=ErrorCode.UNREADABLE,
        )

    with parser_errors(as_error):
        parser = ElementTree.XMLParser(target=_WithoutDoctype())
        parser.feed(text)
        root: Element = parser.close()
        return root


class _WithoutDoctype(ElementTree.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse the declaration."""
        del name, pubid, system
        raise _DoctypeError("a document type declaration")


class _DoctypeError(ValueError):
    """An XML text declares a document type."""


def _damaged(file: str, product: str, error: Exception) -> InputError:
    return InputError(
        f"{file} in {product} cannot be read ({reason_of(error)})",
        wanted="a product that is whole",
        hint="copy or download it again",
        code=ErrorCode.UNREADABLE,
    )
