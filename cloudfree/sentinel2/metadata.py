"""The XML metadata of Sentinel-2 products: MTD_MSIL1C.xml, MTD_MSIL2A.xml and MTD_TL.xml.

Source: S2 Products Specification Document, PSD-14.9. Elements are found by name anywhere,
as their paths differ between baselines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from cloudfree.core.acquisition import Acquisition
from cloudfree.core.iso_time import utc_time
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.product_files import parse_xml
from cloudfree.sentinel2.offset import OffsetEvidence, baseline_evidence, stated_offsets
from cloudfree.sentinel2.product import Level, product_name

# L1C and L2A call the same things by different names.
_QUANTIFICATION = (
    "QUANTIFICATION_VALUE",
    "BOA_QUANTIFICATION_VALUE",
    "L2A_BOA_QUANTIFICATION_VALUE",
)
_ADD_OFFSET = ("RADIO_ADD_OFFSET", "BOA_ADD_OFFSET")
_PRODUCT_URI = ("PRODUCT_URI", "PRODUCT_URI_2A", "PRODUCT_URI_1C")
_ANY = (-1e9, 1e9)
# In the cycle of ten days.
_ORBITS = 143
_SENSED = ("PRODUCT_START_TIME", "DATATAKE_SENSING_START")


@dataclass(frozen=True)
class ProductMetadata:
    """Contents of the metadata file of a product; None if unknown."""

    level: Level | None
    baseline: str | None
    quantification: float | None
    nodata: float | None
    saturated: float | None
    acquisition: Acquisition
    evidence: tuple[OffsetEvidence, ...]


def product_metadata(text: bytes, name: str) -> ProductMetadata:
    """Parse a MTD_MSIL1C.xml or MTD_MSIL2A.xml; `name` is the file's.

    Raises
    ------
    InputError
        It is no such XML.
    """
    root = parse_xml(text, name)
    level, baseline = _level(root), _text(root, "PROCESSING_BASELINE")
    if level is None and not _values(root, *_QUANTIFICATION):
        raise InputError(
            f"{name} is not about Sentinel-2 pixels ({_local(root.tag)})",
            wanted="MTD_MSIL1C.xml or MTD_MSIL2A.xml",
            hint="give the product's folder, or its metadata file",
        )
    special = _special_values(root, name)
    return ProductMetadata(
        level=level,
        baseline=baseline,
        quantification=next(iter(_numbers(root, name, *_QUANTIFICATION)), None),
        nodata=special.get("NODATA"),
        saturated=special.get("SATURATED"),
        acquisition=_acquisition(root, name),
        evidence=_evidence(root, baseline, name),
    )


def sun_azimuth_deg(text: bytes, name: str) -> float | None:
    """Sun azimuth, clockwise from north, in a MTD_TL.xml; None if unknown."""
    for sun in _elements(parse_xml(text, name), "Mean_Sun_Angle"):
        return next(iter(_numbers(sun, name, "AZIMUTH_ANGLE", within=(0, 360))), None)
    return None


def _evidence(root: Element, baseline: str | None, name: str) -> tuple[OffsetEvidence, ...]:
    """The offsets, or the old baseline that has none."""
    what = next((word for word in _ADD_OFFSET if _values(root, word)), _ADD_OFFSET[0])
    if stated := stated_offsets("metadata", _numbers(root, name, what), what, name):
        return stated
    return (baseline_evidence("metadata", baseline, name),) if baseline else ()


def _acquisition(root: Element, name: str) -> Acquisition:
    direction = _text(root, "SENSING_ORBIT_DIRECTION")
    orbits = _numbers(root, name, "SENSING_ORBIT_NUMBER", within=(1, _ORBITS))
    uri = next(iter(_values(root, *_PRODUCT_URI)), None)
    named = product_name([uri or ""])
    return Acquisition(
        product=named.text if named else uri,
        platform=_text(root, "SPACECRAFT_NAME"),
        acquired=utc_time(next(iter(_values(root, *_SENSED)), None)),
        orbit_direction=direction.lower() if direction else None,
        relative_orbit=int(orbits[0]) if orbits else None,
    )


def _level(root: Element) -> Level | None:
    text = _text(root, "PROCESSING_LEVEL") or ""
    return "L1C" if text.startswith("Level-1C") else "L2A" if text.startswith("Level-2A") else None


def _special_values(root: Element, file: str) -> dict[str, float]:
    names = _values(root, "SPECIAL_VALUE_TEXT")
    values = _numbers(root, file, "SPECIAL_VALUE_INDEX", within=(0, 65535))
    return dict(zip(names, values, strict=False))


def _elements(root: Element, *names: str) -> list[Element]:
    """Elements of the first of the names that has one, in document order."""
    for name in names:
        if found := [element for element in root.iter() if _local(element.tag) == name]:
            return found
    return []


def _values(root: Element, *names: str) -> list[str]:
    return [(element.text or "").strip() for element in _elements(root, *names)]


def _numbers(
    root: Element, file: str, *names: str, within: tuple[float, float] = _ANY
) -> list[float]:
    """The numbers in the elements of the first of the names that has one.

    Raises
    ------
    InputError
        One of them is no number, or not `within` these.
    """
    found = []
    for text in _values(root, *names):
        number = number_of(text)
        if number is None or not within[0] <= number <= within[1]:
            raise InputError(
                f"{text[:40]!r} as {names[0]} in {file}",
                wanted=f"a number from {within[0]:g} to {within[1]:g}",
                hint="download the product again, or correct the file",
                code=ErrorCode.UNREADABLE,
            )
        found.append(number)
    return found


def number_of(text: str | None) -> float | None:
    """The finite number that a text is, in ASCII as files have them; None for any other text."""
    if text is None or not text.isascii() or "_" in text:  # `float` takes 1_000
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _text(root: Element, name: str) -> str | None:
    return next(iter(_values(root, name)), None)


def _local(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2]
