"""What the optical bands measure: their common names and their places in the spectrum.

Source: Sentinel-2 User Handbook and the table "Spectral bands" of the MSI instrument overview, ESA,
for Sentinel-2A; those of 2B and 2C differ by a few nanometres. Common names: STAC electro-optical
extension v2.0.0.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SpectralBand:
    """A band's common name, and its centre and full width at half maximum in micrometres."""

    common_name: str
    centre_um: float
    width_um: float


SPECTRAL_BANDS = {
    "B01": SpectralBand("coastal", 0.4427, 0.021),
    "B02": SpectralBand("blue", 0.4924, 0.066),
    "B03": SpectralBand("green", 0.5598, 0.036),
    "B04": SpectralBand("red", 0.6646, 0.031),
    "B05": SpectralBand("rededge071", 0.7041, 0.015),
    "B06": SpectralBand("rededge075", 0.7405, 0.015),
    "B07": SpectralBand("rededge078", 0.7828, 0.020),
    "B08": SpectralBand("nir", 0.8328, 0.106),
    "B8A": SpectralBand("nir08", 0.8647, 0.021),
    "B09": SpectralBand("nir09", 0.9451, 0.020),
    "B10": SpectralBand("cirrus", 1.3735, 0.031),
    "B11": SpectralBand("swir16", 1.6137, 0.091),
    "B12": SpectralBand("swir22", 2.2024, 0.175),
}
