"""Band names: one spelling inside the program, many in the files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cloudfree.errors import ErrorCode, InputError

# Sentinel-2 MSI bands in the order of the L1C product (S2 Products Specification Document,
# PSD-14.9, band_id 0 to 12).
OPTICAL_BANDS = (
    "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12",
)  # fmt: skip
SAR_BANDS = ("VV", "VH")

# The only unambiguous band counts: L1C has all bands, L2A all but the cirrus band.
_POSITIONAL = {
    13: OPTICAL_BANDS,
    12: tuple(band for band in OPTICAL_BANDS if band != "B10"),
}

# Common names of the STAC electro-optical extension (v1.1.0).
_COMMON_NAMES = {
    "COASTAL": "B01", "BLUE": "B02", "GREEN": "B03", "RED": "B04", "REDEDGE1": "B05",
    "REDEDGE2": "B06", "REDEDGE3": "B07", "NIR": "B08", "NIR08": "B8A", "NIR09": "B09",
    "CIRRUS": "B10", "SWIR16": "B11", "SWIR22": "B12",
    # Since version 2 of the extension.
    "REDEDGE071": "B05", "REDEDGE075": "B06", "REDEDGE078": "B07",
}  # fmt: skip

# The bands of true colour, as GDAL calls what they show.
TRUE_COLOUR = {"B04": "red", "B03": "green", "B02": "blue"}
# GDAL's name for what any other band shows.
NO_COLOUR = "undefined"

_BAND_CODE = re.compile(r"^B0?(8A|[1-9]|1[0-2])(?![0-9A-Z])", re.IGNORECASE)
# A polarisation as a word of a name or description.
POLARISATION = re.compile(r"(?<![A-Z])(VV|VH)(?![A-Z])", re.IGNORECASE)
# Horizontal transmission, which no model is trained on.
_HORIZONTAL = re.compile(r"(?<![A-Z])(HH|HV)(?![A-Z])", re.IGNORECASE)
_OTHER_SCENE = "choose a scene with VV and VH: HH and HV show the ground differently"
_NAME_THEM = "name the bands VV and VH, put A_VH.tif next to A_VV.tif, or give their folder"


def optical_band(description: str | None) -> str | None:
    """The optical band that a description names, as `B8A, central wavelength 865 nm` names B8A."""
    text = (description or "").strip()
    if code := _BAND_CODE.match(text):
        number = code.group(1).upper()
        return "B8A" if number == "8A" else f"B{int(number):02d}"
    return _COMMON_NAMES.get(re.sub(r"[^A-Z0-9]", "", text.upper()))


def colour_interpretation(bands: Sequence[str | None]) -> tuple[str, ...]:
    """What GDAL and QGIS show each band of a file as, by its name: red, green, blue or nothing."""
    return tuple(TRUE_COLOUR.get(band or "", NO_COLOUR) for band in bands)


def polarisation(description: str | None) -> str | None:
    """The polarisation that a description names, as `sigma0_vv_db` names VV."""
    found = POLARISATION.findall(description or "")
    return found[0].upper() if len(set(map(str.upper, found))) == 1 else None


def find_optical_bands(descriptions: Sequence[str | None]) -> dict[str, int]:
    """Index, from 0, of each optical band in a file, by band name.

    Names decide; a file without names is read by position if its count is unambiguous.

    Raises
    ------
    InputError
        Two bands of one name, or no names and an ambiguous count.
    """
    names = [optical_band(text) for text in descriptions]
    if any(names):
        return _index_once(names)
    if order := _POSITIONAL.get(len(descriptions)):
        return {band: index for index, band in enumerate(order)}
    raise InputError(
        f"{len(descriptions)} bands without names of Sentinel-2 bands",
        wanted="band descriptions such as B02, or 13 (L1C) or 12 (L2A) bands in product order",
        hint="name the bands, for example with `rio edit-info --bidx 1 --description B02`",
        code=ErrorCode.MISSING_BAND,
    )


def find_polarisations(descriptions: Sequence[str | None]) -> dict[str, int]:
    """Index, from 0, of VV and VH, or of one of them, in a file, by polarisation.

    Two bands without any name are taken for VV and VH in this order.

    Raises
    ------
    InputError
        A polarisation twice, none at all, or no names and a count other than two.
    """
    if not any(descriptions) and len(descriptions) == len(SAR_BANDS):
        return {band: index for index, band in enumerate(SAR_BANDS)}
    found = _index_once([polarisation(text) for text in descriptions])
    if found:
        return found
    horizontal = any(_HORIZONTAL.search(text or "") for text in descriptions)
    raise InputError(
        f"Sentinel-1 bands {[text or 'unnamed' for text in descriptions]}",
        wanted="one VV and one VH band, or one of them",
        hint=_OTHER_SCENE if horizontal else _NAME_THEM,
        code=ErrorCode.MISSING_BAND,
    )


def _index_once(names: Sequence[str | None]) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        if name is None:
            continue
        if name in found:
            raise InputError(
                f"band {name} twice (bands {found[name] + 1} and {index + 1})",
                wanted="every band once",
                hint="remove or rename one of the two bands",
            )
        found[name] = index
    return found
