"""The files beside a result: which pixels are filled, the mask that was used, the deviations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cloudfree import __version__
from cloudfree.cloudmask.mask_file import MaskFile, mask_profile
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.filling import Filling, OutputRows
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import CLASS_TAG, FILL_COLOURS, FillClass
from cloudfree.core.output_set import OutputSet
from cloudfree.core.radiometry import QUANTIFICATION, Float32
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.raster.provenance import VERSION
from cloudfree.raster.qgis_style import with_style
from cloudfree.sentinel2.optical_scene import OpticalScene


def filled_profile(styled: bool = False) -> CogProfile:
    """How the file of these classes is written, with a QGIS style if `styled`."""
    profile = CogProfile(
        dtype="uint8",
        nodata=FillClass.NODATA,
        descriptions=("filled",),
        tags={f"{CLASS_TAG}{one.value}": one.label for one in FillClass},
        colours={one.value: colour for one, colour in FILL_COLOURS.items()},
        overview_resampling="MODE",
    )
    return with_style(profile) if styled else profile


class UsedMaskWriter:
    """Writes the mask of a scene, window by window, into a COG; nothing without one."""

    def __init__(self, file: CogWriter | None, mask: MaskFile | None) -> None:
        self._file, self._mask = file, mask

    def write(self, window: Window) -> None:
        """Write the classes of a window."""
        if self._file and self._mask:
            self._file.write(window, self._mask.classes(window)[np.newaxis])


@contextmanager
def used_mask_writer(
    options: RemoveOptions, scene: CloudyScene, outputs: OutputSet
) -> Iterator[UsedMaskWriter]:
    """A writer of the mask that is used, which writes nothing unless it is requested.

    The file has the classes, tags and colours of one of `cloudfree mask`, whatever the mask is.
    """
    mask, path = scene.mask, options.mask_path
    if path is None or mask is None:
        yield UsedMaskWriter(None, None)
        return
    with CogWriter(path, scene.optical.grid, _mask_profile(mask, options), outputs) as file:
        yield UsedMaskWriter(file, mask)


def _mask_profile(mask: MaskFile, options: RemoveOptions) -> CogProfile:
    """How a mask is written; its settings, sun and warnings are kept."""
    profile = mask_profile()
    tags = {**profile.tags, **mask.made_by, VERSION: __version__}
    used = replace(profile, tags=tags, creation_options=options.creation_options)
    return with_style(used) if options.qml else used


# Digital numbers scaled as Sentinel-2's, a third of the size of floats. The largest is nodata, as 0
# is a possible deviation.
DEVIATION_NODATA = 65535
LARGEST_DEVIATION = DEVIATION_NODATA - 1


@contextmanager
def deviation_writer(
    options: RemoveOptions,
    optical: OpticalScene,
    filling: Filling,
    tags: Mapping[str, str],
    outputs: OutputSet,
) -> Iterator[Callable[[OutputRows], None]]:
    """A function that writes deviations of finished rows to a COG, if they are requested."""
    path = options.uncertainty_path
    if path is None:
        yield lambda _: None
        return
    order = _file_order(optical, filling.bands)
    ordered = [filling.bands[place] for place in order]
    profile = _deviation_profile(optical, ordered, tags, options.creation_options)
    if options.qml:
        profile = with_style(profile)
    with CogWriter(path, optical.grid, profile, outputs) as file:

        def write(rows: OutputRows) -> None:
            assert rows.deviation is not None
            file.write(rows.window, digital_numbers(rows.deviation[order]))

        yield write
        file.tag(**filling.deviation_tags)


def digital_numbers(deviation: Float32) -> NDArray[np.uint16]:
    """Deviations in 1/10000 of reflectance, of any shape; NaN becomes nodata."""
    numbers = np.clip(np.rint(deviation * QUANTIFICATION), 0, LARGEST_DEVIATION)
    return np.where(np.isnan(numbers), DEVIATION_NODATA, np.nan_to_num(numbers)).astype(np.uint16)


def _file_order(optical: OpticalScene, bands: Sequence[str]) -> list[int]:
    """Indices of bands in their order in the scene's file."""
    positions = [optical.positions[band] for band in bands]
    return sorted(range(len(positions)), key=positions.__getitem__)


def _deviation_profile(
    optical: OpticalScene,
    bands: Sequence[str],
    tags: Mapping[str, str],
    creation: Mapping[str, str],
) -> CogProfile:
    names = tuple(optical.descriptions[optical.positions[band]] or band for band in bands)
    return CogProfile(
        dtype="uint16",
        nodata=DEVIATION_NODATA,
        descriptions=names,
        tags=dict(tags),
        scales=(1 / QUANTIFICATION,) * len(names),
        offsets=(0.0,) * len(names),
        units=("standard deviation of reflectance",) * len(names),
        creation_options=creation,
    )
