"""The files that inputs consist of: none is replaced by an output, none may change meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cloudfree.core.addresses import is_elsewhere
from cloudfree.core.bands import SAR_BANDS, polarisation
from cloudfree.core.output_files import check_output_names, side_files
from cloudfree.errors import CloudfreeError, ErrorCode, InputError
from cloudfree.raster.dataset import files_of_raster
from cloudfree.raster.stac_files import local_assets
from cloudfree.sentinel1.geocoded_files import other_polarisation
from cloudfree.sentinel2.band_folder import band_of_file
from cloudfree.sentinel2.product import file_of

ListFiles = Callable[[Path], list[Path]]

_ITEMS, _METADATA = (".json", ".geojson"), (".xml", ".json")

# Statistics, which other programs write beside a raster that they only show.
_STATISTICS = ".aux.xml"


def protect_inputs(
    inputs: Iterable[Path], outputs: Iterable[Path], listed: ListFiles | None = None
) -> None:
    """Refuse outputs that would replace or remove a file of an input, or replace each other.

    `listed` is `files_of`, or what remembers its answers for inputs that are asked for again.

    Raises
    ------
    OutputError
        Names the first that would.
    """
    parts = listed or files_of
    check_output_names(outputs, [file for path in inputs for file in (path, *parts(path))])


def files_of(path: Path) -> list[Path]:
    """The files on the disk that an input consists of; none if only GDAL knows its name.

    Of a SAFE product all files, of another folder those of bands and metadata, of a raster its side
    files, the sources of a VRT and the file of the other polarisation, of a STAC item its assets.
    """
    file = file_of(path)
    if is_elsewhere(file):
        return []
    folders = (one for one in (file, *file.parents) if one.suffix.lower() == ".safe")
    product = next((folder for folder in folders if folder.is_dir()), None)
    if product:
        return _below(product)
    if file.is_dir():
        return [one for one in _below(file) if _is_part(one)]
    if file.suffix.lower() == ".xml":
        return [file, *(one for one in _below(file.parent) if _is_part(one))]
    return [one for one in dict.fromkeys((file, *_beside(file))) if one.is_file()]


def _below(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.is_file())


def _is_part(file: Path) -> bool:
    """Whether a file belongs to a product in a folder, where results may lie beside it."""
    named = band_of_file(file) or polarisation(file.stem) in SAR_BANDS
    return bool(named) or file.suffix.lower() in _METADATA or ".safe" in str(file).lower()


def _beside(file: Path) -> Iterable[Path]:
    if file.suffix.lower() in _ITEMS:
        with suppress(CloudfreeError):  # it is polygons
            yield from local_assets(file)
        return
    if file.suffix.lower() == ".zip":
        return
    yield from side_files(file)
    yield from files_of_raster(file)
    if other := other_polarisation(file):
        yield other
        yield from side_files(other)


@dataclass(frozen=True)
class _State:
    """What changes with a file: its size, the time of its last change, and its number."""

    size: int
    changed_ns: int
    inode: int


class InputFiles:
    """The files of inputs, in the state in which they are first opened."""

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self._states: dict[Path, _State | None] = {}
        for path in paths:
            self.add(path)

    def add(self, path: Path) -> None:
        """Add an input that is about to be opened."""
        for file in files_of(path):
            if not file.name.endswith(_STATISTICS):
                self._states.setdefault(file, _state(file))

    def require_unchanged(self) -> None:
        """Check that all files are as they were: else a result mixes two scenes.

        Raises
        ------
        InputError
            One was changed, replaced or removed.
        """
        for file, state in self._states.items():
            if (found := _state(file)) != state:
                raise InputError(
                    f"{file} was {'changed' if found else 'removed'} while it was read",
                    wanted="inputs that stay as they are until the result is written",
                    hint="run it again when nothing writes them any more",
                    code=ErrorCode.INPUT_CHANGED,
                )


def _state(file: Path) -> _State | None:
    """The state of a file; None if there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return _State(found.st_size, found.st_mtime_ns, found.st_ino)
