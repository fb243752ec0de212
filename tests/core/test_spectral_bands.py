"""Where the bands lie in the spectrum."""

from __future__ import annotations

from itertools import pairwise

from cloudfree.core.bands import OPTICAL_BANDS, optical_band
from cloudfree.core.spectral_bands import SPECTRAL_BANDS


def test_every_band_has_a_place_and_its_common_name_names_it() -> None:
    assert tuple(SPECTRAL_BANDS) == OPTICAL_BANDS
    assert all(optical_band(one.common_name) == band for band, one in SPECTRAL_BANDS.items())


def test_bands_of_full_resolution_do_not_overlap() -> None:
    edges = [
        (one.centre_um - one.width_um / 2, one.centre_um + one.width_um / 2)
        for band, one in SPECTRAL_BANDS.items()
        if band in ("B02", "B03", "B04", "B08")
    ]
    assert all(before[1] < after[0] for before, after in pairwise(edges))
