"""Batches drawn from kinds of scenes: simulated, real, and real ground under transplanted clouds.

The kinds are those of a scene library: simulated scenes; real triplets; clear images with SAR;
clear images without SAR, which is then imagined or 0; and plain sea below simulated calm water, so
that nothing is invented there. Everything of a step is drawn from the seed, the process and its
number alone. The laws and their numbers are those that the default model was trained with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.core.radiometry import Float32
from cloudfree.datasets.scene_library import KINDS, SceneLibrary, ScenePatch
from cloudfree.errors import InputError
from cloudfree.inference.model_card import ModelCard
from cloudfree.networks.cloudfree_s import CLOUDY_SCORE, image_cloud_score
from cloudfree.simulation.cloud_transplants import (
    find_shadow,
    fractal_noise,
    lay_clouds,
    random_window,
)
from cloudfree.simulation.imagined_radar import NEAR_INFRARED
from cloudfree.training.distributed import ALONE, Processes
from cloudfree.training.sampler import Batch
from cloudfree.training.settings import TrainingSettings

Random = np.random.Generator

OWN_CLOUDS = 0.25  # share of places without SAR, and of sea, under the clouds of their own image
SIMULATED_CLOUDS = 0.75  # share of simulated scenes under their own clouds
TINTED = 0.5  # share of ground with a colour of its own
CALM = 0.8  # share of sea with the SAR of calm water
# Of masks: none of the shadows known; clear ground for shadow; dark ground, such as water, for it.
NO_SHADOW, WRONG_SHADOW, DARK_SHADOW = 0.125, 0.25, 0.5  # cumulative shares


@dataclass(frozen=True)
class SceneSample:
    """Inputs and target of one window, (band, y, x); `name` is that of the scene."""

    name: str
    optical: Float32
    sar: Float32
    clear: Float32
    shadow: Float32


class SceneBatches:
    """The batches of a run by the number of their step."""

    def __init__(
        self, library: SceneLibrary, settings: TrainingSettings, processes: Processes = ALONE
    ) -> None:
        self._library, self._settings, self._processes = library, settings, processes
        self._shares = shares_of(library, settings.shares)

    def batch_of_step(self, step: int) -> Batch:
        """The batch of step 0, 1, ...; every second one may have fewer and larger crops."""
        settings, processes = self._settings, self._processes
        rng = np.random.default_rng((settings.seed, processes.rank, step))
        count, size = settings.batch_size, settings.crop
        if settings.alternate_crops and step % 2:
            count, size = max(1, count // 4), 2 * size
        drawn = [self._sample(rng, size) for _ in range(count)]
        batch = _collate(drawn)
        return batch.pinned() if processes.device.type == "cuda" else batch

    def close(self) -> None:
        """Nothing is open."""

    def _sample(self, rng: Random, size: int) -> SceneSample:
        kind = list(self._shares)[int(rng.choice(len(self._shares), p=list(self._shares.values())))]
        return make_sample(rng, self._library, kind, size, self._settings.imagined_radar)


def check_mixture(settings: TrainingSettings, card: ModelCard, needs_mask: bool) -> None:
    """Refuse a network or a loss that a mixture of scenes does not fit.

    Raises
    ------
    InputError
        Other bands or another scale than a mixture has, a loss of the mask, or unknown kinds.
    """
    fits = (
        tuple(card.optical_bands) == OPTICAL_BANDS == tuple(card.output_bands)
        and tuple(card.sar_bands) == SAR_BANDS
        and tuple(card.optical_scaling.scale) == tuple(card.sar_scaling.scale) == (0.0, 1.0)
    )
    if not fits or needs_mask:
        raise InputError(
            f"sampling mixture for network {settings.network} and loss {settings.loss}",
            wanted="13 optical bands, VV and VH, all scaled to 0-1, and a loss without the mask",
            hint="choose another --preset",
        )


def largest_crop(settings: TrainingSettings) -> int:
    """Side of the largest crop in pixels."""
    return settings.crop * (2 if settings.alternate_crops else 1)


def shares_of(library: SceneLibrary, shares: Mapping[str, float]) -> dict[str, float]:
    """The shares of the kinds that the library has, with a sum of 1.

    Raises
    ------
    InputError
        An unknown kind, or nothing of any kind with a share.
    """
    there = {kind: s for kind, s in shares.items() if kind in KINDS and library.of_kind(kind) and s}
    if not there or not shares.keys() <= set(KINDS):
        raise InputError(
            f"shares of {', '.join(shares) or 'nothing'}",
            wanted=f"shares of {', '.join(KINDS)}, and images of one of these kinds",
            hint="choose another --preset, or give more --data",
        )
    if there.keys() == shares.keys():
        return there
    total = sum(there.values())
    return {kind: share / total for kind, share in there.items()}


def make_sample(
    rng: Random, library: SceneLibrary, kind: str, size: int, imagined: float
) -> SceneSample:
    """Make one sample of a kind; `imagined` is the share of images without SAR that get some.

    Half the ground under transplanted clouds gets a colour of its own, so that only the clear
    surroundings show it.
    """
    patches = library.of_kind(kind)
    patch = patches[int(rng.integers(len(patches)))]
    if kind == "simulated":
        return _simulated_sample(rng, library, patch, size)
    sar = patch.sar
    if sar is None:
        sar = _substitute_sar(rng, library, patch.clear, kind == "sea", imagined)
    own_clouds = kind == "real" or (kind != "clear" and rng.random() < OWN_CLOUDS)
    if own_clouds and patch.cloudy is not None and patch.shadow is not None:
        images = [patch.clear, sar, patch.cloudy, patch.shadow]
        clear, sar, optical, shadow = random_window(rng, images, size)
    else:
        clear, sar = random_window(rng, [patch.clear, sar], size)
        if rng.random() < TINTED:
            clear = tint(rng, clear)
        optical = lay_clouds(rng, clear, library.clouds)
        shadow = known_shadow(rng, optical, clear)
    return jitter(rng, SceneSample(patch.name, optical, sar, clear, shadow))


def _simulated_sample(
    rng: Random, library: SceneLibrary, patch: ScenePatch, size: int
) -> SceneSample:
    """Make one sample of a simulated scene: three in four under its own clouds."""
    assert patch.cloudy is not None and patch.sar is not None, "simulate writes all images"
    clear, sar, cloudy = random_window(rng, [patch.clear, patch.sar, patch.cloudy], size)
    own = rng.random() < SIMULATED_CLOUDS
    optical = cloudy if own else lay_clouds(rng, clear, library.clouds)
    shadow = known_shadow(rng, optical, clear)
    return jitter(rng, SceneSample(patch.name, optical, sar, clear, shadow))


def known_shadow(rng: Random, optical: Float32, clear: Float32) -> Float32:
    """Where shadows lie, (1, y, x), as well as a mask knows: with margins, and at times wrong."""
    shadow = find_shadow(optical, clear)
    luck = rng.random()
    if luck < NO_SHADOW:
        shadow[:] = 0
    elif luck < WRONG_SHADOW:
        shadow |= (fractal_noise(rng, shadow.shape[0]) > rng.uniform(0.7, 1.0)).astype(np.uint8)
    elif luck < DARK_SHADOW:
        shadow |= _darkest(clear, rng.uniform(0.05, 0.3))
    known = _dilated(shadow, int(rng.integers(0, 5)))
    if rng.random() < 0.5:  # where both reach, the ring around a cloud is cloud
        cloud = (image_cloud_score(optical) >= CLOUDY_SCORE).astype(np.uint8)
        known &= 1 - _dilated(cloud, int(rng.integers(0, 6)))
    return known[None].astype(np.float32)


def _darkest(clear: Float32, share: float) -> NDArray[np.uint8]:
    """The share of an image that is darkest in the infrared: 1, (y, x)."""
    smooth = cv2.GaussianBlur(clear[NEAR_INFRARED], (0, 0), 2.0)
    dark: NDArray[np.uint8] = (smooth < np.quantile(smooth, share)).astype(np.uint8)
    return dark


def _dilated(mask: NDArray[np.uint8], margin: int) -> NDArray[np.uint8]:
    """Dilate a mask (y, x) by a margin in pixels."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    return np.asarray(cv2.dilate(mask, disc), dtype=np.uint8)


