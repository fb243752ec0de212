"""Bring real scenes of many places into one form, a folder for each region.

    python -m tests.bench.mask_regions --data DATA --regions REGIONS

Each region gets NAME_clear.tif and, where there is one, NAME_cloudy.tif of the same ground: rasters
of 10 m with named bands, digital numbers without an offset, tagged with their level. A cloudy
image without a clear one of its ground has the name NAME_only.tif.

FOLDS was written down before anything was trained: whatever was learned or chosen for a region is
learned and chosen on regions of other folds. Places that look alike are in one fold.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import rasterio

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.radiometry import QUANTIFICATION, Float32

FOLDS = {
    "A": ("china", "summer_102", "dubai", "hongkong", "norcia", "paris", "place_146"),
    "B": (
        "namibia", "hills", "summer_100", "fall_85", "winter_102", "brasilia", "milano", "valencia",
        "finland", "chile", "plantation", "coast_t19udp",
    ),
    "C": (
        "spain", "dry_hills", "river", "forest", "winter_112", "fall_136", "summer_101", "fall_148",
        "chongqing", "montpellier", "bordeaux", "rio", "tanzania", "punjab", "new_zealand",
        "cumulus_plantation", "summer_19",
    ),
}  # fmt: skip
TRIPLETS = {
    "china": ("4065", "4287", "4294", "4433", "4438"),
    "namibia": ("5254", "5278", "5349"),
    "hills": ("6553", "6780"),
    "dry_hills": ("0316", "0581", "0746"),
    "river": ("2266",),
    "forest": ("2729",),
    "winter_112": ("winter112p797",),
}
TOWNS = {
    "dubai": ("dubai",), "hongkong": ("hongkong",), "norcia": ("norcia",), "milano": ("milano",),
    "paris": ("paris", "bercy", "saclay_e"), "brasilia": ("aguasclaras", "brasilia"),
    "valencia": ("valencia",), "chongqing": ("chongqing",), "montpellier": ("montpellier",),
    "bordeaux": ("bordeaux",), "rio": ("rio",),
}  # fmt: skip
CLOUDY_TOWNS = ("paris_t2",)  # two small clouds; the earlier date shows the ground below them
BANDS_OF = {
    10: ("B02", "B03", "B04", "B08"),
    20: ("B05", "B06", "B07", "B8A", "B11", "B12"),
    60: ("B01", "B09", "B10"),
}
# Dates of the time series, by month and day: those with clouds, and those that show cloud alone.
CLOUDY_DATES = ("01-06", "01-21", "02-25", "03-07", "04-01", "05-06", "07-05", "09-18")
WHITE_DATES = ("01-31", "04-11", "05-21", "11-02", "11-27", "12-22")
CLEAR_DATE = "06-10"
SNOW_MONTHS, CLEAR_MONTHS = ("m04", "m05", "m06"), ("m01", "m02", "m07", "m08", "m09", "m10")


@dataclass(frozen=True)
class Image:
    """An image of a region: `kind` is clear, cloudy or only; `path` a raster or a JP2 of a town."""

    region: str
    name: str
    kind: str
    path: Path


def images(data: Path) -> Iterator[Image]:
    """All images of the folder DATA."""
    yield from _triplets(data / "triplets")
    yield from _pairs(data / "pairs")
    yield from _towns(data / "oscd")
    yield from _dates(data / "timeseries" / "rois2017_146")
    yield from _months(data / "biomassters")
    for region, kind, name in (
        ("spain", "clear", "scenes/spain_s2_l1c_512.tif"),
        ("coast_t19udp", "only", "scenes/S2_L1C_T19UDP_20170729_160m_13band.tif"),
        ("summer_19", "only", "scenes/summer19p30_s2_cloudy.tif"),
        ("tanzania", "clear", "terramesh/38D_378R_2_3_l1c.tif"),
        ("tanzania", "clear", "terramesh/38D_378R_2_3_l2a.tif"),
        ("chile", "clear", "terramesh/433D_629L_3_1_l1c.tif"),
        ("chile", "clear", "terramesh/433D_629L_3_1_l2a.tif"),
        ("punjab", "clear", "ssl4eo/l1c_20200604.tif"),
        ("punjab", "clear", "ssl4eo/l2a_20200604.tif"),
        ("punjab", "clear", "ssl4eo/l2a_20200813.tif"),
        ("punjab", "only", "ssl4eo/l1c_20200823.tif"),
        ("plantation", "clear", "s2_only/brazil_T24KUF_20180302_l2a.tif"),
        ("cumulus_plantation", "only", "s2_only/brazil_T24KVE_20180710_l2a.tif"),
        ("new_zealand", "clear", "s2_only/newzealand_T60HWB_20201002_l1c.tif"),
    ):
        yield Image(region, Path(name).stem, kind, data / name)


def _triplets(folder: Path) -> Iterator[Image]:
    for region, names in TRIPLETS.items():
        for name in names:
            for kind in ("clear", "cloudy"):
                yield Image(region, name, kind, folder / f"{name}_s2_{kind}.tif")


def _pairs(folder: Path) -> Iterator[Image]:
    for path in sorted(folder.glob("*.tif")):
        season, _, *_, place, patch = path.stem.removeprefix("ROIs").split("_")[1:]
        kind = "cloudy" if "cloudy" in path.stem else "clear"
        yield Image(f"{season}_{place}", patch, kind, path)


def _towns(folder: Path) -> Iterator[Image]:
    for region, towns in TOWNS.items():
        for path in sorted(p for town in towns for p in folder.glob(f"{town}_t?_*_10m.jp2")):
            name = path.stem.removesuffix("_10m")
            cloudy = name.startswith(CLOUDY_TOWNS)
            if cloudy:
                earlier = next(iter(folder.glob(f"{name[:5]}_t1_*_10m.jp2")))
                yield Image(region, name, "clear", earlier)
            yield Image(region, name, "cloudy" if cloudy else "clear", path)


def _dates(folder: Path) -> Iterator[Image]:
    paths = sorted(folder.glob("*.tif"))
    (clear,) = (path for path in paths if CLEAR_DATE in path.stem)
    for path in paths:
        date = path.stem.split("_")[-3]
        day = date[5:]
        if day in WHITE_DATES or day in CLOUDY_DATES:
            yield Image("place_146", date, "cloudy", path)
            yield Image("place_146", date, "clear", clear)
        else:
            yield Image("place_146", date, "clear", path)


def _months(folder: Path) -> Iterator[Image]:
    for path in sorted(folder.glob("*_l2a.tif")):
        month = path.stem.split("_")[1]
        if month in CLEAR_MONTHS or month in SNOW_MONTHS:
            yield Image("finland", month, "clear", path)
        else:
            yield Image("finland", month, "cloudy", path)
            yield Image("finland", month, "clear", next(iter(folder.glob("*_m10_l2a.tif"))))


def read(path: Path) -> tuple[Float32, tuple[str, ...]]:
    """Reflectance of an image, (band, y, x), and the names of its bands."""
    return _read_town(path) if path.suffix == ".jp2" else _read_raster(path)


def _read_raster(path: Path) -> tuple[Float32, tuple[str, ...]]:
    with rasterio.open(path) as dataset:
        numbers = dataset.read().astype(np.float32)
        offset = float(dataset.tags().get("RADIO_ADD_OFFSET", 0))
        names = [str(name).split()[0] for name in dataset.descriptions]
    kept = [place for place, name in enumerate(names) if name in OPTICAL_BANDS]
    missing = (numbers[kept] == 0).all(axis=0)
    reflectance = (numbers[kept] + offset) / np.float32(QUANTIFICATION)
    reflectance[:, missing] = np.nan
    return reflectance, tuple(names[place] for place in kept)


def _read_town(path: Path) -> tuple[Float32, tuple[str, ...]]:
    planes: dict[str, Float32] = {}
    for metres, bands in BANDS_OF.items():
        with rasterio.open(path.with_name(path.name.replace("_10m", f"_{metres}m"))) as dataset:
            numbers = dataset.read().astype(np.float32) / np.float32(QUANTIFICATION)
        for band, plane in zip(bands, numbers, strict=True):
            size = planes["B02"].shape[::-1] if planes else plane.shape[::-1]
            planes[band] = cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
    return np.stack([planes[band] for band in OPTICAL_BANDS]), OPTICAL_BANDS


def write(image: Image, folder: Path) -> None:
    """Write an image as a raster of one form into the folder of its region."""
    reflectance, names = read(image.path)
    target = folder / image.region
    target.mkdir(parents=True, exist_ok=True)
    numbers = np.nan_to_num(np.maximum(np.rint(reflectance * QUANTIFICATION), 1.0), nan=0.0)
    profile = {
        "driver": "GTiff", "dtype": "uint16", "count": len(names), "nodata": 0,
        "height": numbers.shape[1], "width": numbers.shape[2],
        "crs": "EPSG:32633", "transform": rasterio.transform.from_origin(5e5, 5e6, 10, 10),
    }  # fmt: skip
    with rasterio.open(target / f"{image.name}_{image.kind}.tif", "w", **profile) as dataset:
        dataset.write(np.minimum(numbers, 65535).astype(np.uint16))
        dataset.descriptions = names
        dataset.update_tags(LEVEL="L1C" if "B10" in names else "L2A", RADIO_ADD_OFFSET="0")


def fold_of(region: str) -> str:
    """The fold that a region is in."""
    (fold,) = (fold for fold, regions in FOLDS.items() if region in regions)
    return fold


def main() -> None:
    """Read the command line, write all images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--regions", type=Path, required=True)
    options = parser.parse_args()
    for image in images(options.data):
        fold_of(image.region)
        write(image, options.regions)


if __name__ == "__main__":
    main()
