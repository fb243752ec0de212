"""Training samples: real windows, and windows with simulated clouds, haze and shadows.

Samples are of five kinds: real triplets; simulated scenes; clear patches with SAR under simulated
clouds; patches without SAR (the SAR is then 0); and plain sea under simulated calm-water SAR, so
that nothing is invented there. Clouds are transplanted in the shape they have in another image, or
given a drawn shape.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from patches import CloudTransplant, Library, Patch, score_clouds

from cloudfree.core.radiometry import Float32 as Image
from cloudfree.networks.cloudfree_s import CLOUDY_SCORE
from cloudfree.simulation.imagined_radar import blur

WAVELENGTHS_UM = np.array(
    [0.443, 0.49, 0.56, 0.665, 0.705, 0.74, 0.783, 0.842, 0.865, 0.945, 1.375, 1.61, 2.19]
)[:, None, None]

# Shares of the kinds of samples, by what they are called in the library.
KINDS = {"simulated": 0.45, "real": 0.04, "targets": 0.11, "bare": 0.34, "sea": 0.06}
SHADED = 0.8  # share of the infrared light of the ground, below which it lies in shadow


# --- samples ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """One training sample: inputs and target of the same window."""

    optical: Image
    sar: Image
    clear: Image
    shadow: Image


def pick(rng: np.random.Generator, patches: list[Patch]) -> Patch:
    """Pick one patch."""
    return patches[int(rng.integers(len(patches)))]


def crop(rng: np.random.Generator, images: list[Image], size: int) -> list[Image]:
    """Cut the same random window from all images, then turn and mirror it at random."""
    y, x = (int(rng.integers(length - size + 1)) for length in images[0].shape[1:])
    turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
    windows = [np.rot90(image[:, y : y + size, x : x + size], turns, (1, 2)) for image in images]
    return [np.ascontiguousarray(w[:, :, ::-1] if mirror else w) for w in windows]


def make_sample(rng: np.random.Generator, library: Library, size: int) -> Sample:
    """Make one sample of a kind that is drawn by the shares of all.

    For three in four of the places without SAR it is imagined, for the others it is 0.
    Half the ground under simulated clouds gets a colour of its own, so that the only way to know
    it is to look at the clear surroundings.
    """
    kind = list(KINDS)[int(rng.choice(len(KINDS), p=list(KINDS.values())))]
    if kind == "simulated":
        return make_simulated(rng, library, size)
    patch = pick(rng, getattr(library, kind))
    assert patch.clear is not None
    sar = patch.sar
    if sar is None:
        sar = stand_in(rng, library, patch.clear, is_sea=kind == "sea")
    own_clouds = kind == "real" or (kind != "targets" and rng.random() < 0.25)
    if own_clouds and patch.cloudy is not None:
        images = [patch.clear, sar, patch.cloudy, patch.shadow]
        clear, sar, optical, shadow = crop(rng, images, size)
    else:
        clear, sar = crop(rng, [patch.clear, sar], size)
        if rng.random() < 0.5:
            clear = tint(rng, clear)
        optical = simulate_clouds(rng, clear, library)
        shadow = know_shadow(rng, optical, clear)
    return jitter(rng, Sample(optical, sar, clear, shadow))


def know_shadow(rng: np.random.Generator, optical: Image, clear: Image) -> Image:
    """Tell where shadows lie, (1, y, x), as well as a mask does: with margins, and at times wrong.

    One in eight masks knows of none, one in eight takes clear ground for shadow, and two in eight
    dark ground, such as water.
    """
    shadow = find_shade(optical, clear)
    luck = rng.random()
    if luck < 0.125:
        shadow[:] = 0
    elif luck < 0.25:
        shadow |= (fractal_noise(rng, shadow.shape[0]) > rng.uniform(0.7, 1.0)).astype(np.uint8)
    elif luck < 0.5:
        shadow |= darkest(clear, rng.uniform(0.05, 0.3))
    told = grown(shadow, int(rng.integers(0, 5)))
    if rng.random() < 0.5:  # where both reach the ring around a cloud is cloud
        cloud = (score_clouds(optical) >= CLOUDY_SCORE).astype(np.uint8)
        told &= 1 - grown(cloud, int(rng.integers(0, 6)))
    return told[None].astype(np.float32)


def darkest(clear: Image, share: float) -> NDArray[np.uint8]:
    """The share of an image that is darkest in the infrared: (y, x)."""
    smooth = cv2.GaussianBlur(clear[7], (0, 0), 2.0)
    return (smooth < np.quantile(smooth, share)).astype(np.uint8)


def grown(mask: NDArray[np.uint8], margin: int) -> NDArray[np.uint8]:
    """Grow a mask (y, x) by a margin in pixels."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    return cv2.dilate(mask, disc).astype(np.uint8)


