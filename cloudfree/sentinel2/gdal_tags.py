"""Names of tags that tell of a Sentinel-2 product, as GDAL's SENTINEL2 driver writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

from cloudfree.core.acquisition import SUN_AZIMUTH_TAG, Acquisition
from cloudfree.sentinel2.metadata import utc_time
from cloudfree.sentinel2.offset import OffsetEvidence, baseline_evidence, stated_offsets
from cloudfree.sentinel2.product import (
    Level,
    OpticalProduct,
    ProductName,
    name_of_path,
    product_name,
)

# Band tag with what is added to digital numbers, and what the driver calls it in L2A.
OFFSET_TAG, BOA_OFFSET_TAG = "RADIO_ADD_OFFSET", "BOA_ADD_OFFSET"

RESAMPLING_TAG = "CLOUDFREE_RESAMPLING"

# Dataset tags of outputs: the offset that was decided on, and why.
DECIDED_TAG, REASON_TAG = "CLOUDFREE_OFFSET_DN", "CLOUDFREE_OFFSET_REASON"

_BASELINE = "PROCESSING_BASELINE"
_LEVEL = "PROCESSING_LEVEL"
_PRODUCT = "PRODUCT_URI"
_SENSED = "PRODUCT_START_TIME"
_PLATFORM = "DATATAKE_1_SPACECRAFT_NAME"
_DIRECTION = "DATATAKE_1_SENSING_ORBIT_DIRECTION"
_ORBIT = "DATATAKE_1_SENSING_ORBIT_NUMBER"
_QUANTIFICATION = ("QUANTIFICATION_VALUE", "BOA_QUANTIFICATION_VALUE")
_NODATA, _SATURATED = "SPECIAL_VALUE_NODATA", "SPECIAL_VALUE_SATURATED"

_LEVELS: dict[str, Level] = {"Level-1C": "L1C", "Level-2A": "L2A"}


def tags_of(product: OpticalProduct) -> dict[str, str]:
    """What is known of a product, as dataset tags."""
    seen = product.acquisition
    known = {
        _PRODUCT: product.name,
        _LEVEL: next((text for text, level in _LEVELS.items() if level == product.level), None),
        _BASELINE: product.baseline,
        _SENSED: seen.acquired.isoformat().replace("+00:00", "Z") if seen.acquired else None,
        _PLATFORM: seen.platform,
        _DIRECTION: seen.orbit_direction.upper() if seen.orbit_direction else None,
        _ORBIT: seen.relative_orbit,
        _QUANTIFICATION[0]: _plain(product.quantification),
        _NODATA: _plain(product.nodata),
        _SATURATED: _plain(product.saturated),
        SUN_AZIMUTH_TAG: product.sun_azimuth_deg,
    }
    return {name: str(value) for name, value in known.items() if value is not None}


def tagged_product(
    product: OpticalProduct, tags: Mapping[str, str], path: PurePath
) -> OpticalProduct:
    """A product completed by its dataset tags, and by the names of its path where they are silent.

    The evidence of the offset that it has already weighs more than what tags and names say.
    """
    named = name_of_path(path) or product_name([tags.get(_PRODUCT, "")])
    baseline = tags.get(_BASELINE, named.baseline if named else None)
    return replace(
        product,
        level=_LEVELS.get(tags.get(_LEVEL, "")[:8], named.level if named else None),
        baseline=baseline,
        quantification=_number(tags, *_QUANTIFICATION),
        nodata=_number(tags, _NODATA),
        saturated=_number(tags, _SATURATED),
        sun_azimuth_deg=_number(tags, SUN_AZIMUTH_TAG),
        acquisition=_acquisition(tags, named),
        evidence=_decided(product, tags)
        or (*product.evidence, *_baselines(product, tags), *(named.evidence if named else ())),
    )


def _decided(product: OpticalProduct, tags: Mapping[str, str]) -> tuple[OffsetEvidence, ...]:
    """What an earlier run decided, which had heard more than the file now tells."""
    number = _number(tags, DECIDED_TAG)
    stated = [] if number is None else [number]
    return stated_offsets("band tag", stated, f"the tag {DECIDED_TAG}", product.name)


def _baselines(product: OpticalProduct, tags: Mapping[str, str]) -> tuple[OffsetEvidence, ...]:
    if _BASELINE not in tags:
        return ()
    return (baseline_evidence("name", tags[_BASELINE], f"the tags of {product.name}"),)


def _acquisition(tags: Mapping[str, str], named: ProductName | None) -> Acquisition:
    told = named.acquisition if named else Acquisition()
    orbit, direction = _number(tags, _ORBIT), tags.get(_DIRECTION)
    return Acquisition(
        product=told.product or tags.get(_PRODUCT),
        platform=tags.get(_PLATFORM, told.platform),
        acquired=utc_time(tags.get(_SENSED)) or told.acquired,
        orbit_direction=direction.lower() if direction else None,
        relative_orbit=int(orbit) if orbit else told.relative_orbit,
    )


def _number(tags: Mapping[str, str], *names: str) -> float | None:
    """The first of some tags that holds a number."""
    numbers = (number_of(tags.get(name)) for name in names)
    return next((number for number in numbers if number is not None), None)


def number_of(text: str | None) -> float | None:
    """The finite number that a tag holds; None for any other text."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _plain(number: float | None) -> str | None:
    return None if number is None else f"{number:g}"
