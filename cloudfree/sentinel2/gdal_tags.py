"""Dataset tags of a Sentinel-2 product, named as by GDAL's SENTINEL2 driver."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

from rasterio.io import DatasetReader

from cloudfree.core.acquisition import SUN_AZIMUTH_TAG, Acquisition
from cloudfree.core.iso_time import utc_time
from cloudfree.sentinel2.metadata import number_of
from cloudfree.sentinel2.offset import OffsetEvidence, baseline_evidence, stated_offsets
from cloudfree.sentinel2.product import (
    Level,
    OpticalProduct,
    ProductName,
    name_of_path,
    product_name,
)

# Band tag with the offset of digital numbers, and its name in L2A.
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

_STATED = (_SENSED, SUN_AZIMUTH_TAG)

_LEVELS: dict[str, Level] = {"Level-1C": "L1C", "Level-2A": "L2A"}


def tags_of(product: OpticalProduct) -> dict[str, str]:
    """Dataset tags of a product."""
    acquisition = product.acquisition
    known = {
        _PRODUCT: product.name,
        _LEVEL: next((text for text, level in _LEVELS.items() if level == product.level), None),
        _BASELINE: product.baseline,
        _SENSED: _utc_text(acquisition),
        _PLATFORM: acquisition.platform,
        _DIRECTION: acquisition.orbit_direction.upper() if acquisition.orbit_direction else None,
        _ORBIT: acquisition.relative_orbit,
        _QUANTIFICATION[0]: _plain(product.quantification),
        _NODATA: _plain(product.nodata),
        _SATURATED: _plain(product.saturated),
        SUN_AZIMUTH_TAG: product.sun_azimuth_deg,
    }
    return {name: str(value) for name, value in known.items() if value is not None}


def stated_tags(product: OpticalProduct) -> dict[str, str]:
    """Those of the tags that a user can state: when a product was acquired, and the sun."""
    return {name: text for name, text in tags_of(product).items() if name in _STATED}


def tagged_product(
    product: OpticalProduct, tags: Mapping[str, str], path: PurePath
) -> OpticalProduct:
    """Complete a product by its dataset tags, or else by the names in its path.

    Its own evidence of the offset has more weight than tags and names.
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
    """The decision of an earlier run, which had more evidence than the file has now."""
    number = _number(tags, DECIDED_TAG)
    stated = [] if number is None else [number]
    return stated_offsets("band tag", stated, f"the tag {DECIDED_TAG}", product.name)


def offsets_by_scale(dataset: DatasetReader, name: str) -> tuple[OffsetEvidence, ...]:
    """Evidence of the offset in GDAL's scale and offset of bands, where both are set."""
    scaled = {
        float(round(offset / scale))
        for scale, offset in zip(dataset.scales, dataset.offsets, strict=True)
        if scale not in (0.0, 1.0) and offset and math.isfinite(offset / scale)
    }
    return stated_offsets("band tag", scaled, "the scale and offset", name)


def _baselines(product: OpticalProduct, tags: Mapping[str, str]) -> tuple[OffsetEvidence, ...]:
    if _BASELINE not in tags:
        return ()
    return (baseline_evidence("name", tags[_BASELINE], f"the tags of {product.name}"),)


def _acquisition(tags: Mapping[str, str], named: ProductName | None) -> Acquisition:
    by_name = named.acquisition if named else Acquisition()
    orbit, direction = _number(tags, _ORBIT), tags.get(_DIRECTION)
    return Acquisition(
        product=by_name.product or tags.get(_PRODUCT),
        platform=tags.get(_PLATFORM, by_name.platform),
        acquired=utc_time(tags.get(_SENSED)) or by_name.acquired,
        orbit_direction=direction.lower() if direction else None,
        relative_orbit=int(orbit) if orbit else by_name.relative_orbit,
    )


def _number(tags: Mapping[str, str], *names: str) -> float | None:
    """The first number in some tags, None if there is none."""
    numbers = (number_of(tags.get(name)) for name in names)
    return next((number for number in numbers if number is not None), None)


def _utc_text(acquisition: Acquisition) -> str | None:
    time = acquisition.acquired
    return time.isoformat().replace("+00:00", "Z") if time else None


def _plain(number: float | None) -> str | None:
    return None if number is None else f"{number:g}"