def find_shade(optical: Image, clear: Image) -> NDArray[np.uint8]:
    """Find where an image is darker in the infrared than the same ground in full light: (y, x)."""
    dark = [optical[band] < SHADED * clear[band] for band in (7, 11)]
    return cv2.medianBlur((dark[0] & dark[1]).astype(np.uint8), 5)


def stand_in(rng: np.random.Generator, library: Library, clear: Image, is_sea: bool) -> Image:
    """Stand in for the SAR of a clear image: calm water, imagined, or 0 for none."""
    if is_sea and rng.random() < 0.8:
        return sea_sar(rng)
    if not is_sea and library.radar and rng.random() < 0.75:
        return library.radar.draw(rng, clear)
    return np.zeros((2, 256, 256), np.float32)


def tint(rng: np.random.Generator, clear: Image) -> Image:
    """Multiply a clear image by a gain that varies smoothly over the bands, and a little more."""
    place = np.linspace(-1.0, 1.0, clear.shape[0])
    level, slope, bend = rng.normal(0.0, (0.25, 0.2, 0.15))
    exponent = level + slope * place + bend * (2 * place**2 - 1)
    exponent += rng.normal(0.0, 0.1, clear.shape[0])
    coloured: Image = np.clip(clear * np.exp(exponent)[:, None, None], 0.0, 0.9).astype(np.float32)
    return coloured


def make_simulated(rng: np.random.Generator, library: Library, size: int) -> Sample:
    """Make one sample of a simulated scene: three in four under its own clouds."""
    patch = pick(rng, library.simulated)
    assert patch.clear is not None and patch.cloudy is not None and patch.sar is not None
    clear, sar, cloudy = crop(rng, [patch.clear, patch.sar, patch.cloudy], size)
    optical = cloudy if rng.random() < 0.75 else simulate_clouds(rng, clear, library)
    return jitter(rng, Sample(optical, sar, clear, know_shadow(rng, optical, clear)))


def sea_sar(rng: np.random.Generator) -> Image:
    """Simulate the backscatter of open water, scaled to 0-1: level by wind, swell, speckle."""
    wind = rng.uniform(0.0, 1.0)
    level = np.array([0.1 + 0.35 * wind, 0.08 + 0.25 * wind], np.float32)[:, None, None]
    swell = rng.uniform(0.0, 0.06) * (fractal_noise(rng, 256) - 0.5)
    speckle = rng.normal(0.0, rng.uniform(0.02, 0.07), (2, 256, 256))
    return np.clip(level + swell + speckle, 0.0, 1.0).astype(np.float32)


def jitter(rng: np.random.Generator, sample: Sample) -> Sample:
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
    return Sample(optical, sar, clear, sample.shadow)


# --- simulated clouds ---------------------------------------------------------------------------


def fractal_noise(rng: np.random.Generator, size: int) -> Image:
    """Draw a cloud-like field (size, size), values spread evenly over 0-1."""
    total = np.zeros((size, size), np.float32)
    cells = int(rng.integers(2, 6))
    amplitude, falloff = 1.0, rng.uniform(0.4, 0.65)
    while cells <= size // 2:
        grid = rng.normal(0.0, amplitude, (cells, cells)).astype(np.float32)
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
        cells, amplitude = cells * 2, amplitude * falloff
    low, high = np.quantile(total[::4, ::4], [0.02, 0.98])
    noise: Image = np.clip((total - low) / (high - low), 0.0, 1.0).astype(np.float32)
    return noise


def donor_window(rng: np.random.Generator, images: list[Image], size: int) -> list[Image]:
    """Cut the same window from all images, sometimes enlarged."""
    taken = size if rng.random() < 0.5 else int(size * rng.uniform(0.5, 1.0))
    windows = crop(rng, images, taken)
    return windows if taken == size else [enlarge(window, size) for window in windows]


