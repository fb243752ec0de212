"""What other dates add to masks: `python -m tests.bench.temporal_contrast [--data DATA]`.

A clear date is masked as it is and under simulated clouds (cumulus, cirrus, haze), and its mask
corrected by another date, whose own mask hides what it takes for cloud: 14 places of OSCD (L1C,
towns, a desert, coasts; both dates, 10 to 24 months apart), fields (punjab, L2A, ten weeks apart)
and woods with a lake (finland, L2A of ten bands), with snow today, on the other date, or on both.
Percent of pixels, by the truths of `mask_simulated`:

* thick, thin and faint cloud and haze found, shadow found; the more the better;
* ground beside clouds taken for cloud, ground in the light taken for shadow, and clear dates taken
  for either; the less the better. The places are those of a change detection set: of the ground of
  clear dates that is taken for cloud, some is new buildings.

Places by what the other date adds, the least first, by itself and with it: shadow found less
ground in the light and clear ground taken for shadow or cloud. The numbers of the correction were
chosen on `CHOSEN_ON`; the other places were looked at once. The detector has seen nearly all of
them in training: rows compare with each other alone. `--pictures` writes masks of each place.
"""

from __future__ import annotations

import argparse
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.errors import NotGeoreferencedWarning

from cloudfree.api.arrays import cloud_mask
from cloudfree.cloudmask.shadow import PixelAxes, ShadowProjection
from cloudfree.cloudmask.temporal_contrast import (
    CONTRAST_BANDS,
    REACH_M,
    Contrast,
    Light,
    agreed,
    confirmed,
    squares,
    with_candidates,
)
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import CloudKind
from cloudfree.core.mask_classes import Mask, MaskClass, shows_ground
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import muted_log
from cloudfree.raster.gdal import ignored_warning
from cloudfree.simulation.add_clouds import draw_cloud_parameters, make_atmosphere
from cloudfree.simulation.atmosphere import apply_atmosphere
from cloudfree.simulation.cloud_fields import dimming
from tests.bench.mask_pictures import save
from tests.bench.mask_regions import read
from tests.bench.mask_scenes import Scene
from tests.bench.mask_simulated import Truth, truth_mask, truth_of
from tests.bench.other_dates import OSCD_BANDS, pairs_of_oscd
from tests.conftest import SHARED

CHOSEN_ON = ("bercy", "dubai", "hongkong", "norcia", "paris", "saclay")
# Months of finland: the date that is masked, and the other one.
MONTHS = {
    "finland, snow today": ("m04", "m02"), "finland, snow then": ("m07", "m06"),
    "finland, snow on both": ("m06", "m05"), "finland": ("m08", "m07"),
}  # fmt: skip
KINDS: tuple[CloudKind, ...] = ("cumulus", "cirrus", "haze")
PART_PX = 384
PIXEL_M, SIDE = 10.0, 2
AXES = PixelAxes((-1 / PIXEL_M, 0.0), (0.0, 1 / PIXEL_M))
# Of a clear date no shadow is thrown: any azimuth will do.
ANY_AZIMUTH_DEG = 150.0

Counts = dict[str, list[int]]


@dataclass(frozen=True)
class Sky:
    """A date, (band, y, x), clear or under simulated clouds, whose truth is known then."""

    image: Float32
    sun_azimuth_deg: float
    truth: Truth | None = None


@dataclass(frozen=True)
class Pair:
    """Two clear dates of a place, (band, y, x) of `bands`: one to be masked, and another one."""

    place: str
    bands: tuple[str, ...]
    today: Float32
    other: Float32


def pairs(data: Path) -> Iterator[Pair]:
    """All of them."""
    order = [OSCD_BANDS.index(band) for band in OPTICAL_BANDS]
    for _, _, case in pairs_of_oscd(data):
        today, other = (date.image[order] for date in (case.truth, case.others[0]))
        yield Pair(case.truth.name.split()[0], OPTICAL_BANDS, _part(today), _part(other))
    for number, place in enumerate(("punjab", "punjab, reversed")):
        dates = [_read(data / "ssl4eo" / f"l2a_{day}.tif") for day in ("20200604", "20200813")]
        today, other = dates[number], dates[1 - number]
        yield Pair(place, today[1], _part(today[0]), _part(other[0]))
    for place, months in MONTHS.items():
        (today, bands), (other, _) = (
            _read(next((data / "biomassters").glob(f"*_{month}_l2a.tif"))) for month in months
        )
        yield Pair(place, bands, _part(today), _part(other))


def _read(path: Path) -> tuple[Float32, tuple[str, ...]]:
    with ignored_warning(NotGeoreferencedWarning):
        return read(path)


def _part(image: Float32) -> Float32:
    return image[:, :PART_PX, :PART_PX]


def skies(pair: Pair) -> Iterator[Sky]:
    """A clear date as it is, and under each kind of cloud."""
    yield Sky(pair.today, ANY_AZIMUTH_DEG)
    height, width = pair.today.shape[1:]
    for kind in KINDS:
        rng = np.random.default_rng(zlib.crc32(f"{pair.place} {kind}".encode()))
        parameters = draw_cloud_parameters(rng, kind)
        atmosphere = make_atmosphere((height, width), parameters, rng, [])
        truth = truth_of(atmosphere, kind, dimming(atmosphere.low, parameters.shadow_px))
        cloudy = apply_atmosphere(pair.today, atmosphere, pair.bands)
        yield Sky(cloudy, parameters.sun.azimuth_deg, truth)


