"""The images of a training by what they show: simulated, real, clear with or without SAR, sea.

Optical is reflectance clipped to 0-1 with the 13 bands of L1C, SAR is scaled to 0-1, images are
(band, y, x).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from cloudfree.cloudmask.mask_plan import plan_mask
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import PUBLISHED_SENSITIVE
from cloudfree.core.mask_classes import in_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import silent
from cloudfree.datasets.folder import DatedImage, list_series
from cloudfree.datasets.patch import Patch, Sample, read_patch
from cloudfree.datasets.real_clouds import cloud_share
from cloudfree.errors import CloudfreeError, InputError
from cloudfree.networks.cloudfree_s import image_cloud_score
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.simulation.cloud_transplants import OVERCAST, CloudSources
from cloudfree.simulation.imagined_radar import ImaginedRadar, fit_radar

logger = logging.getLogger("cloudfree.training")

NEAR_INFRARED, CIRRUS, SHORT_WAVE = (OPTICAL_BANDS.index(band) for band in ("B08", "B10", "B11"))
# Plain sea is dark in the infrared, apart from a hundredth of its pixels.
SEA_REFLECTANCE, SEA_QUANTILE = 0.1, 0.99
# With more light in the cirrus band a clear image is hazy: it gives clouds, and is no target.
HAZY_CIRRUS = 0.02
# Of a time series: dates with more than this share of cloud are cloudy, others with less than this
# mean score are clear, and the rest, which is hazy, is not used.
CLOUDY_SHARE, CLEAR_SCORE = 0.02, 0.05
# The clear image of a cloudy date is at most so many days away.
MAX_DAYS = 20
# The file that `cloudfree simulate` writes beside its scenes.
TRUTH = "truth_mask.tif"

ScaleSar = Callable[[Float32], Float32]


@dataclass(frozen=True)
class ScenePatch:
    """The images of one piece of ground; `shadow` (1, y, x) is 1 in shadows of its own clouds."""

    name: str
    clear: Float32
    cloudy: Float32 | None = None
    sar: Float32 | None = None
    shadow: Float32 | None = None


@dataclass
class SceneLibrary:
    """The images that a training draws from, by kind.

    `real` have all three images, `clear` a clear image and SAR, `no_sar` a clear image, `sea` is
    plain sea, `simulated` come from `cloudfree simulate`. `radar` imagines SAR for clear images.
    """

    simulated: list[ScenePatch] = field(default_factory=list)
    real: list[ScenePatch] = field(default_factory=list)
    clear: list[ScenePatch] = field(default_factory=list)
    no_sar: list[ScenePatch] = field(default_factory=list)
    sea: list[ScenePatch] = field(default_factory=list)
    clouds: CloudSources = field(default_factory=CloudSources)
    radar: ImaginedRadar | None = None

    def of_kind(self, kind: str) -> list[ScenePatch]:
        """The images of a kind, a name of KINDS."""
        found: list[ScenePatch] = getattr(self, kind)
        return found

    @property
    def count(self) -> int:
        """How many clear images there are; those of `real` are also `clear`."""
        return len(self.simulated) + len(self.clear) + len(self.no_sar) + len(self.sea)

    def add(self, patch: ScenePatch) -> None:
        """Put one piece of real ground where it is of use."""
        hazy = patch.clear[CIRRUS].mean() > HAZY_CIRRUS
        if patch.cloudy is not None:
            self.clouds.add(patch.cloudy, None if hazy else patch.clear)
        if hazy:
            return
        if is_sea(patch.clear):
            self.sea.append(patch)
        elif patch.sar is None:
            self.no_sar.append(patch)
        else:
            self.clear.append(patch)
            if patch.cloudy is not None:
                self.real.append(patch)


KINDS = tuple(each.name for each in fields(SceneLibrary))[:5]


def open_library(
    samples: Sequence[Sample],
    donors: Sequence[Sample],
    scale_sar: ScaleSar,
    least_px: int,
    part: slice = slice(None),
) -> SceneLibrary:
    """Read the samples; those that are broken or smaller than `least_px` are left out by name.

    `donors` give clouds alone. `part` is the part of the simulated scenes that is read: each
    process has its own.

    Raises
    ------
    InputError
        No image has clouds, or there is no clear image.
    """
    simulated = [sample for sample in samples if is_simulated(sample)]
    others = [sample for sample in samples if not is_simulated(sample)]
    library = SceneLibrary(list(_read_all(simulated[part], scale_sar, least_px)))
    for patch in _read_all(others, scale_sar, least_px):
        library.add(patch)
    for patch in _read_all(donors, scale_sar, least_px):
        if patch.cloudy is not None:
            library.clouds.add(patch.cloudy, None)
    grounds = [(patch.clear, patch.sar) for patch in library.clear if patch.sar is not None]
    library.radar = fit_radar(grounds) if grounds else None
    if not library.clouds.cloudy or not any(library.of_kind(kind) for kind in KINDS):
        raise InputError(
            f"{len(library.clouds.cloudy)} cloudy images among {len(samples)} patches",
            wanted="clear images with 13 bands, and real cloudy ones to take clouds from",
            hint="give another --data folder with real pairs",
        )
    return library


def is_simulated(sample: Sample) -> bool:
    """Whether the sample lies in a folder that `cloudfree simulate` wrote."""
    return (sample.clear.parent / TRUTH).exists()


def is_sea(clear: Float32) -> bool:
    """Whether an image (13, y, x) shows plain sea."""
    dark = np.quantile(clear[[NEAR_INFRARED, SHORT_WAVE]], SEA_QUANTILE, axis=(1, 2))
    return bool((dark < SEA_REFLECTANCE).all())


def _read_all(
    samples: Sequence[Sample], scale_sar: ScaleSar, least_px: int
) -> Iterator[ScenePatch]:
    for sample in samples:
        try:
            patch = read_patch(sample)
            patch.require(OPTICAL_BANDS, "a mixture of scenes")
            if min(patch.clear.shape[1:]) < least_px:
                raise _too_small(patch, least_px)
            yield _scene_patch(sample, patch, scale_sar)
        except CloudfreeError as error:
            logger.warning("patch %s skipped: %s", sample.name, error.found)


def _too_small(patch: Patch, least_px: int) -> InputError:
    height, width = patch.clear.shape[1:]
    return InputError(
        f"{height} x {width} pixels",
        wanted=f"at least {least_px} x {least_px}",
        hint="choose a smaller --crop",
    )


def _scene_patch(sample: Sample, patch: Patch, scale_sar: ScaleSar) -> ScenePatch:
    is_cloudy = sample.cloudy is not None
    shadow = _shadow(patch) if is_cloudy and not is_simulated(sample) else None
    clear, cloudy = (
        np.nan_to_num(patch.select(image, OPTICAL_BANDS)).clip(0.0, 1.0)
        for image in (patch.clear, patch.cloudy)
    )
    sar = None if patch.sar is None else scale_sar(patch.sar)
    return ScenePatch(sample.name, clear, cloudy if is_cloudy else None, sar, shadow)


def _shadow(patch: Patch) -> Float32:
    """Shadows of clouds as `cloudfree remove` finds them, (1, y, x): 1 there, else 0."""
    plan = plan_mask(patch, PUBLISHED_SENSITIVE, silent)
    mask = np.concatenate([rows for _, rows in plan.classifier.strips(patch)])
    return in_shadow(mask)[None].astype(np.float32)


@dataclass(frozen=True)
class DatedSamples:
    """The dates of time series: clear ones, alone or below a cloudy one, and others as `donors`.

    A donor gives clouds alone: it is overcast, or no clear date is near.
    """

    samples: tuple[Sample, ...] = ()
    donors: tuple[Sample, ...] = ()


def list_dates(folder: Path, offset_dn: float | None) -> DatedSamples:
    """Sort the dates of the time series below a folder; those that cannot be read are left out."""
    samples: list[Sample] = []
    donors: list[Sample] = []
    for place, images in list_series(folder).items():
        seen = [(image, *_cloudiness(image, offset_dn)) for image in images]
        clear = [i for i, share, score in seen if share <= CLOUDY_SHARE and score < CLEAR_SCORE]
        own = _Series(Path(place).name, clear, offset_dn)
        samples += [own.sample(image, None) for image in clear]
        for image, share, score in seen:
            if share > CLOUDY_SHARE:
                below = own.nearest(image) if score <= OVERCAST else None
                (samples if below else donors).append(own.sample(below or image, image))
    return DatedSamples(tuple(samples), tuple(donors))


@dataclass(frozen=True)
class _Series:
    """The clear dates of one place."""

    place: str
    clear: Sequence[DatedImage]
    offset_dn: float | None

    def nearest(self, image: DatedImage) -> DatedImage | None:
        """The clear date nearest to an image, None if none is near."""
        days = {other: abs((other.day - image.day).days) for other in self.clear}
        near = [other for other, distance in days.items() if distance <= MAX_DAYS]
        return min(near, key=lambda other: days[other], default=None)

    def sample(self, clear: DatedImage, cloudy: DatedImage | None) -> Sample:
        """A clear date, alone or below a cloudy one."""
        path = None if cloudy is None else cloudy.path
        name = (path or clear.path).stem
        return Sample(name, self.place, "", path, clear.path, None, offset_dn=self.offset_dn)


def _cloudiness(image: DatedImage, offset_dn: float | None) -> tuple[float, float]:
    """Share of cloud by the mask, and mean cloud score; NaN for an image that cannot be read."""
    try:
        with OpticalScene(image.path, offset_dn) as scene:
            scene.require(OPTICAL_BANDS, "a mixture of scenes")
            pixels = scene.reflectance(OPTICAL_BANDS, scene.grid.window)
            score = image_cloud_score(np.nan_to_num(pixels).clip(0.0, 1.0))
            return cloud_share(scene), float(score.mean())
    except CloudfreeError as error:
        logger.warning("%s skipped: %s", image.path.name, error.found)
        return math.nan, math.nan
