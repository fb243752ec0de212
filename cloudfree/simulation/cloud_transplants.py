"""Clouds, haze and shadows of real images laid over clear images of other places.

Clouds keep the shape that they have in their own image, or get a drawn one. Images are (band, y, x)
with the 13 bands of L1C, reflectance from 0 to 1. The laws and their numbers are those that the
default model was trained with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.radiometry import Float32
from cloudfree.networks.cloudfree_s import hidden_ground, image_cloud_score
from cloudfree.simulation.imagined_radar import NEAR_INFRARED, SHORT_WAVE, blur

Random = np.random.Generator

# Centres of the bands in micrometres, (band, 1, 1).
WAVELENGTHS_UM = np.array(
    [0.443, 0.49, 0.56, 0.665, 0.705, 0.74, 0.783, 0.842, 0.865, 0.945, 1.375, 1.61, 2.19]
)[:, None, None]
BLUE = OPTICAL_BANDS.index("B02")
CLOUD = 0.7  # reflectance of cloud that hides the ground
SHADED = 0.8  # share of the infrared light of the ground, below which it lies in shadow
OVERCAST = 0.6  # mean cloud score from which an image shows cloud alone
TRANSPLANTED = 0.4  # share of the covers that are transplants, shadows included
OWN_OPACITY = 0.4  # share of the other covers with the opacity of their donor
TRIALS, HIDDEN_SHARE = 60, (0.15, 0.65)  # of covers that a model is scored under
HAZY = 0.2  # share of the covers with haze on top


@dataclass(frozen=True)
class CloudTransplant:
    """The effect of clouds on the clear image below them, to be applied to another one.

    `added` is the light they add and `left` the share of the ground's light that they leave, both
    (band, y, x); where `opacity` (1, y, x) is 1, only `cloudy` shows.
    """

    cloudy: Float32
    added: Float32
    left: Float32
    opacity: Float32


@dataclass
class CloudSources:
    """Cloudy images, those of them that show cloud alone, and transplants of pairs of images."""

    cloudy: list[Float32] = field(default_factory=list)
    overcast: list[Float32] = field(default_factory=list)
    transplants: list[CloudTransplant] = field(default_factory=list)

    def add(self, cloudy: Float32, clear: Float32 | None) -> None:
        """Add a cloudy image, with the clear image of the same ground if there is one."""
        self.cloudy.append(cloudy)
        if image_cloud_score(cloudy).mean() > OVERCAST:
            self.overcast.append(cloudy)
        if clear is not None:
            self.transplants.append(cut_transplant(cloudy, clear))


def cut_transplant(cloudy: Float32, clear: Float32) -> CloudTransplant:
    """Take clouds, haze and shadows off a pair of images of two dates.

    A difference away from all three is change of the ground between the dates, and is left out.
    Where cloud adds light it takes as much of the ground's as it covers, else texture below it
    would be as strong as in the open.
    """
    score = image_cloud_score(cloudy)
    change = cloudy - clear
    untouched = score < 0.05
    if untouched.mean() > 0.05:  # a high quantile, as many of these pixels lie in shadow
        change -= np.quantile(change[:, untouched], 0.7, axis=1)[:, None, None]
    smooth = blur(change, 3.0)  # thin cloud is smooth, finer detail is the ground
    change = smooth + np.clip(score / 0.3, 0.0, 1.0) * (change - smooth)
    lit = np.clip(1.0 + np.minimum(change, 0.0) / np.maximum(clear, 0.02), 0.1, 1.0)
    in_shadow = np.clip((0.85 - np.maximum(lit[NEAR_INFRARED], lit[SHORT_WAVE])) / 0.15, 0.0, 1.0)
    present = blur(np.maximum(np.clip((score - 0.03) / 0.1, 0.0, 1.0), in_shadow)[None], 3.0)
    covered = np.clip(change / np.maximum(CLOUD - clear, 0.1), 0.0, 0.9)
    left, added = 1.0 + present * (lit * (1.0 - covered) - 1.0), present * covered * CLOUD
    opacity = np.clip((score - 0.3) / 0.3, 0.0, 1.0)[None]
    return CloudTransplant(cloudy, *(image.astype(np.float32) for image in (added, left, opacity)))


def lay_clouds(rng: Random, clear: Float32, sources: CloudSources) -> Float32:
    """Lay clouds, haze or a total cover over a square clear image, often with shadows."""
    if rng.random() < TRANSPLANTED and sources.transplants:
        mixed = _transplant(rng, clear, sources.transplants)
    else:
        mixed = _cover(rng, clear, sources)
    if rng.random() < HAZY:
        mixed = _add_haze(rng, mixed)
    covered: Float32 = np.clip(mixed, 0.0, 1.0).astype(np.float32)
    return covered


def cover_partly(
    key: tuple[int, ...], clear: Float32, sources: CloudSources, times: int
) -> Iterator[tuple[Float32, NDArray[np.bool_]]]:
    """Lay clouds over a clear image, each time so that they hide between 15 and 65 % of it.

    Bright ground that the score takes for cloud without any is not hidden.

    Yields cloudy images and their hidden pixels, (y, x): `times` of them, or fewer where 60 trials
    do not suffice. A trial is drawn from `key` and its number.
    """
    found, clouded_already = 0, hidden_ground(clear)
    for trial in range(TRIALS):
        cloudy = lay_clouds(np.random.default_rng((*key, trial)), clear, sources)
        hidden = hidden_ground(cloudy) & ~clouded_already
        if HIDDEN_SHARE[0] < hidden.mean() < HIDDEN_SHARE[1]:
            yield cloudy, hidden
            found += 1
        if found == times:
            return


def _transplant(rng: Random, clear: Float32, transplants: Sequence[CloudTransplant]) -> Float32:
    """Do to a clear image what clouds and their shadows did to another one."""
    own = transplants[int(rng.integers(len(transplants)))]
    images = [own.cloudy, own.added, own.left, own.opacity]
    cloudy, added, left, opacity = _donor_window(rng, images, clear.shape[1])
    strength = rng.uniform(0.8, 1.15)
    seen = clear * left + strength * added
    mixed: Float32 = opacity * cloudy * strength + (1.0 - opacity) * seen
    return mixed


def _cover(rng: Random, clear: Float32, sources: CloudSources) -> Float32:
    """Mix a clear image with a cloudy one, by the opacity of its clouds or a drawn one."""
    size, own = clear.shape[1], rng.random() < OWN_OPACITY
    donors = sources.cloudy if own or not sources.overcast else sources.overcast
    (donor,) = _donor_window(rng, [donors[int(rng.integers(len(donors)))]], size)
    if own:
        opacity = np.clip(image_cloud_score(donor) * rng.uniform(2.0, 4.0), 0.0, 1.0)
    else:
        opacity = _draw_opacity(rng, size)
    opacity = cv2.GaussianBlur(opacity, (0, 0), rng.uniform(0.5, 2.0))
    ground = _cast_shadow(rng, clear, opacity) if rng.random() < 0.6 else clear
    cloud = donor * rng.uniform(0.7, 1.1)
    if rng.random() < 0.5 or opacity.max() < 0.7:  # thin cloud shows no texture of its donor
        cloud = opacity * cloud + (1.0 - opacity) * blur(cloud, 8.0)
    mixed: Float32 = opacity * cloud + (1.0 - opacity) * ground
    return mixed


def _donor_window(rng: Random, images: list[Float32], size: int) -> list[Float32]:
    """Cut the same window from all images, in half of the cases an enlarged one."""
    taken = size if rng.random() < 0.5 else int(size * rng.uniform(0.5, 1.0))
    windows = random_window(rng, images, taken)
    return windows if taken == size else [_enlarge(window, size) for window in windows]


def random_window(rng: Random, images: Sequence[Float32], size: int) -> list[Float32]:
    """Cut the same random square from images of one size, then turn and mirror it at random."""
    y, x = (int(rng.integers(length - size + 1)) for length in images[0].shape[1:])
    turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
    windows = [np.rot90(image[:, y : y + size, x : x + size], turns, (1, 2)) for image in images]
    return [np.ascontiguousarray(w[:, :, ::-1] if mirror else w) for w in windows]


def _enlarge(window: Float32, size: int) -> Float32:
    """Resample a (band, y, x) window to (band, size, size)."""
    stretched = [cv2.resize(band, (size, size), interpolation=cv2.INTER_CUBIC) for band in window]
    enlarged: Float32 = np.clip(np.stack(stretched), 0.0, 1.0)
    return enlarged


def _add_haze(rng: Random, image: Float32) -> Float32:
    """Add the light of an aerosol, which falls with a power of the wavelength."""
    spread = 0.6 + 0.4 * blur(fractal_noise(rng, image.shape[1])[None], 8.0)
    amount = rng.uniform(0.02, 0.2) * spread
    colour = (WAVELENGTHS_UM / WAVELENGTHS_UM[BLUE]) ** -rng.uniform(0.5, 2.5)
    hazy: Float32 = image * (1.0 - amount) + amount * colour.astype(np.float32)
    return hazy


def _draw_opacity(rng: Random, size: int) -> Float32:
    """Draw the opacity (y, x) of broken clouds, of haze, or of a total cover."""
    noise, kind = fractal_noise(rng, size), rng.random()
    if kind < 0.6:
        start = rng.uniform(0.0, 0.8)
        opacity = np.clip((noise - start) / rng.uniform(0.05, 0.4), 0.0, 1.0)
    elif kind < 0.85:
        opacity = noise * rng.uniform(0.1, 0.7) + rng.uniform(0.0, 0.15)
    else:
        opacity = np.ones_like(noise)
    drawn: Float32 = opacity.astype(np.float32)
    return drawn


def _cast_shadow(rng: Random, clear: Float32, opacity: Float32) -> Float32:
    """Darken the ground where the displaced clouds take its light.

    In the blue much of the light comes from the sky, and some from the air before the ground.
    """
    dy, dx = rng.uniform(-60.0, 60.0, 2)
    matrix = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])
    shadow = cv2.warpAffine(opacity, matrix, opacity.shape[::-1], borderMode=cv2.BORDER_REFLECT)
    shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(1.0, 3.0))
    direct = 1.0 - 0.65 * (WAVELENGTHS_UM / WAVELENGTHS_UM[0]) ** -2.5
    depth = rng.uniform(0.35, 0.85) * direct.astype(np.float32)
    darkened: Float32 = (clear * (1.0 - shadow * depth)).astype(np.float32)
    return darkened


def fractal_noise(rng: Random, size: int) -> Float32:
    """Draw a cloud-like field (size, size), values spread evenly over 0-1."""
    total = np.zeros((size, size), np.float32)
    cells = int(rng.integers(2, 6))
    amplitude, falloff = 1.0, rng.uniform(0.4, 0.65)
    while cells <= size // 2:
        grid = rng.normal(0.0, amplitude, (cells, cells)).astype(np.float32)
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
        cells, amplitude = cells * 2, amplitude * falloff
    low, high = np.quantile(total[::4, ::4], [0.02, 0.98])
    noise: Float32 = np.clip((total - low) / (high - low), 0.0, 1.0).astype(np.float32)
    return noise


def find_shadow(optical: Float32, clear: Float32) -> NDArray[np.uint8]:
    """Where an image is darker in the infrared than the same ground in full light: 1, (y, x)."""
    dark = [optical[band] < SHADED * clear[band] for band in (NEAR_INFRARED, SHORT_WAVE)]
    return np.asarray(cv2.medianBlur((dark[0] & dark[1]).astype(np.uint8), 5), dtype=np.uint8)
