"""The files of a product, in a folder or in a zip archive."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cloudfree.errors import InputError


class Tree(Protocol):
    """Files by their names relative to the product."""

    @property
    def name(self) -> str:
        """What the folder or archive is called."""
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
        """What GDAL opens to read a file."""
        ...


@dataclass(frozen=True)
class Folder:
    """A product unpacked into a folder."""

    root: Path

    @property
    def name(self) -> str:
        """What the folder is called."""
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
        """What the archive is called."""
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
        """The virtual file; braces, because not every archive is called .zip."""
        return f"/vsizip/{{{self.path}}}/{self.root}{file}"


def _damaged(file: str, product: str, error: Exception) -> InputError:
    return InputError(
        f"{file} in {product} cannot be read ({error})",
        wanted="a product that is whole",
        hint="copy or download it again",
    )
