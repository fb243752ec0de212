"""The raster of standard deviations beside a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloudfree.commands.remove.removal_scene import OutputRows, RemovalScene
from cloudfree.core.radiometry import QUANTIFICATION, Float32
from cloudfree.inference.model_card import ModelCard
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.sentinel2.optical_scene import OpticalScene

# Digital numbers scaled as Sentinel-2's, a third of the size of floats. The largest is nodata, as 0
# is a possible deviation.
NODATA = 65535
LARGEST = NODATA - 1


@contextmanager
def deviation_writer(
    path: Path | None, scene: RemovalScene, tags: Mapping[str, str], creation: Mapping[str, str]
) -> Iterator[Callable[[OutputRows], None]]:
    """A function that writes deviations of finished rows to a COG, or nothing without a path."""
    if path is None or scene.uncertainty is None:
        yield lambda _: None
        return
    order = _file_order(scene.optical, scene.model.card)
    profile = _profile(scene.optical, scene.model.card, order, tags, creation)
    with CogWriter(path, scene.optical.grid, profile) as file:

        def write(rows: OutputRows) -> None:
            assert rows.deviation is not None
            file.write(rows.window, digital_numbers(rows.deviation[order]))

        yield write
        file.tag(**scene.uncertainty.tags)


def digital_numbers(deviation: Float32) -> NDArray[np.uint16]:
    """Deviations in 1/10000 of reflectance, of any shape; NaN becomes nodata."""
    numbers = np.clip(np.rint(deviation * QUANTIFICATION), 0, LARGEST)
    return np.where(np.isnan(numbers), NODATA, np.nan_to_num(numbers)).astype(np.uint16)


def _file_order(optical: OpticalScene, card: ModelCard) -> list[int]:
    """Indices of the model's bands in the band order of the scene's file."""
    positions = [optical.positions[band] for band in card.output_bands]
    return sorted(range(len(positions)), key=positions.__getitem__)


def _profile(
    optical: OpticalScene,
    card: ModelCard,
    order: list[int],
    tags: Mapping[str, str],
    creation: Mapping[str, str],
) -> CogProfile:
    bands = [card.output_bands[place] for place in order]
    names = tuple(optical.descriptions[optical.positions[band]] or band for band in bands)
    return CogProfile(
        dtype="uint16",
        nodata=NODATA,
        descriptions=names,
        tags=dict(tags),
        scales=(1 / QUANTIFICATION,) * len(names),
        offsets=(0.0,) * len(names),
        units=("standard deviation of reflectance",) * len(names),
        creation_options=creation,
    )
