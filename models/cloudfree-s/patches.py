"""The real patches: where they are, what each is good for, and which of them are only scored.

Optical is reflectance clipped to 0-1, SAR is scaled to 0-1, images are (band, y, x).
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rasterio
import torch

from cloudfree.cloudmask.mask_plan import plan_mask, write_mask
from cloudfree.core.choices import DILATION, MaskSettings
from cloudfree.core.mask_classes import Mask, in_shadow
from cloudfree.core.radiometry import Float32 as Image
from cloudfree.core.terminal import silent
from cloudfree.networks.cloudfree_s import cloud_score
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.simulation.imagined_radar import ImaginedRadar, blur, fit_radar

SAR_FLOOR_DB = np.array([-25.0, -32.5], np.float32)[:, None, None]
FOLDS: dict[str, set[str]] = {
    "A": {"4065", "4287", "4294", "4433", "4438"},
    "B": {"5254", "5278", "5349", "6553", "6780"},
    # fall_136 shows lakes and fields like those of 2266 and 2729; no match was found, but no risk
    "C": {"0316", "0581", "0746", "2266", "2729", "fall_136"},
}
SCORED = frozenset(FOLDS["A"] | FOLDS["B"] | FOLDS["C"])  # training sees none of them
CLOUD = 0.7  # reflectance of cloud that hides the ground
NO_OFFSET_DN = 0.0  # all images were processed before baseline 04.00
UNSCORED = {"winter112p797"}
SEA = {"summer_100_p100", "summer_101_p100", "fall_148_p521"}
HAZY_CLEAR = ("fall_85", "fall_136")  # the "clear" image is hazy: these give clouds only
CLEAR_DATES = {3, 9, 13, 14, 16, 17, 18, 19, 20, 22, 23, 24, 26}  # of the time series
CLOUDY_DATES = {0: None, 1: 3, 2: None, 4: 3, 5: None, 7: None, 8: None, 10: None, 11: None}
CLOUDY_DATES |= {15: 16, 21: 20, 25: None, 27: None, 29: None}  # and the nearest clear date


@dataclass(frozen=True)
class Patch:
    """What is known of one piece of ground: any of a clear image, a cloudy image, SAR.

    ``mask`` (1, y, x) holds the classes that `cloudfree remove` finds in the cloudy image.
    """

    name: str
    clear: Image | None = None
    cloudy: Image | None = None
    sar: Image | None = None
    mask: Mask | None = None

    @property
    def shadow(self) -> Image:
        """Where the mask knows of shadows of clouds, (1, y, x): 1 there, else 0."""
        assert self.mask is not None
        return in_shadow(self.mask).astype(np.float32)


@dataclass(frozen=True)
class CloudTransplant:
    """What clouds did to the clear image below them, to be done to another one.

    ``added`` is the light they added and ``left`` the share of the ground's light they left, both
    (band, y, x); where ``opacity`` (1, y, x) is 1, only ``cloudy`` shows.
    """

    cloudy: Image
    added: Image
    left: Image
    opacity: Image


@dataclass
class Library:
    """The patches a run may draw from, by the use they are good for."""

    real: list[Patch] = field(default_factory=list)  # all three images
    targets: list[Patch] = field(default_factory=list)  # clear image and SAR
    bare: list[Patch] = field(default_factory=list)  # clear image, no SAR
    sea: list[Patch] = field(default_factory=list)  # clear image of plain sea
    donors: list[Image] = field(default_factory=list)  # cloudy images
    white: list[Image] = field(default_factory=list)  # of these, the overcast ones
    veils: list[CloudTransplant] = field(
        default_factory=list
    )  # clouds and shadows, of pairs and triplets
    simulated: list[Patch] = field(default_factory=list)  # all three images of simulated scenes
    radar: ImaginedRadar | None = None  # for clear images without SAR


def read_optical(path: Path) -> Image:
    """Read reflectance, clipped to 0-1."""
    with rasterio.open(path) as file:
        reflectance: Image = np.clip(file.read().astype(np.float32) / 10000.0, 0.0, 1.0)
    return reflectance


def read_mask(path: Path) -> Mask:
    """Find clouds and shadows of an image as `cloudfree remove` does: classes, (1, y, x)."""
    with OpticalScene(path, NO_OFFSET_DN) as scene, TemporaryDirectory() as folder:
        found = Path(folder) / "mask.tif"
        plan = plan_mask(scene, MaskSettings(dilate=DILATION, sensitive=True), silent)
        write_mask(scene, found, plan, silent, {})
        with rasterio.open(found) as file:
            mask: Mask = file.read()
    return mask


def read_sar(path: Path) -> Image:
    """Read backscatter, scaled from [-25, 0] dB (VV) and [-32.5, 0] dB (VH) to 0-1."""
    with rasterio.open(path) as file:
        return scale_sar(file.read().astype(np.float32))


def scale_sar(decibel: Image) -> Image:
    """Scale backscatter in dB to 0-1."""
    scaled: Image = np.clip(1.0 - decibel / SAR_FLOOR_DB, 0.0, 1.0)
    return scaled


def read_triplets(data: Path) -> Iterator[Patch]:
    """Read the patches that have everything."""
    for path in sorted((data / "triplets").glob("*_s1.tif")):
        name = path.stem.removesuffix("_s1")
        clear, cloudy = (path.with_name(f"{name}_s2_{kind}.tif") for kind in ("clear", "cloudy"))
        images = read_optical(clear), read_optical(cloudy), read_sar(path)
        yield Patch(name, *images, read_mask(cloudy))


def read_pairs(data: Path) -> Iterator[Patch]:
    """Read the pairs without SAR, named season_place_patch."""
    for path in sorted((data / "pairs").glob("*_s2_cloudy_*.tif")):
        season, _, _, place, patch = path.stem.split("_", 1)[1].split("_")
        name = f"{season}_{place}_{patch}"
        clear = path.with_name(path.name.replace("_cloudy", ""))
        hazy = name.startswith(HAZY_CLEAR)
        ground = None if hazy else read_optical(clear)
        yield Patch(name, ground, read_optical(path), mask=read_mask(path))


def read_time_series(data: Path) -> Iterator[Patch]:
    """Read the dates of the time series, a cloudy date with its nearest clear one."""
    folder = data / "timeseries" / "rois2017_146"
    paths = {int(path.stem.split("_")[4]): path for path in folder.glob("*.tif")}
    for date in sorted(CLEAR_DATES):
        yield Patch(f"series_{date}", clear=read_optical(paths[date]))
    for date, clear in CLOUDY_DATES.items():
        image = None if clear is None else read_optical(paths[clear])
        cloudy = read_optical(paths[date])
        yield Patch(f"series_{date}", image, cloudy, mask=read_mask(paths[date]))


def read_scenes(data: Path) -> Iterator[Patch]:
    """Read the two scenes that have SAR: one clear, one cloudy."""
    scenes = data / "scenes"
    clear, sar = scenes / "spain_s2_l1c_512.tif", scenes / "spain_s1_512.tif"
    yield Patch("spain", clear=read_optical(clear), sar=read_sar(sar))
    yield Patch("summer_19_p30", cloudy=read_optical(scenes / "summer19p30_s2_cloudy.tif"))


def read_simulated(folders: Sequence[Path]) -> Iterator[Patch]:
    """Read scenes that `cloudfree simulate` made, their radar laid on the optical grid."""
    for folder in folders:
        path = folder / "s2_clear.tif"
        with OpticalScene(path) as scene, SarScene(path.with_name("s1.tif")) as radar:
            decibel = radar.on_grid(scene.grid, scene.grid.window)
        cloudy = read_optical(path.with_name("s2_cloudy.tif"))
        yield Patch(folder.name, read_optical(path), cloudy, scale_sar(decibel))


def open_library(
    data: Path, simulated: Sequence[Path] = (), held_out: Set[str] = SCORED
) -> Library:
    """Sort simulated scenes, and every patch but those of places held out, by their uses."""
    library = Library(simulated=list(read_simulated(simulated)))
    for read in (read_triplets, read_pairs, read_time_series, read_scenes):
        for patch in read(data):
            if not any(patch.name.startswith(place) for place in held_out):
                file_patch(library, patch)
    grounds = [(patch.clear, patch.sar) for patch in library.targets]
    library.radar = fit_radar(
        [(clear, sar) for clear, sar in grounds if clear is not None and sar is not None]
    )
    return library


def file_patch(library: Library, patch: Patch) -> None:
    """Put one patch where it is of use."""
    if patch.cloudy is not None:
        library.donors.append(patch.cloudy)
        if score_clouds(patch.cloudy).mean() > 0.6:
            library.white.append(patch.cloudy)
    if patch.clear is None:
        return
    if patch.cloudy is not None:
        library.veils.append(lift_veil(patch.cloudy, patch.clear))
    if patch.name in SEA:
        library.sea.append(patch)
    elif patch.sar is None:
        library.bare.append(patch)
    else:
        library.targets.append(patch)
        if patch.cloudy is not None:
            library.real.append(patch)


def score_clouds(optical: Image) -> Image:
    """Give each pixel its cloud score: (band, y, x) to (y, x), 0-1."""
    score: Image = cloud_score(torch.from_numpy(optical)[None])[0, 0].numpy()
    return score


def lift_veil(cloudy: Image, clear: Image) -> CloudTransplant:
    """Take clouds, haze and shadows off a pair of images of two dates.

    What differs away from all three is the ground of the other date, and is left out. Where cloud
    adds light it takes as much of the ground's as it covers, else texture below it would be as
    strong as in the open.
    """
    score = score_clouds(cloudy)
    change = cloudy - clear
    untouched = score < 0.05
    if untouched.mean() > 0.05:  # a high quantile, as many of these pixels lie in shadow
        change -= np.quantile(change[:, untouched], 0.7, axis=1)[:, None, None]
    smooth = blur(change, 3.0)  # thin cloud is smooth, what is finer is the ground
    change = smooth + np.clip(score / 0.3, 0.0, 1.0) * (change - smooth)
    lit = np.clip(1.0 + np.minimum(change, 0.0) / np.maximum(clear, 0.02), 0.1, 1.0)
    in_shadow = np.clip((0.85 - np.maximum(lit[7], lit[11])) / 0.15, 0.0, 1.0)
    present = blur(np.maximum(np.clip((score - 0.03) / 0.1, 0.0, 1.0), in_shadow)[None], 3.0)
    veiled = np.clip(change / np.maximum(CLOUD - clear, 0.1), 0.0, 0.9)
    left, added = 1.0 + present * (lit * (1.0 - veiled) - 1.0), present * veiled * CLOUD
    opacity = np.clip((score - 0.3) / 0.3, 0.0, 1.0)[None]
    return CloudTransplant(cloudy, *(image.astype(np.float32) for image in (added, left, opacity)))
