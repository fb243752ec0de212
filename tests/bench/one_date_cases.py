"""Clear images of many regions with radar, under drawn clouds, for `one_date`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import Mask
from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.observation import Where
from cloudfree.raster.gdal import ignored_warning
from cloudfree.simulation.add_clouds import cloud_over
from tests.bench.mask_regions import CLEAR_MONTHS, SNOW_MONTHS, TOWNS, TRIPLETS, read

COVER, SEED, SIDE = 0.3, 7, 512
VH_BELOW_VV_DB = 7.0
# Below all backscatter: no data.
LEAST_DB = -100.0
SUBSETS = {
    13: OPTICAL_BANDS,
    10: ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12"),
    4: ("B02", "B03", "B04", "B08"),
}


@dataclass(frozen=True)
class Place:
    """A clear image of a region, and its radar."""

    region: str
    name: str
    optical: Path
    radar: Path


@dataclass(frozen=True)
class Case:
    """A clear image, (band, y, x) of `bands`, its radar in dB, and the drawn clouds over it."""

    place: Place
    bands: tuple[str, ...]
    clear: Float32
    radar: Float32
    cloudy: Float32
    mask: Mask

    @property
    def known(self) -> Where:
        """Where image and radar have data, (y, x)."""
        finite = np.isfinite(self.clear).all(axis=0) & np.isfinite(self.radar).all(axis=0)
        return np.asarray(finite)

    @property
    def hidden(self) -> Where:
        """What clouds and shadows hide, and radar sees, (y, x)."""
        return np.asarray(np.isin(self.mask, (1, 2)) & self.known)


def places(data: Path) -> Iterator[Place]:
    """All clear images that have radar."""
    for region, towns in TOWNS.items():
        for town in towns:
            for time in ("t1", "t2"):
                (path,) = (data / "oscd").glob(f"{town}_{time}_*_10m.jp2")
                radar = data / "oscd" / f"{town}_{time}_s1vv.tif"
                yield Place(region, f"{town}_{time}", path, radar)
    for region, name in (("tanzania", "38D_378R_2_3"), ("chile", "433D_629L_3_1")):
        for level in ("l1c", "l2a"):
            folder = data / "terramesh"
            image, radar = folder / f"{name}_{level}.tif", folder / f"{name}_s1.tif"
            yield Place(region, f"{region}_{level}", image, radar)
    for level in ("l1c", "l2a"):
        folder = data / "ssl4eo"
        image, radar = folder / f"{level}_20200604.tif", folder / "s1_20200607.tif"
        yield Place("punjab", f"punjab_{level}", image, radar)
    for month in (*CLEAR_MONTHS, *SNOW_MONTHS):
        region = "finland, snow" if month in SNOW_MONTHS else "finland"
        image = data / "biomassters" / f"0060c0a5_{month}_l2a.tif"
        yield Place(
            region, f"finland_{month}", image, image.with_name(image.name.replace("l2a", "s1"))
        )
    folder = data / "scenes"
    yield Place("spain", "spain", folder / "spain_s2_l1c_512.tif", folder / "spain_s1_512.tif")
    for region, names in TRIPLETS.items():
        for name in names:
            folder = data / "triplets"
            image, radar = folder / f"{name}_s2_clear.tif", folder / f"{name}_s1.tif"
            yield Place(region, name, image, radar)


def open_case(place: Place, number: int, most_bands: int = 13) -> Case:
    """The image of a place in at most so many bands, under clouds that depend on `number` alone."""
    with ignored_warning(NotGeoreferencedWarning):
        image, bands = read(place.optical)
    radar = _radar(place.radar)
    height, width = (
        min(SIDE, *sizes) for sizes in zip(image.shape[1:], radar.shape[1:], strict=True)
    )
    kept = tuple(band for band in bands if band in SUBSETS[most_bands])
    clear = image[[bands.index(band) for band in kept], :height, :width]
    rng = np.random.default_rng((SEED, number))
    cloudy, mask = cloud_over(clear, kept, rng, kind="cumulus", cover=COVER)
    return Case(place, kept, clear, radar[:, :height, :width], cloudy, mask)


def _radar(path: Path) -> Float32:
    """VV and VH in dB, (2, y, x), NaN where there is none."""
    with ignored_warning(NotGeoreferencedWarning), rasterio.open(path) as dataset:
        numbers = dataset.read().astype(np.float32)[:2]
        scales = np.array(dataset.scales[: len(numbers)], np.float32)
    radar = numbers * scales[:, None, None]
    radar[radar < LEAST_DB] = np.nan
    return radar if len(radar) == 2 else np.concatenate([radar, radar - VH_BELOW_VV_DB])