def _substitute_sar(
    rng: Random, library: SceneLibrary, clear: Float32, is_sea: bool, imagined: float
) -> Float32:
    """SAR of a clear image without it: calm water, imagined, or 0 for none."""
    height, width = clear.shape[1:]
    if is_sea and rng.random() < CALM:
        return water_sar(rng, max(height, width))[:, :height, :width]
    if not is_sea and library.radar and rng.random() < imagined:
        return library.radar.draw(rng, clear)
    return np.zeros((2, height, width), np.float32)


def water_sar(rng: Random, size: int) -> Float32:
    """Simulate the backscatter of open water, (2, size, size) in 0-1: wind, swell, speckle."""
    wind = rng.uniform(0.0, 1.0)
    level = np.array([0.1 + 0.35 * wind, 0.08 + 0.25 * wind], np.float32)[:, None, None]
    swell = rng.uniform(0.0, 0.06) * (fractal_noise(rng, size) - 0.5)
    speckle = rng.normal(0.0, rng.uniform(0.02, 0.07), (2, size, size))
    sar: Float32 = np.clip(level + swell + speckle, 0.0, 1.0).astype(np.float32)
    return sar


def tint(rng: Random, clear: Float32) -> Float32:
    """Multiply a clear image by a gain that varies smoothly over the bands, and a little more."""
    place = np.linspace(-1.0, 1.0, clear.shape[0])
    level, slope, bend = rng.normal(0.0, (0.25, 0.2, 0.15))
    exponent = level + slope * place + bend * (2 * place**2 - 1)
    exponent += rng.normal(0.0, 0.1, clear.shape[0])
    tinted: Float32 = np.clip(clear * np.exp(exponent)[:, None, None], 0.0, 0.9).astype(np.float32)
    return tinted


def jitter(rng: Random, sample: SceneSample) -> SceneSample:
    """Vary brightness and colour of both images alike, and the level and speckle of the SAR."""
    gain = math.exp(rng.normal(0.0, 0.12)) * np.exp(rng.normal(0.0, 0.06, (13, 1, 1)))
    sar = sample.sar
    if sar.any():
        level = rng.normal(0.0, 0.03, (2, 1, 1))
        speckle = rng.normal(0.0, rng.uniform(0.0, 0.03), sar.shape)
        sar = np.clip(sar + level + speckle, 0.0, 1.0).astype(np.float32)
    optical, clear = (
        np.clip(image * gain, 0.0, 1.0).astype(np.float32)
        for image in (sample.optical, sample.clear)
    )
    return SceneSample(sample.name, optical, sar, clear, sample.shadow)


def _collate(samples: list[SceneSample]) -> Batch:
    """Samples of one size as one batch; the target is known everywhere."""
    optical, target = _stack([s.optical for s in samples]), _stack([s.clear for s in samples])
    inputs = {
        "optical": optical,
        "sar": _stack([sample.sar for sample in samples]),
        "shadow": _stack([sample.shadow for sample in samples]),
    }
    names = tuple(sample.name for sample in samples)
    return Batch(names, inputs, optical, target, torch.ones_like(target).bool(), None)


def _stack(arrays: list[Float32]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