def corrected(sky: Sky, mask: Mask, other: Float32, bands: tuple[str, ...]) -> Mask:
    """The mask of a date, corrected by the clear ground of another."""
    compared = [bands.index(band) for band in CONTRAST_BANDS]
    today, then = sky.image[compared], other[compared]
    common = shows_ground(mask) & np.isfinite(then).all(axis=0)
    light = Light.fit(today[:, common], then[:, common])
    if light is None:
        return mask
    found = agreed([Contrast.of(squares(today, SIDE), squares(then, SIDE), light)])
    height, width = mask.shape
    marked = with_candidates(mask, found.of_pixels(SIDE, (slice(0, height), slice(0, width))))
    thrown = ShadowProjection.away_from_sun(sky.sun_azimuth_deg, AXES)
    return confirmed(marked, REACH_M / PIXEL_M, thrown)


def count(counts: Counts, sky: Sky, mask: Mask) -> None:
    """Add what a mask finds to the counts: pixels found, and pixels looked at."""
    cloud, shadow = mask == MaskClass.CLOUD, mask == MaskClass.SHADOW
    if sky.truth is None:
        parts = {"clear, cloud": (cloud, shows_ground(mask) | cloud | shadow),
                 "clear, shadow": (shadow, shows_ground(mask) | cloud | shadow)}  # fmt: skip
    else:
        truth = sky.truth
        parts = {
            **{name: (cloud, getattr(truth, name)) for name in ("thick", "thin", "faint", "haze")},
            "shadow": (shadow, truth.shadow),
            "beside, cloud": (cloud, truth.beside),
            "light, shadow": (shadow, truth.light),
        }
    for name, (found, where) in parts.items():
        counts[name][0] += int(found[where].sum())
        counts[name][1] += int(where.sum())


def judge(pair: Pair, by_itself: Counts, with_date: Counts, pictures: Path | None) -> None:
    """Count the masks of a date, by itself and corrected by another."""
    hidden = ~shows_ground(_mask(pair.other, pair.bands, None))
    other = np.where(hidden, np.float32(np.nan), pair.other)
    for number, sky in enumerate(skies(pair)):
        mask = _mask(sky.image, pair.bands, sky.sun_azimuth_deg)
        better = corrected(sky, mask, other, pair.bands)
        count(by_itself, sky, mask)
        count(with_date, sky, better)
        if pictures and (number < 2):
            shown = {} if sky.truth is None else {"truth": truth_mask(sky.truth)}
            scene = Scene(pair.place, str(number), "clear", sky.image, pair.bands)
            masks = {**shown, "by itself": mask, "with a date": better}
            save(scene, masks, pictures / f"{pair.place}_{number}.png")


def _mask(image: Float32, bands: tuple[str, ...], sun_azimuth_deg: float | None) -> Mask:
    with muted_log():
        return cloud_mask(image, bands, sun_azimuth_deg=sun_azimuth_deg, dilate="0")


def row(name: str, counts: Counts) -> str:
    """A row of the table."""
    cells = [f"{100 * found / max(where, 1):.2f}" for found, where in counts.values()]
    return " | ".join((name, *cells))


def gained(by_itself: Counts, with_date: Counts) -> float:
    """What the other date adds, in percent: shadow found less ground that is wrongly hidden."""

    def worth(counts: Counts) -> float:
        shares = {name: found / max(where, 1) for name, (found, where) in counts.items()}
        wrong = ("light, shadow", "clear, cloud", "clear, shadow")
        return 100 * (shares["shadow"] - sum(shares[name] for name in wrong))

    return worth(with_date) - worth(by_itself)


def total(found: Sequence[Counts]) -> Counts:
    """The counts of several places together."""
    return {name: [sum(c[name][i] for c in found) for i in (0, 1)] for name in found[0]}


def main() -> None:
    """Judge all places, and print each, and those chosen on apart from the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    places: dict[str, tuple[Counts, Counts]] = defaultdict(
        lambda: (defaultdict(lambda: [0, 0]), defaultdict(lambda: [0, 0]))
    )
    for pair in pairs(given.data):
        judge(pair, *places[pair.place], given.pictures)
    heads = next(iter(places.values()))[0]
    print(" | ".join(("place", *heads, "gain")))
    for place in sorted(places, key=lambda name: gained(*places[name])):
        by_itself, with_date = places[place]
        chosen = "*" if place.startswith(CHOSEN_ON) else ""
        print(row(f"{place}{chosen}", by_itself))
        print(row("  with another date", with_date), f"| {gained(by_itself, with_date):+.2f}")
    for chosen in (True, False):
        kept = [both for name, both in places.items() if name.startswith(CHOSEN_ON) is chosen]
        print(row("chosen on (*)" if chosen else "others", total([one for one, _ in kept])))
        print(row("  with another date", total([two for _, two in kept])), flush=True)


if __name__ == "__main__":
    main()
