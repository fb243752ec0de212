"""Writing Cloud-Optimized GeoTIFFs window by window, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.env import Env
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetWriter

from cloudfree.core.grid import Grid, Window
from cloudfree.core.output_files import cannot_be_written, draft_folder
from cloudfree.parallel.malloc import trim_malloc
from cloudfree.raster.creation_options import (
    BLOCK_PX,
    COG,
    COG_OF_CLASSES,
    ON_OVERVIEWS,
    check_creation_options,
    upper,
)
from cloudfree.raster.dataset import rectangle
from cloudfree.raster.gdal import ignored_warning
from cloudfree.raster.overviews import FirstLevel, Resampling, with_overviews, write_overviews

# Draft and overviews are read once and thrown away: fast compression, and blocks low enough to be
# full at each write of finished rows. Higher ones would wait in GDAL's cache, which the scene that
# is being read shares, be written half full for want of room, and be read again. Whoever writes
# compresses as well: GDAL's threads are decoding what is read ahead, and would let it wait.
DRAFT_ROWS = 64
_DRAFT = {"driver": "GTiff", "tiled": True, "blockxsize": BLOCK_PX, "blockysize": DRAFT_ROWS,
          "compress": "zstd", "zstd_level": 1, "bigtiff": "if_safer", "num_threads": 1}  # fmt: skip
# Bytes of GDAL's block cache while the draft is copied: each block is read and written once, and
# more would keep the whole draft. rasterio takes this setting in bytes and puts the old one back.
_COPY_CACHE = 32 << 20

# GDAL's own errors are no RasterioError, and rasterio has no public name for them. SystemError is
# what it raises where GDAL fails without a word, as on a full disk (seen in rasterio 1.4.4).
_REFUSALS = (RasterioError, CPLE_BaseError, OSError, SystemError)


@dataclass(frozen=True)
class CogProfile:
    """Everything about an output that is not its pixels or its place."""

    dtype: str
    nodata: float | None
    descriptions: tuple[str | None, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    band_tags: tuple[Mapping[str, str], ...] = ()
    scales: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    units: tuple[str | None, ...] = ()
    colours: Mapping[int, tuple[int, int, int]] | None = None
    overview_resampling: Resampling = "AVERAGE"
    creation_options: Mapping[str, str] = field(default_factory=dict)

    def check_creation_options(self) -> None:
        """Refuse creation options that GDAL does not know or that would change the pixels.

        Raises
        ------
        OutputError
            Names the options and what is wrong.
        """
        check_creation_options(self.creation_options, self.dtype, len(self.descriptions))


class CogWriter:
    """Writes windows into a draft beside the output; leaving the block makes it the output.

    The draft lies in a hidden folder that goes away with the block, whether it ends well or not,
    so a file under the final name is always whole.

    Raises
    ------
    OutputError
        Entering, writing, finishing or leaving: the disk or GDAL refuses.
    """

    def __init__(self, path: Path, grid: Grid, profile: CogProfile) -> None:
        self.path, self.grid, self.profile = path, grid, profile
        self._finished: Path | None = None

    def __enter__(self) -> Self:
        profile = self.profile
        profile.check_creation_options()
        with self._refusals(), ExitStack() as stack:
            self._draft = Path(stack.enter_context(draft_folder(self.path))) / "draft.tif"
            with ignored_warning(NotGeoreferencedWarning):
                self._dataset = rasterio.open(
                    self._draft, "w", **_DRAFT, height=self.grid.height, width=self.grid.width,
                    count=len(profile.descriptions), dtype=profile.dtype, nodata=profile.nodata,
                    crs=self.grid.crs, transform=self.grid.transform,
                )  # fmt: skip
                self._first = FirstLevel(self._dataset, profile.overview_resampling, _DRAFT)
            _describe(self._dataset, profile)
            self._folder = stack.pop_all()
        return self

    def write(self, window: Window, pixels: NDArray[np.generic]) -> None:
        """Write all bands of a window, (band, y, x)."""
        with self._refusals():
            self._dataset.write(pixels, window=rectangle(window))
            self._first.write(window, pixels)

    def tag(self, **tags: str) -> None:
        """Add tags that are known only when the pixels are."""
        with self._refusals():
            self._dataset.update_tags(**tags)

    def finish(self) -> None:
        """Do all that may fail, but for the name: nothing can be written any more.

        Where several files belong together, all are finished before the first of them is there.
        """
        if self._finished is None:
            with self._refusals():
                self._finished = self._copy()

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        try:
            if failure is None:
                self.finish()
                assert self._finished is not None
                with self._refusals():
                    self._finished.replace(self.path)
            else:
                with suppress(*_REFUSALS):  # the draft of what has failed already
                    self._close()
        finally:
            self._folder.close()

    def _close(self) -> None:
        self._dataset.close()
        self._first.close()

    def _copy(self) -> Path:
        """Turn the draft into a COG, which takes its room on the disk."""
        self._close()
        finished = self._draft.with_name("cog.tif")
        chosen = upper(self.profile.creation_options)
        trim_malloc()
        with ignored_warning(NotGeoreferencedWarning), Env(GDAL_CACHEMAX=_COPY_CACHE):
            # Whoever asks for overviews of another kind gets those that GDAL builds.
            source = self._draft if chosen.keys() & ON_OVERVIEWS else self._with_overviews()
            usual = COG_OF_CLASSES if self.profile.colours else COG
            options = {**usual, "OVERVIEW_RESAMPLING": self.profile.overview_resampling, **chosen}
            rasterio.shutil.copy(source, finished, driver="COG", **options)
            _read_end(finished)
        trim_malloc()
        for path in set(self._draft.parent.iterdir()) - {finished}:
            path.unlink()
        return finished

    def _with_overviews(self) -> Path:
        levels = write_overviews(
            self._draft, self.profile.overview_resampling, BLOCK_PX, _DRAFT, self._first
        )
        return with_overviews(self._draft, levels)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Errors of the disk and of GDAL in one line."""
        try:
            yield
        except _REFUSALS as error:
            cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
            raise cannot_be_written(self.path, cause, ", or check --co") from error


def _read_end(path: Path) -> None:
    """Read what stands last in a COG: its copying does not fail when the disk is full by then."""
    with rasterio.open(path) as dataset:
        height, width = dataset.shape
        dataset.read(window=rectangle(Window(height - 1, width - 1, 1, 1)))


def _describe(dataset: DatasetWriter, profile: CogProfile) -> None:
    """Write everything but pixels: names, tags, scales, units, colours."""
    dataset.descriptions = profile.descriptions
    dataset.update_tags(**profile.tags)
    for index, tags in enumerate(profile.band_tags, start=1):
        dataset.update_tags(index, **tags)
    if profile.scales:
        dataset.scales, dataset.offsets = profile.scales, profile.offsets
    if any(profile.units):
        dataset.units = profile.units
    if profile.colours:
        dataset.write_colormap(1, dict(profile.colours))
