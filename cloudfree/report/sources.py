"""The files that belong to a result: its inputs, its companions, and the truth if given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.cloudmask.user_mask import MaskReading, open_mask
from cloudfree.core.addresses import is_elsewhere
from cloudfree.core.grid import Grid
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.area import SceneArea
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.provenance import Provenance
from cloudfree.raster.reach import only_local_rasters
from cloudfree.raster.used_reference import UsedReference
from cloudfree.raster.warp import covered_share, same_grid
from cloudfree.report.pictures import TRUE_COLOUR
from cloudfree.report.reference_on_grid import place_of
from cloudfree.sentinel1.mosaic import open_sar_sources
from cloudfree.sentinel1.sar_source import SarSource
from cloudfree.sentinel2.optical_scene import OpticalScene


class Closable(Protocol):
    """Something that holds files open."""

    def close(self) -> None:
        """Close them."""
        ...


Opened = TypeVar("Opened", bound=Closable)


@dataclass(frozen=True)
class OpenReference:
    """Another date that a result is filled from; `number` counts from 1."""

    number: int
    used: UsedReference
    scene: OpticalScene


@dataclass(frozen=True)
class Sources:
    """The open files of one result; None where a file was not found or cannot be used.

    `filled` holds classes of `FillClass`, `deviations` the standard deviation of each filled band,
    `references` the other dates that were found; `missing` names in sentences the files that are
    not there.
    """

    after: OpticalScene
    provenance: Provenance
    before: OpticalScene | None
    sar: SarSource | None
    mask: MaskFile | None
    filled: MaskFile | None
    deviations: Dataset | None
    references: tuple[OpenReference, ...]
    truth: OpticalScene | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Scenes:
    """The open files of a result that an index shows; None where one was not found or is unfit."""

    after: OpticalScene
    provenance: Provenance
    before: OpticalScene | None
    filled: MaskFile | None
    missing: tuple[str, ...]


@contextmanager
def open_scenes(result: Path) -> Iterator[Scenes]:
    """Open a result, the scene that it is made from, and the mask of its filled pixels.

    Offsets in their metadata are not checked by dark pixels, which would take most of the time.

    Raises
    ------
    InputError
        The result was not made by `cloudfree remove`.
    """
    provenance = _provenance(result)
    offset_dn = provenance.s2_offset
    with ExitStack() as stack:
        after = stack.enter_context(_open_result(result, offset_dn, check_offset=False))
        files = _Companions(stack, result.parent)
        matching = _matching(after, offset_dn, check_offset=False)
        before = files.open("the cloudy scene", provenance.s2, matching)
        filled = _open_filled(files, provenance, after.grid)
        yield Scenes(after, provenance, before, filled, tuple(files.missing))


@contextmanager
def open_sources(result: Path, truth: Path | None) -> Iterator[Sources]:
    """Open a result and the files that its tags name, as far as they are still there.

    Raises
    ------
    InputError
        The result was not made by `cloudfree remove`, or the truth does not fit it.
    """
    provenance = _provenance(result)
    with ExitStack() as stack:
        after = stack.enter_context(_open_result(result, provenance.s2_offset))
        yield _opened(after, provenance, truth, _Companions(stack, result.parent))


def _as_named(result: Path) -> AbstractContextManager[None]:
    """A file is opened as a raster of its own; what the user names on a network, as that."""
    return nullcontext() if is_elsewhere(result) else only_local_rasters()


def _open_result(result: Path, offset_dn: float | None, check_offset: bool = True) -> OpticalScene:
    with _as_named(result):
        return OpticalScene(result, offset_dn, check_offset=check_offset)


def _provenance(result: Path) -> Provenance:
    """What the tags of a result say of it."""
    with _as_named(result), Dataset(result) as dataset:
        handle = dataset.handle
        return Provenance.from_tags(handle.tags(), handle.height, handle.width, result.name)


def _opened(
    after: OpticalScene, provenance: Provenance, truth: Path | None, files: _Companions
) -> Sources:
    matching, grid = _matching(after, provenance.s2_offset), after.grid
    before = files.open("the cloudy scene", provenance.s2, matching)
    whole = before.whole if before else None
    sar, mask = _sar_opener(provenance, files), _mask_opener(provenance, grid, whole)
    used_mask = provenance.used_mask or provenance.mask
    return Sources(
        after=after,
        provenance=provenance,
        before=before,
        sar=files.open("the Sentinel-1 scene", provenance.s1, sar),
        mask=files.open("the cloud mask", used_mask, mask),
        filled=_open_filled(files, provenance, grid),
        deviations=files.open("the file of standard deviations", provenance.uncertainty, Dataset),
        references=tuple(_references(provenance, grid, files)),
        truth=files.stack.enter_context(matching(truth)) if truth else None,
        missing=tuple(files.missing),
    )


def _open_filled(files: _Companions, provenance: Provenance, grid: Grid) -> MaskFile | None:
    what = "the mask of filled pixels"
    return files.open(what, provenance.filled, lambda path: MaskFile(path, grid))


def _sar_opener(provenance: Provenance, files: _Companions) -> Callable[[Path], SarSource]:
    """How to open the Sentinel-1 scene, with the units and the heights of the result."""
    dem = files.find("the elevation model", provenance.dem)
    more = [files.find("a slice of Sentinel-1", name) for name in provenance.s1_slices]
    slices = [path for path in more if path]
    return lambda path: open_sar_sources((path, *slices), provenance.s1_quantity or "auto", dem)


def _mask_opener(
    provenance: Provenance, grid: Grid, whole: Grid | None
) -> Callable[[Path], MaskFile]:
    """How to open the cloud mask: with the threshold and the dilation of the result."""
    reading = MaskReading(threshold=provenance.mask_threshold, dilate=provenance.mask_dilate or "0")
    return lambda path: open_mask(path, grid, reading, whole)


def _references(provenance: Provenance, grid: Grid, files: _Companions) -> Iterator[OpenReference]:
    """The other dates that are there, each with its own radiometric offset."""

    def opener(path: Path) -> OpticalScene:
        scene = OpticalScene(path)
        with scene.closed_on_error():
            place_of(scene, grid)
            scene.require(TRUE_COLOUR, "a true-colour picture")
        return scene

    for number, used in enumerate(provenance.references, start=1):
        if scene := files.open(f"reference {number}", used.path, opener):
            yield OpenReference(number, used, scene)


class _Companions:
    """Opens the files that a result names and records in `missing` those it cannot open.

    Tags may name anything, and a result may come from anywhere: only local rasters are opened.
    """

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.missing: list[str] = []

    def find(self, what: str, name: PurePosixPath | None) -> Path | None:
        """The path of the file `name`, if it is there; None is not missing."""
        if name is None:
            return None
        path = self.folder / name
        # `Path.exists` raises for a name that is too long.
        if not (is_elsewhere(path) or os.path.exists(path)):  # noqa: PTH110
            self.missing.append(f"{what} was not found: {name}")
            return None
        return path

    def open(
        self, what: str, name: PurePosixPath | None, opener: Callable[[Path], Opened]
    ) -> Opened | None:
        """The open file `name`, or None; None is not missing."""
        path = self.find(what, name)
        if path is None:
            return None
        try:
            with only_local_rasters():
                opened = opener(path)
        except InputError as error:
            self.missing.append(f"{what} is left out: {error.found}")
            return None
        self.stack.callback(opened.close)
        return opened


def _matching(
    after: OpticalScene, offset_dn: float | None, check_offset: bool = True
) -> Callable[[Path], OpticalScene]:
    """How to open a scene that has the bands of the result, on its grid or one it is cut from."""

    def opener(path: Path) -> OpticalScene:
        scene = OpticalScene(path, offset_dn, check_offset=check_offset)
        if scene.whole.crs and after.grid.crs and covered_share(scene.whole, after.grid):
            scene.cut(SceneArea(after.grid))
        if not same_grid(scene.grid, after.grid):
            raise InputError(
                f"{path.name} ({scene.grid.height} x {scene.grid.width}) does not lie on the grid "
                f"of {after.path.name} ({after.grid.height} x {after.grid.width})",
                wanted="the same pixels as the result has",
                hint="warp it onto the grid of the result first, as with `rio warp --like`",
                code=ErrorCode.WRONG_GRID,
            )
        scene.require(after.bands, "the comparison")
        return scene

    return opener
