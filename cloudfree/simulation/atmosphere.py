"""What clouds, haze and shadows do to the light on its way to the sensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.sensors import PATH, coarsened

# Top-of-atmosphere reflectance in the order of the L1C bands. Low cloud of water drops is white in
# the visible, absorbs in the short-wave infrared and lies below the vapour that blackens B10; thin
# high ice adds least in the short-wave infrared and shows in B10, where the ground does not.
# Source: rounded typical values of thick cumulus and of cirrus in Sentinel-2 L1C scenes.
LOW_CLOUD = np.array(
    [0.860, 0.875, 0.860, 0.920, 0.925, 0.950, 0.990, 0.950, 1.010, 0.300, 0.004, 0.700, 0.500],
    dtype=np.float32,
)
CIRRUS = np.array(
    [0.900, 0.880, 0.850, 0.860, 0.850, 0.840, 0.830, 0.830, 0.820, 0.780, 0.330, 0.280, 0.260],
    dtype=np.float32,
)
# Haze so dense that no ground is seen: nearly white; vapour above it blackens B10 and dims B09.
HAZE = np.array(
    [0.480, 0.480, 0.470, 0.470, 0.470, 0.470, 0.470, 0.470, 0.470, 0.200, 0.001, 0.420, 0.380],
    dtype=np.float32,
)
# Share of the light on the ground that comes from the sky and from clouds beside, not from the sun.
DIFFUSE = np.array(
    [0.62, 0.54, 0.46, 0.40, 0.38, 0.37, 0.36, 0.36, 0.35, 0.35, 0.50, 0.29, 0.26],
    dtype=np.float32,
)

# Central wavelengths of Sentinel-2A in micrometres (S2 PSD-14.9, spectral response functions).
WAVELENGTHS_UM = np.array(
    [0.443, 0.492, 0.560, 0.665, 0.704, 0.741, 0.783, 0.833, 0.865, 0.945, 1.374, 1.614, 2.202],
    dtype=np.float32,
)
# Where optical depth of haze is stated, and how it falls with wavelength over land as a rule.
# Source: Angstrom, "On the atmospheric transmission of sun radiation and on dust in the air"
# (Geografiska Annaler 11, 1929): depth = depth at a reference * (wavelength / reference)^-exponent.
REFERENCE_UM = 0.55
ANGSTROM = 1.3


@dataclass(frozen=True)
class Atmosphere:
    """Clouds over a scene; arrays (y, x), opacities and shares 0-1.

    `low` and `cirrus` are opacities as the sensor sees them, `haze` is an optical depth at 0.55 um
    that falls with wavelength by the exponent `angstrom`. `dimming` is the share of the sun's light
    that low clouds keep from the ground, `relief` the brightness of cloud tops around 1. `colour`
    is the reflectance of low cloud, (13, y, x) or (13, 1, 1) in the order of the L1C bands.
    """

    low: Float32
    cirrus: Float32
    haze: Float32
    dimming: Float32
    relief: Float32
    colour: Float32 = field(default_factory=lambda: LOW_CLOUD[:, None, None])
    angstrom: float = ANGSTROM

    @property
    def mask(self) -> Mask:
        """Cloud where there is any, haze too; shadow where only the sun is dimmed, else clear."""
        mask = np.full(self.low.shape, MaskClass.CLEAR, dtype=np.uint8)
        mask[self.dimming > 0] = MaskClass.SHADOW
        mask[(self.low > 0) | (self.cirrus > 0) | (self.haze > 0)] = MaskClass.CLOUD
        return mask


def apply_atmosphere(
    clear: Float32, atmosphere: Atmosphere, bands: Sequence[str] = OPTICAL_BANDS
) -> Float32:
    """Reflectance, (band, y, x), of a `clear` scene under an atmosphere.

    Clear sky changes nothing, and pixels without data (NaN) stay without. From the ground up:
    shadow, haze, low cloud, cirrus.
    """
    cloudy = np.empty_like(clear)
    for position, band in enumerate(bands):
        index = OPTICAL_BANDS.index(band)
        ground = shaded(clear[position], atmosphere.dimming, band)
        hidden = haze_opacity(atmosphere.haze, band, atmosphere.angstrom)
        ground = _veiled(ground, _within(hidden, band), HAZE[index])
        tops = coarsened(atmosphere.relief, band) * atmosphere.colour[index]
        ground = _veiled(ground, _within(atmosphere.low, band), tops)
        cloudy[position] = _veiled(ground, _within(atmosphere.cirrus, band), CIRRUS[index])
    return cloudy


def shaded(plane: Float32, dimming: Float32, band: str) -> Float32:
    """A clear band, (y, x), in the shadow of clouds.

    The light of the sky stays, and so does what the air scatters before it reaches the ground.
    """
    index = OPTICAL_BANDS.index(band)
    taken = (1.0 - DIFFUSE[index]) * _within(dimming, band)
    return np.asarray(plane - np.maximum(plane - PATH[index], 0.0) * taken, dtype=np.float32)


def haze_opacity(depth: Float32, band: str, angstrom: float = ANGSTROM) -> Float32:
    """Opacity in a band of haze with an optical `depth` at 0.55 um."""
    wavelength = float(WAVELENGTHS_UM[OPTICAL_BANDS.index(band)])
    return np.asarray(-np.expm1(-depth * (wavelength / REFERENCE_UM) ** -angstrom), np.float32)


def _veiled(ground: Float32, opacity: Float32, colour: Float32 | np.float32) -> Float32:
    return np.asarray(ground + opacity * (colour - ground), dtype=np.float32)


def _within(plane: Float32, band: str) -> Float32:
    """A plane at the band's resolution, kept from leaking out of where it is above 0."""
    return np.asarray(coarsened(plane, band) * (plane > 0), dtype=np.float32)
