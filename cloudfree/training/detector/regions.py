"""Scenes of many regions on disk: clear ones, and pairs of a cloudy and a clear one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.errors import InputError
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.sentinel2.stand_in_bands import with_stand_ins
from cloudfree.simulation.cloud_layer import CloudLayer, cut_layer

CLEAR, CLOUDY = "_clear.tif", "_cloudy.tif"


@dataclass(frozen=True)
class RegionImage:
    """Reflectance, (13, y, x) in the order of L1C, the bands that are its own, and its level."""

    name: str
    reflectance: Float32
    present: NDArray[np.bool_]
    corrected: bool


@dataclass
class Region:
    """Clear images of a region, pairs of cloudy and clear ones, and the clouds of the pairs."""

    name: str
    clear: list[RegionImage] = field(default_factory=list)
    pairs: list[tuple[RegionImage, RegionImage]] = field(default_factory=list)
    layers: list[CloudLayer] = field(default_factory=list)


def open_regions(folder: Path) -> list[Region]:
    """The regions of a folder, each a folder of its own with at least one NAME_clear.tif.

    Raises
    ------
    InputError
        There is none.
    """
    found = sorted(path.parent for path in folder.glob(f"*/*{CLEAR}"))
    if not found:
        raise InputError(
            f"no NAME{CLEAR} in the folders of {folder}",
            wanted="a folder for each region with clear scenes",
            hint="see the training of the cloud detector in docs/mask.md",
        )
    return [_open_region(region) for region in dict.fromkeys(found)]


def _open_region(folder: Path) -> Region:
    region = Region(folder.name)
    for path in sorted(folder.glob(f"*{CLEAR}")):
        clear = read_image(path)
        region.clear.append(clear)
        cloudy_path = path.with_name(path.name.replace(CLEAR, CLOUDY))
        if cloudy_path.exists():
            cloudy = read_image(cloudy_path)
            region.pairs.append((cloudy, clear))
            if cloudy.present.all():
                images = (cloudy.reflectance, clear.reflectance)
                region.layers.append(cut_layer(*images, OPTICAL_BANDS))
    return region


def read_image(path: Path) -> RegionImage:
    """Read a scene whole; bands that it lacks get the light of others."""
    with OpticalScene(path, offset_dn=0.0) as scene:
        window = Window(0, 0, scene.grid.height, scene.grid.width)
        planes = dict(zip(scene.bands, scene.reflectance(scene.bands, window), strict=True))
        corrected = scene.level == "L2A"
    present = np.array([band in planes for band in OPTICAL_BANDS])
    reflectance = np.nan_to_num(with_stand_ins(planes, OPTICAL_BANDS))
    return RegionImage(path.stem, reflectance, present, corrected)
