"""Real clouds from a folder of cloudy and clear images of the same places."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cloudfree.cloudmask.mask_plan import MaskSource, plan_mask
from cloudfree.core.choices import PUBLISHED_MASK
from cloudfree.core.mask_classes import Mask, MaskClass, class_fractions
from cloudfree.core.terminal import Progress, silent
from cloudfree.datasets.folder import (
    DatedImage,
    evenly_spread,
    list_samples,
    list_series,
    pair_dates,
)
from cloudfree.datasets.patch import Sample, read_patch
from cloudfree.errors import CloudfreeError, ErrorCode, InputError
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.simulation.cloud_layer import OPACITY_BANDS, CloudLayer, cut_layer

logger = logging.getLogger("cloudfree")

# Pairs that are read of a large data set, evenly spread: all of them would not fit in memory.
MAX_PAIRS = 100
# A pair with a smaller share of cloud than this is not used.
MIN_COVER = 0.02
# A date with at most this share of cloud counts as clear.
CLEAR_SHARE = 0.05


def read_real_clouds(
    folder: Path, bands: Sequence[str], offset_dn: float | None, progress: Progress
) -> list[CloudLayer]:
    """The clouds of all pairs below a folder that have `bands`.

    Pairs are patches of a data set, and dated images: each cloudy date with the nearest clear one.

    Raises
    ------
    InputError
        There is no cloud.
    """
    samples = evenly_spread(_samples(folder, offset_dn), MAX_PAIRS)
    layers = []
    for sample in progress(samples, len(samples), "real clouds", "patch"):
        try:
            patch = read_patch(sample)
            patch.require((*OPACITY_BANDS, *bands), "a cloud over the scene")
        except CloudfreeError as error:
            logger.warning("pair %s skipped: %s", sample.name, error.found)
            continue
        layer = cut_layer(patch.cloudy, patch.clear, patch.bands)
        if layer.cover >= MIN_COVER:
            layers.append(layer)
    if not layers:
        raise _no_cloud(folder, len(samples))
    logger.info("%d of %d pairs in %s have clouds", len(layers), len(samples), folder)
    return layers


def _samples(folder: Path, offset_dn: float | None) -> list[Sample]:
    try:
        samples = list(list_samples(folder, offset_dn=offset_dn).samples)
    except InputError:
        samples = []
    for place, images in list_series(folder).items():
        clear = [_is_clear(image, offset_dn) for image in images]
        samples += pair_dates(place, images, clear, offset_dn)
    return samples


def _is_clear(image: DatedImage, offset_dn: float | None) -> bool:
    """Whether the mask finds next to no cloud; an image that cannot be read is not clear."""
    try:
        with OpticalScene(image.path, offset_dn) as scene:
            return cloud_share(scene) <= CLEAR_SHARE
    except CloudfreeError:
        return False


def cloud_share(scene: MaskSource) -> float:
    """Share of cloud among the valid pixels of a scene, by its mask.

    Raises
    ------
    InputError
        Bands that the mask needs are missing, or there is no valid pixel.
    """
    plan = plan_mask(scene, replace(PUBLISHED_MASK, shadow=False), silent)
    counts = np.zeros(256, dtype=np.int64)
    for _, rows in plan.classifier.strips(scene):
        counts += _count(rows)
    return class_fractions(counts)[MaskClass.CLOUD.name.lower()]


def _count(mask: Mask) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.bincount(mask.ravel(), minlength=256)


def _no_cloud(folder: Path, pairs: int) -> InputError:
    return InputError(
        f"no cloud in {pairs} pairs in {folder}",
        wanted="NAME_s2_cloudy.tif and NAME_s2_clear.tif, SEN12MS-CR, or images of one place with "
        "dates in their names, with the bands of the scene",
        hint="give another --cloud-donors",
        code=ErrorCode.NO_DATA,
    )
