"""A mask on disk made from one whose clouds and shadows are not dilated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from cloudfree.cloudmask.classifier import Strip, with_halo
from cloudfree.cloudmask.mask_file import DILATION_TAG, STRIP_ROWS, MaskFile, mask_profile
from cloudfree.cloudmask.morphology import dilate, dilation_halo_px, parse_distance
from cloudfree.core.grid import strips
from cloudfree.core.mask_classes import Mask
from cloudfree.raster.cog import CogWriter
from cloudfree.raster.warp import pixel_size_m

# The dilation of a mask of which others are made.
UNDILATED = "0"


def unchanged(mask: Mask) -> Mask:
    """The mask itself."""
    return mask


def strips_of_mask(mask: MaskFile) -> Iterator[Strip]:
    """Windows as wide as a mask, and its classes, from top to bottom."""
    for window in strips(mask.grid.height, mask.grid.width, STRIP_ROWS):
        yield window, mask.classes(window)


def write_dilated(
    mask: MaskFile,
    path: Path,
    dilation: str,
    tags: Mapping[str, str],
    classes: Iterable[Strip] | None = None,
    decide: Callable[[Mask], Mask] = unchanged,
    halo_px: int = 0,
) -> None:
    """Write a mask that is dilated, with the tags of the one it is made from and further `tags`.

    `classes` take the place of those of the mask, strip by strip; `decide` makes the final ones of
    a strip with `halo_px` rows around it, before they are dilated.

    Raises
    ------
    InputError
        A dilation that is no distance.
    """
    radius_px = parse_distance(dilation).pixels(pixel_size_m(mask.grid))
    profile, own = mask_profile(), {**mask.made_by, DILATION_TAG: dilation, **tags}
    halo = dilation_halo_px(radius_px) + halo_px
    with CogWriter(path, mask.grid, replace(profile, tags={**profile.tags, **own})) as file:
        for window, outer, rows in with_halo(classes or strips_of_mask(mask), halo):
            dilated = dilate(decide(rows), radius_px)
            file.write(window, dilated[window.relative_to(outer)][np.newaxis])
