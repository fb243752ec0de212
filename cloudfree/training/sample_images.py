"""Pictures of a few patches while a network learns: cloudy, radar, restored and target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cloudfree.core.atomic import write_whole
from cloudfree.core.radiometry import Float32
from cloudfree.inference.model_card import ModelCard
from cloudfree.raster.preview import png
from cloudfree.report.pictures import TRUE_COLOUR, UInt8Image, radar_colours, stretch_of
from cloudfree.training import patch_cache as patches

FOLDER = "samples"
GAP_PX = 4


def write_samples(
    folder: Path,
    step: int,
    shown: Sequence[tuple[patches.PatchArrays, Float32]],
    card: ModelCard,
) -> Path:
    """One picture, a row for each patch with what the network makes of it."""
    (folder / FOLDER).mkdir(exist_ok=True)
    path = folder / FOLDER / f"step-{step:06d}.png"
    rows = [_row(pixels, restored, card) for pixels, restored in shown]
    write_whole(path, png(_joined(rows, axis=0)))
    return path


def _row(pixels: patches.PatchArrays, restored: Float32, card: ModelCard) -> UInt8Image:
    """All optical images of a row share one stretch, that of the target."""
    seen, made = (_visible(bands) for bands in (card.optical_bands, card.output_bands))
    stretch = stretch_of(pixels.clear[seen])
    radar = [] if pixels.sar is None else [radar_colours(pixels.sar)]
    images = [
        stretch.colours(pixels.cloudy[seen]),
        *radar,
        stretch.colours(restored[made]),
        stretch.colours(pixels.clear[seen]),
    ]
    return _joined(images, axis=1)


def _visible(bands: Sequence[str]) -> list[int]:
    """Where red, green and blue stand, or three times the first band."""
    if set(TRUE_COLOUR) <= set(bands):
        return [list(bands).index(band) for band in TRUE_COLOUR]
    return [0, 0, 0]


def _joined(images: Sequence[UInt8Image], axis: int) -> UInt8Image:
    """Pictures side by side or one below the other, with gaps."""
    shape = list(images[0].shape)
    shape[axis] = GAP_PX
    gap = np.zeros(shape, dtype=np.uint8)
    parts = [part for image in images for part in (gap, image)][1:]
    return np.concatenate(parts, axis=axis)
