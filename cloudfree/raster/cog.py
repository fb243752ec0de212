"""Writing Cloud-Optimized GeoTIFFs window by window, whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp, Interleaving
from rasterio.env import Env
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetWriter, MemoryFile

from cloudfree.core.addresses import is_elsewhere
from cloudfree.core.drafts import remove_folder, temporary_folder
from cloudfree.core.grid import Grid, Window
from cloudfree.core.output_files import cannot_be_written, side_files, style_of
from cloudfree.core.output_set import OutputSet
from cloudfree.errors import ErrorCode, OutputError
from cloudfree.parallel.environment import trim_malloc
from cloudfree.raster.dataset import rectangle
from cloudfree.raster.gdal import collected_warnings, ignored_warning, mute_libtiff
from cloudfree.raster.outputs_elsewhere import copy_elsewhere
from cloudfree.raster.overviews import FirstLevel, Resampling, with_overviews, write_overviews
from cloudfree.raster.statistics import BandStatistics

BLOCK_PX = 512
# Each level of the output keeps a buffer for each thread; with eight, the thread that feeds them is
# as busy as each of them.
_THREADS = min(8, (os.cpu_count() or 1) + 1)
# Level 6, GDAL's own, takes twice the time of level 1 for at most 2 % less of real reflectance.
COG = {"BLOCKSIZE": str(BLOCK_PX), "COMPRESS": "DEFLATE", "PREDICTOR": "YES", "LEVEL": "1",
       "BIGTIFF": "IF_SAFER", "NUM_THREADS": str(_THREADS)}  # fmt: skip
# Classes form areas, which compress better without a predictor. Level 6 takes twice the time of
# level 5 for 6 % less.
COG_OF_CLASSES = {**COG, "PREDICTOR": "NO", "LEVEL": "5"}
# Creation options of GDAL's COG driver that decide which overviews there are.
ON_OVERVIEWS = {"OVERVIEWS", "OVERVIEW_COUNT", "OVERVIEW_RESAMPLING", "RESAMPLING", "BLOCKSIZE"}

# What GDAL takes for yes.
_YES = {"YES", "TRUE", "ON", "1"}

_TRIAL_PX = 64
_CRS, _TRANSFORM = "EPSG:32631", Affine(10, 0, 5e5, 0, -10, 5e6)


def check_creation_options(chosen: Mapping[str, str], dtype: str, bands: int) -> None:
    """Try the options of the user on a few pixels in memory, which must be read back unchanged.

    GDAL only warns of an unknown name or value and ignores it; its threads leave blocks empty that
    they cannot compress.

    Raises
    ------
    OutputError
        GDAL warns, refuses or changes the pixels or the grid.
    """
    if chosen and (problem := _problem({**COG, **upper(chosen)}, dtype, bands)):
        pairs = " ".join(f"{name}={value}" for name, value in chosen.items())
        raise OutputError(
            f"--co {pairs} for {bands} {'band' if bands == 1 else 'bands'} of {dtype} ({problem})",
            wanted="creation options of GDAL's COG driver that keep every pixel as it is",
            hint="correct --co, or compress a copy of the result",
            code=ErrorCode.BAD_OPTION,
        )


def upper(chosen: Mapping[str, str]) -> dict[str, str]:
    """The options as GDAL names them."""
    return {name.upper(): value for name, value in chosen.items()}


def _problem(options: Mapping[str, str], dtype: str, bands: int) -> str:
    """What is wrong with the options, or nothing."""
    with collected_warnings("rasterio") as problems:
        try:
            # With an overview, and one thread: errors of others are not raised.
            trial = {"OVERVIEW_COUNT": "1", **options, "NUM_THREADS": "1"}
            if not _is_lossless(_noise(dtype, bands), trial):
                problems.append("pixels would change")
        except (RasterioError, CPLE_BaseError) as error:
            problems.append(" ".join(str(error).split()))
    return re.sub(r"^CPLE_\w+ in ", "", problems[0]).rstrip(".") if problems else ""


def _is_lossless(pixels: NDArray[np.generic], options: Mapping[str, str]) -> bool:
    """Whether pixels are read back from a COG with the same values and transform."""
    bands, height, width = pixels.shape
    with MemoryFile() as draft, MemoryFile() as cog:
        with draft.open(driver="GTiff", count=bands, height=height, width=width,
                        dtype=pixels.dtype, crs=_CRS, transform=_TRANSFORM) as dataset:  # fmt: skip
            dataset.write(pixels)
        rasterio.shutil.copy(draft.name, cog.name, driver="COG", **options)
        with cog.open() as copy:
            return copy.transform == _TRANSFORM and np.array_equal(copy.read(), pixels)


def _noise(dtype: str, bands: int) -> NDArray[np.generic]:
    """Pixels that anything but lossless compression changes."""
    shape, random = (bands, _TRIAL_PX, _TRIAL_PX), np.random.default_rng(0)
    if np.issubdtype(dtype, np.integer):
        return random.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    return random.standard_normal(shape).astype(dtype)


# Draft and overviews are read once and removed: fast compression, and blocks low enough to be full
# at each write of finished rows. Higher ones would wait in GDAL's cache, which the scene that is
# being read shares, be written half full for lack of room, and be read again. The writing thread
# compresses as well: GDAL's threads are decoding what is read ahead, and would delay it.
DRAFT_ROWS = 64
_DRAFT = {"driver": "GTiff", "tiled": True, "blockxsize": BLOCK_PX, "blockysize": DRAFT_ROWS,
          "compress": "zstd", "zstd_level": 1, "bigtiff": "if_safer", "num_threads": 1}  # fmt: skip
# Bytes of GDAL's block cache while the draft is copied: each block is read and written once, and
# more would keep the whole draft. rasterio takes this setting in bytes and puts the old one back.
_COPY_CACHE = 32 << 20

# GDAL's own errors are no RasterioError, and rasterio has no public name for them. SystemError is
# raised where GDAL fails without a message, as on a full disk (seen in rasterio 1.4.4).
_WRITE_ERRORS = (RasterioError, CPLE_BaseError, OSError, SystemError)


@dataclass(frozen=True)
class CogProfile:
    """How a raster is written: everything but its pixels, grid and path.

    `interpretation` is what GDAL shows each band as, such as red; `colours` are those of classes,
    by value. `style` is the text of a QGIS style that is written beside the raster.
    """

    dtype: str
    nodata: float | None
    descriptions: tuple[str | None, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    band_tags: tuple[Mapping[str, str], ...] = ()
    scales: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    units: tuple[str | None, ...] = ()
    interpretation: tuple[str, ...] = ()
    colours: Mapping[int, tuple[int, int, int]] | None = None
    style: str | None = None
    overview_resampling: Resampling = "AVERAGE"
    creation_options: Mapping[str, str] = field(default_factory=dict)

    def check_creation_options(self) -> None:
        """Check that GDAL knows the creation options and that they keep the pixels.

        Raises
        ------
        OutputError
            Names the options and what is wrong.
        """
        check_creation_options(self.creation_options, self.dtype, len(self.descriptions))


class CogWriter:
    """Writes windows into a draft beside the output; exiting the context gives it its name.

    Of several files that belong together exiting the set `outputs` does so. A file under the final
    name is always whole. Files beside one that it replaces, such as its .aux.xml, are removed.
    Elsewhere, such as in a bucket, the finished file is copied there instead.

    Raises
    ------
    OutputError
        Entering, writing, finishing or exiting: an error of the disk or of GDAL.
    """

    def __init__(
        self, path: Path, grid: Grid, profile: CogProfile, outputs: OutputSet | None = None
    ) -> None:
        self.path, self.grid, self.profile = path, grid, profile
        self._outputs, self._is_finished = outputs, False

    def __enter__(self) -> Self:
        profile = self.profile
        profile.check_creation_options()
        mute_libtiff()
        with self._one_line_errors(), ExitStack() as stack:
            outputs = self._outputs or stack.enter_context(OutputSet(self.path))
            self._finished = self._place(outputs, stack)
            work = self._finished.with_name(f"{self.path.name}.work")
            work.mkdir()
            stack.callback(remove_folder, work)
            self._draft = work / "draft.tif"
            with ignored_warning(NotGeoreferencedWarning):
                self._dataset = rasterio.open(
                    self._draft, "w", **_DRAFT, height=self.grid.height, width=self.grid.width,
                    count=len(profile.descriptions), dtype=profile.dtype, nodata=profile.nodata,
                    crs=self.grid.crs, transform=self.grid.transform,
                )  # fmt: skip
                self._first = FirstLevel(self._dataset, profile.overview_resampling, _DRAFT)
            self._statistics = BandStatistics(self.grid, self._dataset.count, profile.nodata)
            _describe(self._dataset, profile)
            self._set, self._files = outputs, stack.pop_all()
        return self

    def write(self, window: Window, pixels: NDArray[np.generic]) -> None:
        """Write all bands of a window, (band, y, x)."""
        with self._one_line_errors():
            self._dataset.write(pixels, window=rectangle(window))
            self._first.write(window, pixels)
            if not self.profile.colours:  # a mean of classes means nothing
                self._statistics.add(window, pixels)

    def tag(self, **tags: str) -> None:
        """Add tags that are known only after the pixels."""
        with self._one_line_errors():
            self._dataset.update_tags(**tags)

    def finish(self) -> None:
        """Complete the file except for its name; nothing can be written after that."""
        if self._is_finished:
            return
        with self._one_line_errors():
            self._copy()
        if self.profile.style:
            self._set.write(style_of(self.path), self.profile.style)
        self._is_finished = True

    @property
    def draft(self) -> Path:
        """Where the file lies once it is finished, until it gets its name."""
        return self._finished

    @property
    def is_sparse(self) -> bool:
        """Whether the user wants blocks without data left out."""
        return upper(self.profile.creation_options).get("SPARSE_OK", "NO").upper() in _YES

    def __exit__(
        self,
        failure: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if failure is None:
            with self._files:
                self.finish()
                self._name()
        else:
            with suppress(*_WRITE_ERRORS):  # another error is being raised
                self._close()
            self._files.__exit__(failure, error, trace)

    def _place(self, outputs: OutputSet, stack: ExitStack) -> Path:
        """Where the finished file lies until it gets its name; elsewhere nothing is renamed."""
        if is_elsewhere(self.path):
            return stack.enter_context(temporary_folder()) / self.path.name
        return outputs.draft(self.path)

    def _name(self) -> None:
        """Let the set give the finished file its name, or copy it elsewhere."""
        if is_elsewhere(self.path):
            with self._one_line_errors():
                copy_elsewhere(self._finished, self.path)
        else:
            self._set.replaces(*side_files(self.path))

    def _close(self) -> None:
        self._dataset.close()
        self._first.close()

    def _copy(self) -> None:
        """Convert the draft to a COG and remove the draft."""
        for index, tags in enumerate(self._statistics.tags(), start=1):
            self._dataset.update_tags(index, **tags)
        self._close()
        chosen = upper(self.profile.creation_options)
        trim_malloc()
        with ignored_warning(NotGeoreferencedWarning), Env(GDAL_CACHEMAX=_COPY_CACHE):
            # With options on overviews GDAL builds them.
            source = self._draft if chosen.keys() & ON_OVERVIEWS else self._with_overviews()
            usual = COG_OF_CLASSES if self.profile.colours else COG
            options = {**usual, "OVERVIEW_RESAMPLING": self.profile.overview_resampling, **chosen}
            rasterio.shutil.copy(source, self._finished, driver="COG", **options)
            _read_end(self._finished)
        trim_malloc()
        remove_folder(self._draft.parent)

    def _with_overviews(self) -> Path:
        levels = write_overviews(
            self._draft, self.profile.overview_resampling, BLOCK_PX, _DRAFT, self._first
        )
        return with_overviews(self._draft, levels)

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        """Errors of the disk and of GDAL in one line."""
        try:
            yield
        except _WRITE_ERRORS as error:
            cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
            raise cannot_be_written(self.path, cause, ", or check --co") from error


def missing_blocks(path: Path) -> int:
    """Number of blocks of a tiled GeoTIFF that have no bytes, overviews left out.

    GDAL's threads leave those empty that they cannot compress, and do not fail.
    """
    with rasterio.open(path) as dataset:
        height, width = dataset.block_shapes[0]
        bands = [1] if dataset.interleaving == Interleaving.pixel else dataset.indexes
        return sum(
            dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=band) is None
            for band in bands
            for row in range(-(-dataset.height // height))
            for col in range(-(-dataset.width // width))
        )


def _read_end(path: Path) -> None:
    """Read the last block of a COG: copying does not fail where the disk is full by then."""
    with rasterio.open(path) as dataset:
        height, width = dataset.shape
        dataset.read(window=rectangle(Window(height - 1, width - 1, 1, 1)))


def _describe(dataset: DatasetWriter, profile: CogProfile) -> None:
    """Write the metadata: names, tags, scales, units, interpretation, colours."""
    dataset.descriptions = profile.descriptions
    dataset.update_tags(**profile.tags)
    for index, tags in enumerate(profile.band_tags, start=1):
        dataset.update_tags(index, **tags)
    if profile.scales:
        dataset.scales, dataset.offsets = profile.scales, profile.offsets
    if any(profile.units):
        dataset.units = profile.units
    if profile.interpretation:
        dataset.colorinterp = [ColorInterp[name] for name in profile.interpretation]
    if profile.colours:
        dataset.write_colormap(1, dict(profile.colours))
