"""A result of `cloudfree remove` as it is on disk, with all files next to it, made by code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.raster.used_reference import UsedReference
from tests.factories.rasters import FIELD, cloudy_scene, write_radar, write_raster

ERROR = 0.01


@dataclass(frozen=True)
class FakeResult:
    """Paths of a result, its inputs and the truth."""

    result: Path
    s1: Path
    s2: Path
    mask: Path
    filled: Path
    truth: Path


def write_result(
    folder: Path, height: int = 48, width: int = 64, stem: str = "l1c", **tags: Any
) -> FakeResult:
    """Write a result whose filled pixels are `ERROR` too bright in every band.

    The cloud in the middle is filled, the field around it is unchanged. The upper left
    corner of 4 x 6 pixels has no data. A tag that is None is left out.
    """
    folder.mkdir(exist_ok=True)
    cloudy, cloud = cloudy_scene(height, width)
    field = np.round(10_000 * np.reshape(FIELD, (13, 1, 1))).astype(np.uint16)
    truth = np.where(cloud, field, cloudy)
    filled = np.where(cloud, truth + round(10_000 * ERROR), truth)
    fill_mask, mask = cloud.astype(np.uint8), cloud.astype(np.uint8)
    for pixels, nodata in ((cloudy, 0), (filled, 0), (fill_mask, 255), (mask, 255)):
        pixels[..., :4, :6] = nodata
    paths = FakeResult(
        result=folder / f"{stem}_cloudfree.tif",
        s1=write_radar(folder / f"{stem}_s1.tif", height, width),
        s2=write_raster(folder / f"{stem}.tif", cloudy, OPTICAL_BANDS, nodata=0),
        mask=write_raster(folder / f"{stem}_mask.tif", mask[None], ["cloud mask"], nodata=255),
        filled=write_raster(
            folder / f"{stem}_cloudfree_filled.tif", fill_mask[None], ["filled"], nodata=255
        ),
        truth=write_raster(folder / f"{stem}_truth.tif", truth, OPTICAL_BANDS, nodata=0),
    )
    made = {**_tags(paths), **tags}
    write_raster(
        paths.result, filled.astype(np.uint16), OPTICAL_BANDS, nodata=0,
        **{name: value for name, value in made.items() if value is not None},
    )  # fmt: skip
    return paths


def reference_tags(dates: Sequence[Path], **known: Any) -> dict[str, str]:
    """Tags of a result beside the files of other dates; `known` is the same of each date."""
    used = (UsedReference(path=PurePosixPath(date.name), **known) for date in dates)
    tags = (one.to_tags(number) for number, one in enumerate(used, start=1))
    return {name: text for one in tags for name, text in one.items()}


def _tags(paths: FakeResult) -> dict[str, str]:
    return {
        "CLOUDFREE_VERSION": "0.1.0",
        "CLOUDFREE_MODEL": "cloudfree-s",
        "CLOUDFREE_MODEL_SHA256": "9f86d0",
        "CLOUDFREE_MODEL_LICENSE": "Apache-2.0",
        "CLOUDFREE_S1": paths.s1.name,
        "CLOUDFREE_S2": paths.s2.name,
        "CLOUDFREE_MASK": paths.mask.name,
        "CLOUDFREE_FILLED": paths.filled.name,
        "CLOUDFREE_SHIFT_PX": "0.420,-0.850",
        "CLOUDFREE_SHIFT_REASON": "reliable",
    }
