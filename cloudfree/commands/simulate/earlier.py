"""`cloudfree simulate --dates`: earlier dates of a drawn scene, with their truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cloudfree.commands.simulate.options import SimulateOptions, output_paths
from cloudfree.commands.simulate.products import (
    LATITUDE_DEG,
    LONGITUDE_DEG,
    OPTICAL_TIME,
    SAR_TIME,
    changed_mask,
    optical,
    sar,
    truth_mask,
    write_products,
)
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.terminal import Progress, silent
from cloudfree.simulation.earlier_dates import SceneHistory, days_before, history_of
from cloudfree.simulation.land_cover import Landscape
from cloudfree.simulation.sun_position import sun_position

FOLDER, TRUTH_FOLDER = "earlier", "truth"
_SEEN, _TRUTH = ("s2", "s1"), ("clear", "changed", "mask")


@dataclass(frozen=True)
class EarlierDate:
    """An earlier date that was written: its files, and fractions of all pixels.

    `s2` is cloudy, `clear` the truth below its clouds, `mask` its true classes; `changed` is 1 on
    fields that have changed between the date and the scene. `date` is as in 2021-04-14.
    """

    s2: Path
    s1: Path
    clear: Path
    changed: Path
    mask: Path
    date: str
    cloud: float
    changed_fraction: float

    def summary(self) -> str:
        """A line of text."""
        return (
            f"{self.s2} and {self.s1.name}: {self.cloud:.1%} under cloud, "
            f"{self.changed_fraction:.1%} changed since"
        )


def earlier_paths(options: SimulateOptions) -> dict[int, dict[str, Path]]:
    """Files by their role, for the days before the scene, in folders that are created.

    Raises
    ------
    OutputError
        A file exists already, or a folder cannot be created.
    """
    return {days: _paths(options, days) for days in days_before(options.dates)}


def _paths(options: SimulateOptions, days: int) -> dict[str, Path]:
    date = f"{OPTICAL_TIME - timedelta(days):%Y%m%d}"
    folder = options.folder / FOLDER
    paths: dict[str, Path] = {}
    for place, roles in ((folder, _SEEN), (folder / TRUTH_FOLDER, _TRUTH)):
        names = [f"{role}_{date}" for role in roles]
        found = output_paths(place, names, options.overwrite)
        paths |= dict(zip(roles, found.values(), strict=True))
    return paths


def write_earlier(
    options: SimulateOptions,
    land: Landscape,
    misregistration: tuple[float, float],
    paths: Mapping[int, Mapping[str, Path]],
    progress: Progress,
) -> tuple[EarlierDate, ...]:
    """Draw and write one date of the scene's land after the other, to `earlier_paths`."""
    if not paths:
        return ()
    history = history_of(land, options.seed, options.cloud_cover, misregistration)
    return tuple(
        _write_date(options, history, days, paths[days])
        for days in progress(paths, len(paths), "earlier dates", "date")
    )


def _write_date(
    options: SimulateOptions, history: SceneHistory, days: int, paths: Mapping[str, Path]
) -> EarlierDate:
    acquired, sar_acquired = OPTICAL_TIME - timedelta(days), SAR_TIME - timedelta(days)
    earlier = history.acquire(days, sun_position(LATITUDE_DEG, LONGITUDE_DEG, acquired))
    scene = earlier.scene
    products = {
        paths["s2"]: optical(scene, scene.cloudy, acquired),
        paths["s1"]: sar(scene, sar_acquired),
        paths["clear"]: optical(scene, scene.clear, acquired),
        paths["changed"]: changed_mask(earlier.changed),
        paths["mask"]: truth_mask(scene),
    }
    write_products(products, options.creation_options, silent, options.overwrite)
    return EarlierDate(
        **paths,
        date=f"{acquired:%Y-%m-%d}",
        cloud=float((scene.mask == MaskClass.CLOUD).mean()),
        changed_fraction=float(earlier.changed.mean()),
    )
