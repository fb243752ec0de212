"""The files of a product: in a folder or a zip archive, its XML."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Protocol
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
            with (self.root / file).open("rb") as text:
                return _limited(text, file, self.name)
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
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        for entry in entries:
            check_entry(entry, self.name)
        start, names = len(self.root), [entry.filename for entry in entries]
        return sorted(name[start:] for name in names if name.startswith(self.root))

    def content(self, file: str) -> bytes:
        """The bytes of a file."""
        # Archives are encrypted, packed in other ways, cut short: each raises errors of its own.
        with (
            parser_errors(partial(_damaged, file, self.name)),
            zipfile.ZipFile(self.path) as archive,
            archive.open(self.root + file) as text,
        ):
            return _limited(text, file, self.name)

    def gdal_name(self, file: str) -> str:
        """The virtual file; with braces, as an archive need not end with .zip."""
        return f"/vsizip/{{{self.path}}}/{self.root}{file}"


# Metadata of products have up to ten megabytes.
MAX_TEXT_BYTES = 1 << 26

# What deflates to less than this part, if it is large, is made to fill memory or time: images and
# metadata of products reach a hundredth.
_MAX_RATIO, _SMALL_BYTES = 500, 1 << 26


def _limited(text: IO[bytes], file: str, product: str) -> bytes:
    """All bytes of a text, which must not be endless."""
    content = text.read(MAX_TEXT_BYTES + 1)
    if len(content) > MAX_TEXT_BYTES:
        raise _damaged(file, product, ValueError(f"it has more than {MAX_TEXT_BYTES >> 20} MB"))
    return content


def check_entry(entry: zipfile.ZipInfo, archive: str) -> None:
    """Check that an entry of an archive is a file below it, and no bomb.

    Raises
    ------
    InputError
        Its name leads elsewhere, it is a link, or it is packed beyond measure.
    """
    name = PurePosixPath(entry.filename.replace("\\", "/"))
    packed = max(entry.compress_size, 1)
    wrong = None
    if name.is_absolute() or ".." in name.parts or PureWindowsPath(entry.filename).drive:
        wrong = "leads out of it"
    elif stat.S_ISLNK(entry.external_attr >> 16):
        wrong = "is a link"
    elif entry.file_size > max(_SMALL_BYTES, _MAX_RATIO * packed):
        wrong = f"is {entry.file_size / 1e6:.0f} MB of {packed / 1e6:.3f} MB"
    if wrong:
        raise InputError(
            f"{entry.filename} in {archive} {wrong}",
            wanted="a zip archive as it was delivered",
            hint="download it again",
            code=ErrorCode.UNREADABLE,
        )


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