def enlarge(window: Image, size: int) -> Image:
    """Resample a (band, y, x) window to (band, size, size)."""
    stretched = [cv2.resize(band, (size, size), interpolation=cv2.INTER_CUBIC) for band in window]
    enlarged: Image = np.clip(np.stack(stretched), 0.0, 1.0)
    return enlarged


def simulate_clouds(rng: np.random.Generator, clear: Image, library: Library) -> Image:
    """Lay clouds, haze or a total cover over a clear image, often with shadows."""
    if rng.random() < 0.4:
        mixed = transplant(rng, clear, library.veils)
    else:
        mixed = cover(rng, clear, library)
    if rng.random() < 0.2:
        mixed = add_haze(rng, mixed)
    covered: Image = np.clip(mixed, 0.0, 1.0).astype(np.float32)
    return covered


def transplant(rng: np.random.Generator, clear: Image, veils: list[CloudTransplant]) -> Image:
    """Do to a clear image what clouds and their shadows did to another one."""
    veil = veils[int(rng.integers(len(veils)))]
    images = [veil.cloudy, veil.added, veil.left, veil.opacity]
    cloudy, added, left, opacity = donor_window(rng, images, clear.shape[1])
    strength = rng.uniform(0.8, 1.15)
    seen = clear * left + strength * added
    mixed: Image = opacity * cloudy * strength + (1.0 - opacity) * seen
    return mixed


def cover(rng: np.random.Generator, clear: Image, library: Library) -> Image:
    """Mix a clear image with cloudy ones, by the clouds' own opacity or a drawn one."""
    size, own = clear.shape[1], rng.random() < 0.4
    donors = library.donors if own else library.white
    (donor,) = donor_window(rng, [donors[int(rng.integers(len(donors)))]], size)
    if own:
        opacity = np.clip(score_clouds(donor) * rng.uniform(2.0, 4.0), 0.0, 1.0)
    else:
        opacity = draw_opacity(rng, size)
    opacity = cv2.GaussianBlur(opacity, (0, 0), rng.uniform(0.5, 2.0))
    ground = cast_shadow(rng, clear, opacity) if rng.random() < 0.6 else clear
    cloud = donor * rng.uniform(0.7, 1.1)
    if rng.random() < 0.5 or opacity.max() < 0.7:  # thin cloud shows no texture of its donor
        cloud = opacity * cloud + (1.0 - opacity) * blur(cloud, 8.0)
    mixed: Image = opacity * cloud + (1.0 - opacity) * ground
    return mixed


def add_haze(rng: np.random.Generator, image: Image) -> Image:
    """Add the light of an aerosol, which falls with a power of the wavelength."""
    spread = 0.6 + 0.4 * blur(fractal_noise(rng, image.shape[1])[None], 8.0)
    amount = rng.uniform(0.02, 0.2) * spread
    colour = (WAVELENGTHS_UM / WAVELENGTHS_UM[1]) ** -rng.uniform(0.5, 2.5)
    hazy: Image = image * (1.0 - amount) + amount * colour.astype(np.float32)
    return hazy


def draw_opacity(rng: np.random.Generator, size: int) -> Image:
    """Draw the opacity (y, x) of broken clouds, of haze, or of a total cover."""
    noise, kind = fractal_noise(rng, size), rng.random()
    if kind < 0.6:
        start = rng.uniform(0.0, 0.8)
        opacity = np.clip((noise - start) / rng.uniform(0.05, 0.4), 0.0, 1.0)
    elif kind < 0.85:
        opacity = noise * rng.uniform(0.1, 0.7) + rng.uniform(0.0, 0.15)
    else:
        opacity = np.ones_like(noise)
    drawn: Image = opacity.astype(np.float32)
    return drawn


def cast_shadow(rng: np.random.Generator, clear: Image, opacity: Image) -> Image:
    """Darken the ground where the displaced clouds take its light.

    In the blue much of the light comes from the sky, and some from the air before the ground.
    """
    dy, dx = rng.uniform(-60.0, 60.0, 2)
    matrix = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])
    shadow = cv2.warpAffine(opacity, matrix, opacity.shape[::-1], borderMode=cv2.BORDER_REFLECT)
    shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(1.0, 3.0))
    direct = 1.0 - 0.65 * (WAVELENGTHS_UM / WAVELENGTHS_UM[0]) ** -2.5
    depth = rng.uniform(0.35, 0.85) * direct.astype(np.float32)
    darkened: Image = (clear * (1.0 - shadow * depth)).astype(np.float32)
    return darkened
