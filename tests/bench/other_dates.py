"""How well other dates fill real places: `python -m tests.bench.other_dates [--place NAME]`.

Clear dates lie under the clouds of other dates, as `cloudfree evaluate --series` lays them:

* rois2017_146: 30 dates of 2018, L1C in 13 bands, with the masks that `remove` makes;
* 9B424A and BAC91C: 118 and 72 dates of L2A in 10 bands with radar; hidden is what their SCL or
  the mask of `remove` hides, as each misses clouds that would be taken for the truth;
* oscd: 14 places on two clear dates 10 to 24 months apart, each filled from the other under drawn
  clouds, which hide more than half with their shadows; `oscd_third` under fewer of them.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from cloudfree.api.arrays import cloud_mask
from cloudfree.commands.evaluate.series.cases import Case, Date, cases
from cloudfree.commands.evaluate.series.dates import read_series
from cloudfree.commands.evaluate.series.scoring import (
    SOURCES,
    ScoredCase,
    Sources,
    is_scorable,
    score_case,
)
from cloudfree.commands.evaluate.series.table import rows, series_table
from cloudfree.commands.remove.made_masks import made_masks
from cloudfree.core.mask_classes import is_cloud_or_shadow
from cloudfree.core.radiometry import QUANTIFICATION, Float32
from cloudfree.core.terminal import muted_log, silent
from cloudfree.gapfilling.observation import Where
from cloudfree.raster.gdal import ignored_warning
from cloudfree.simulation.add_clouds import draw_cloud_parameters
from cloudfree.simulation.cloud_fields import draw_atmosphere
from tests.conftest import SHARED

Bands = tuple[str, ...]
Group = tuple[Sources, Bands, Case]

TARGETS = MappingProxyType({
    "rois2017_146": "36.2 dB from earlier dates, 38.4 from both; SAM 3.2 degrees",
    "9B424A": "33.9 dB from earlier dates, 35.2 from both",
    "BAC91C": "30.0 dB from earlier dates, 32.0 from both",
    "oscd": "33.5 dB",
    "oscd_third": "33.5 dB",
})  # fmt: skip
WORST = "no case more than 0.3 dB below the gain"

# Classes of the SCL that hide the ground or know nothing: no data, saturated, shadow, cloud of
# middle and high probability, cirrus.
HIDDEN_SCL = (0, 1, 3, 8, 9, 10)
L2A_BANDS = ("B02", "B03", "B04", "B08", "B05", "B06", "B07", "B8A", "B11", "B12")
OSCD_BANDS = (*L2A_BANDS, "B01", "B09", "B10")
OSCD_PARTS = ("10m", "20m", "60m")
SECONDS_A_DAY = 86_400
DECIBEL_SCALE = 10_000
VV_SCALE = 0.01
# Share below drawn clouds; shadows hide about half as much again.
COVER, LESS_COVER = 0.4, 0.2


def series_of_l1c(data: Path) -> Iterator[Group]:
    """The cases of a folder of scenes."""
    with made_masks() as masks:
        series = read_series(data / "timeseries" / "rois2017_146", 0.0, masks, silent)
    yield from _cases(series.bands, series.dates)


def series_of_l2a(name: str) -> Callable[[Path], Iterator[Group]]:
    """The cases of a place in one file."""

    def found(data: Path) -> Iterator[Group]:
        (path,) = (data / "l2a_timeseries").glob(f"*{name}.npz")
        yield from _cases(L2A_BANDS, [*_l2a_dates(np.load(path))])

    return found


def _cases(bands: Bands, dates: Sequence[Date]) -> Iterator[Group]:
    for sources in SOURCES:
        yield from ((sources, bands, one) for one in cases(dates, sources == "earlier"))


def _l2a_dates(part: Mapping[str, np.ndarray]) -> Iterator[Date]:
    for index, seconds in enumerate(part["t_s2_10m"]):
        fine, coarse = part["s2_10m"][index], part["s2_20m"][index]
        by_scl = np.isin(part["scl_20m"][index], HIDDEN_SCL)
        radar = part["s1_20m_db_x10000"][np.argmin(np.abs(part["t_s1"] - seconds))]
        shape = fine.shape[1:]
        numbers = np.concatenate([fine, _enlarged(coarse, shape)])
        image = numbers.astype(np.float32) / QUANTIFICATION
        yield Date(
            name=str(np.datetime64(int(seconds), "s"))[:10],
            day=float(seconds) / SECONDS_A_DAY,
            image=image,
            hidden=(_enlarged(by_scl[None], shape, cv2.INTER_NEAREST)[0] > 0) | _hidden(image),
            radar=_enlarged(radar, shape) / np.float32(DECIBEL_SCALE),
        )


def _hidden(image: Float32) -> Where:
    """What the mask of `remove` hides of a date of L2A."""
    return is_cloud_or_shadow(cloud_mask(image, L2A_BANDS))


def _enlarged(planes: np.ndarray, shape: tuple[int, int], how: int = cv2.INTER_LINEAR) -> Float32:
    size = shape[::-1]
    return np.stack([cv2.resize(one.astype(np.float32), size, interpolation=how) for one in planes])


def pairs_of_oscd(data: Path, cover: float = COVER) -> Iterator[Group]:
    """Each of two dates filled from the other."""
    folder = data / "oscd"
    places = sorted({path.name.split("_t1_")[0] for path in folder.glob("*_t1_*_10m.jp2")})
    for seed, place in enumerate(places):
        dates = [_oscd_date(folder, place, time) for time in ("t1", "t2")]
        for truth, other in (dates, dates[::-1]):
            then = _on_grid_of(truth, other)
            hidden = _drawn_clouds(truth.hidden.shape, cover, (seed, int(then.day)))
            clouds = Date("drawn clouds", 0.0, truth.image, hidden)
            yield "both", OSCD_BANDS, Case(truth, clouds, (then,))


def _oscd_date(folder: Path, place: str, time: str) -> Date:
    planes: list[Float32] = []
    for part in OSCD_PARTS:
        (path,) = folder.glob(f"{place}_{time}_*_{part}.jp2")
        with ignored_warning(NotGeoreferencedWarning), rasterio.open(path) as dataset:
            numbers = dataset.read()
        shape = planes[0].shape if planes else numbers.shape[1:]
        planes.extend(_enlarged(numbers, shape) / QUANTIFICATION)
    found = re.search(r"_(\d{8})_", path.name)
    assert found
    day = date.fromisoformat(found[1])
    image = np.stack(planes).astype(np.float32)
    nothing = np.zeros(image.shape[1:], np.bool_)
    radar = _enlarged(_oscd_radar(folder / f"{place}_{time}_s1vv.tif"), image.shape[1:])
    return Date(f"{place} {day}", float(day.toordinal()), image, nothing, radar)


def _oscd_radar(path: Path) -> Float32:
    """Mean backscatter of three months in VV, dB."""
    with rasterio.open(path) as dataset:
        numbers = dataset.read(masked=True).astype(np.float32)
    return np.asarray((numbers * np.float32(VV_SCALE)).filled(np.nan), np.float32)


def _on_grid_of(truth: Date, other: Date) -> Date:
    """The other date, whose pixels are of another size in two places, on those of the truth."""
    shape = truth.hidden.shape
    if other.hidden.shape == shape:
        return other
    image = _enlarged(other.image, shape, cv2.INTER_CUBIC)
    radar = None if other.radar is None else _enlarged(other.radar, shape)
    return replace(other, image=image, hidden=np.zeros(shape, np.bool_), radar=radar)


def _drawn_clouds(shape: tuple[int, ...], cover: float, seed: tuple[int, int]) -> Where:
    rng = np.random.default_rng(seed)
    parameters = draw_cloud_parameters(rng, "cumulus", cover)
    height, width = shape
    return is_cloud_or_shadow(draw_atmosphere((height, width), parameters, rng).mask)


PLACES: Mapping[str, Callable[[Path], Iterator[Group]]] = MappingProxyType({
    "rois2017_146": series_of_l1c,
    "9B424A": series_of_l2a("9B424A"),
    "BAC91C": series_of_l2a("BAC91C"),
    "oscd": pairs_of_oscd,
    "oscd_third": partial(pairs_of_oscd, cover=LESS_COVER),
})  # fmt: skip


def scored(found: Iterator[Group], every: int) -> list[ScoredCase]:
    """Every n-th of the cases, scored."""
    chosen = [one for one in found if is_scorable(one[2])][::every]
    return [score_case(case, bands, sources) for sources, bands, case in chosen]


def report(place: str, found: Sequence[ScoredCase], worst: int) -> str:
    """The table, the targets, and the cases that are worst against the gain."""
    ranked = sorted(found, key=lambda case: case.over_gain_db)[:worst]
    return "\n".join((
        f"{place}, wanted {TARGETS[place]}; {WORST}",
        series_table(found, [*rows(found)]),
        *map(_described, ranked),
        "",
    ))  # fmt: skip


def _described(case: ScoredCase) -> str:
    references = ", ".join(
        f"{name} ({days:+.0f} days)" for name, days in zip(case.references, case.days, strict=True)
    )
    return (
        f"{case.over_gain_db:+.2f} dB, {case.sources}: {case.name}, {case.cover_share:.0%} hidden, "
        f"{case.clear_pixels} clear pixels, from {references}"
    )


def main() -> None:
    """Score the places, and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    parser.add_argument("--place", choices=[*PLACES], action="append")
    parser.add_argument("--every", type=int, default=1, help="take every n-th case")
    parser.add_argument("--worst", type=int, default=5, help="worst cases to describe")
    given = parser.parse_args()
    for place in given.place or PLACES:
        with muted_log():
            found = scored(PLACES[place](given.data), given.every)
        print(report(place, found, given.worst), flush=True)


if __name__ == "__main__":
    main()
