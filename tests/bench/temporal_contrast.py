"""What other dates add to masks: `python -m tests.bench.temporal_contrast [--data DATA]`.

Each of two clear dates of the 14 places of OSCD, 10 to 24 months apart, is masked as it is and
under simulated clouds (cumulus, cirrus, haze), and its mask corrected by the other date, whose own
mask hides what it takes for cloud. Percent of pixels, by the truths of `mask_simulated`:

* thick, thin and faint cloud and haze found, shadow found; the more the better;
* ground beside clouds taken for cloud, ground in the light taken for shadow, and clear dates taken
  for either; the less the better. The places are those of a change detection set: of the ground of
  clear dates that is taken for cloud, some is new buildings.

The numbers of `cloudmask.temporal_contrast` were chosen on `CHOSEN_ON`; the other places were
looked at once. The detector has seen all of them in training: rows compare with each other alone.
"""

from __future__ import annotations

import argparse
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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
from cloudfree.simulation.add_clouds import draw_cloud_parameters, make_atmosphere
from cloudfree.simulation.atmosphere import apply_atmosphere
from cloudfree.simulation.cloud_fields import dimming
from tests.bench.mask_simulated import Truth, truth_of
from tests.bench.other_dates import OSCD_BANDS, Case, pairs_of_oscd
from tests.conftest import SHARED

CHOSEN_ON = ("bercy", "dubai", "hongkong", "norcia", "paris", "saclay")
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


def skies(image: Float32, name: str) -> Iterator[Sky]:
    """A clear date as it is, and under each kind of cloud."""
    yield Sky(image, ANY_AZIMUTH_DEG)
    for kind in KINDS:
        rng = np.random.default_rng(zlib.crc32(f"{name} {kind}".encode()))
        parameters = draw_cloud_parameters(rng, kind)
        height, width = image.shape[1:]
        atmosphere = make_atmosphere((height, width), parameters, rng, [])
        truth = truth_of(atmosphere, kind, dimming(atmosphere.low, parameters.shadow_px))
        cloudy = apply_atmosphere(image, atmosphere, OPTICAL_BANDS)
        yield Sky(cloudy, parameters.sun.azimuth_deg, truth)


def corrected(sky: Sky, mask: Mask, other: Float32) -> Mask:
    """The mask of a date, corrected by the clear ground of another."""
    bands = [OPTICAL_BANDS.index(band) for band in CONTRAST_BANDS]
    today, then = sky.image[bands], other[bands]
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


def judge(case: Case, by_itself: Counts, with_date: Counts) -> None:
    """Count the masks of a date, by itself and corrected by another."""
    image, other = (_part(date.image) for date in (case.truth, case.others[0]))
    hidden = ~shows_ground(_mask(other, None))
    other = np.where(hidden, np.float32(np.nan), other)
    for sky in skies(image, case.truth.name):
        mask = _mask(sky.image, sky.sun_azimuth_deg)
        count(by_itself, sky, mask)
        count(with_date, sky, corrected(sky, mask, other))


def _part(image: Float32) -> Float32:
    order = [OSCD_BANDS.index(band) for band in OPTICAL_BANDS]
    return image[order, :PART_PX, :PART_PX]


def _mask(image: Float32, sun_azimuth_deg: float | None) -> Mask:
    with muted_log():
        return cloud_mask(image, OPTICAL_BANDS, sun_azimuth_deg=sun_azimuth_deg, dilate="0")


def row(name: str, counts: Counts) -> str:
    """A row of the table."""
    cells = [f"{100 * found / max(where, 1):.2f}" for found, where in counts.values()]
    return " | ".join((name, *cells))


def main() -> None:
    """Judge all places, and print those that numbers were chosen on apart from the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    groups: dict[str, tuple[Counts, Counts]] = defaultdict(
        lambda: (defaultdict(lambda: [0, 0]), defaultdict(lambda: [0, 0]))
    )
    for _, _, case in pairs_of_oscd(parser.parse_args().data):
        chosen = case.truth.name.startswith(CHOSEN_ON)
        judge(case, *groups["chosen on" if chosen else "others"])
    for group, (by_itself, with_date) in groups.items():
        print(" | ".join((group, *by_itself)))
        print(row("mask by itself", by_itself))
        print(row("with another date", with_date), flush=True)


if __name__ == "__main__":
    main()
