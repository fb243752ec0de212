"""The XML metadata of Sentinel-2 products: MTD_MSIL1C.xml, MTD_MSIL2A.xml and MTD_TL.xml.

Source: S2 Products Specification Document, PSD-14.9. Elements are found by name anywhere,
as their paths differ between baselines.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from cloudfree.core.acquisition import Acquisition
from cloudfree.core.iso_time import in_utc
from cloudfree.errors import InputError
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
    special = _special_values(root)
    return ProductMetadata(
        level=level,
        baseline=baseline,
        quantification=next(map(float, _values(root, *_QUANTIFICATION)), None),
        nodata=special.get("NODATA"),
        saturated=special.get("SATURATED"),
        acquisition=_acquisition(root),
        evidence=_evidence(root, baseline, name),
    )


def sun_azimuth_deg(text: bytes, name: str) -> float | None:
    """Sun azimuth, clockwise from north, in a MTD_TL.xml; None if unknown."""
    for sun in _elements(parse_xml(text, name), "Mean_Sun_Angle"):
        return next(map(float, _values(sun, "AZIMUTH_ANGLE")), None)
    return None


def utc_time(text: str | None) -> datetime | None:
    """Parse an ISO 8601 time, in UTC; None if it is none."""
    try:
        return in_utc(datetime.fromisoformat(text or ""))
    except ValueError:
        return None


def _evidence(root: Element, baseline: str | None, name: str) -> tuple[OffsetEvidence, ...]:
    """The offsets, or the old baseline that has none."""
    what = next((word for word in _ADD_OFFSET if _values(root, word)), _ADD_OFFSET[0])
    if stated := stated_offsets("metadata", map(float, _values(root, what)), what, name):
        return stated
    return (baseline_evidence("metadata", baseline, name),) if baseline else ()


def _acquisition(root: Element) -> Acquisition:
    orbit, direction = _text(root, "SENSING_ORBIT_NUMBER"), _text(root, "SENSING_ORBIT_DIRECTION")
    uri = next(iter(_values(root, *_PRODUCT_URI)), None)
    named = product_name([uri or ""])
    return Acquisition(
        product=named.text if named else uri,
        platform=_text(root, "SPACECRAFT_NAME"),
        acquired=utc_time(next(iter(_values(root, *_SENSED)), None)),
        orbit_direction=direction.lower() if direction else None,
        relative_orbit=int(orbit) if orbit else None,
    )


def _level(root: Element) -> Level | None:
    text = _text(root, "PROCESSING_LEVEL") or ""
    return "L1C" if text.startswith("Level-1C") else "L2A" if text.startswith("Level-2A") else None


def _special_values(root: Element) -> dict[str, float]:
    names, values = _values(root, "SPECIAL_VALUE_TEXT"), _values(root, "SPECIAL_VALUE_INDEX")
    return {name: float(value) for name, value in zip(names, values, strict=False)}


def _elements(root: Element, *names: str) -> list[Element]:
    """Elements of the first of the names that has one, in document order."""
    for name in names:
        if found := [element for element in root.iter() if _local(element.tag) == name]:
            return found
    return []


def _values(root: Element, *names: str) -> list[str]:
    return [(element.text or "").strip() for element in _elements(root, *names)]


def _text(root: Element, name: str) -> str | None:
    return next(iter(_values(root, name)), None)


def _local(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2]
