"""What the manifest of a Sentinel-1 product tells of its orbit."""

from __future__ import annotations

from cloudfree.errors import InputError
from cloudfree.raster.product_xml import parse_xml

_SAFE = "{http://www.esa.int/safe/sentinel-1.0}"


def relative_orbit(content: bytes) -> int | None:
    """The relative orbit at the start of the acquisition; None where it is not told.

    Source: S-1 Product Specification S1-RS-MDA-52-7441, section 5.1 (orbitReference).
    """
    try:
        root = parse_xml(content, "manifest")
    except InputError:
        return None
    for element in root.iter(f"{_SAFE}relativeOrbitNumber"):
        if element.get("type", "start") == "start" and element.text:
            return int(element.text)
    return None
