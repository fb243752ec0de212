"""What the numbers of an optical file mean: their format, and the offset that dark pixels show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.io import DatasetReader

from cloudfree.core.radiometry import (
    MIN_REFLECTANCE,
    QUANTIFICATION,
    Float64,
    Radiometry,
    default_nodata,
)
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.dataset import Dataset, even_windows, sample_windows
from cloudfree.sentinel2.offset import NO_OFFSET, OFFSET, OffsetEvidence

NumberFormat = Literal["picture", "reflectance", "digital numbers"]

# The median of the brightest band: saturated cloud has a reflectance of 2.8, open water without
# haze digital numbers of 300 in blue. Between lies reflectance in per cent.
MAX_REFLECTANCE, MIN_DIGITAL_NUMBERS = 3.0, 150.0

# An 8-bit picture has no reflectance: its white is assumed to be 1.
PICTURE_DTYPE, WHITE = "uint8", 255.0

# Digital numbers of a reflectance of 1: those of early processors and of exports lie between.
QUANTIFICATIONS = (1e3, 1e5)
# No scene has a larger median in its brightest band: clouds have 0.6 to 1.2.
BRIGHTEST_MEDIAN = 1.6
# How far the scale of a file, which may have few digits, and the quantification may differ.
_SAME_SCALE = 1e-5


def number_format(dataset: Dataset, bands: Sequence[int]) -> NumberFormat:
    """Number format of an open dataset, by its type; of floats by their magnitude.

    Raises
    ------
    InputError
        Complex numbers, eight bits with a sign, numbers that are mostly negative, floats that are
        neither reflectance nor digital numbers, or a band without data.
    """
    dtype = np.dtype(dataset.handle.dtypes[0])
    if np.issubdtype(dtype, np.complexfloating) or dtype == np.int8:
        raise InputError(
            f"{dtype} numbers in {dataset.path.name}",
            wanted="digital numbers of Sentinel-2, or reflectance as floats",
            hint="give the product as it was published",
        )
    if dtype == PICTURE_DTYPE:
        return "picture"
    if np.issubdtype(dtype, np.unsignedinteger):
        return "digital numbers"
    brightness = _brightness(dataset, bands)
    if np.issubdtype(dtype, np.floating):
        return _format_of_floats(brightness, dataset.path.name)
    if brightness < 0:
        raise InputError(
            f"digital numbers of median {brightness:.4g} in the brightest band of "
            f"{dataset.path.name}",
            wanted="digital numbers up to 10000, hardly any of them negative",
            hint="give the product as it was published",
        )
    return "digital numbers"


def picture_numbers(dataset: DatasetReader) -> Radiometry:
    """Radiometry of an 8-bit picture: 0 is black, 255 is white."""
    return Radiometry(dataset.dtypes[0], 1 / WHITE, 0.0, dataset.nodata)


def reflectance_numbers(dataset: DatasetReader, offset_dn: float) -> Radiometry:
    """Radiometry of floats, which may still contain the offset of their digital numbers."""
    return Radiometry(dataset.dtypes[0], 1.0, offset_dn / QUANTIFICATION, nodata_of(dataset))


def digital_numbers(
    dataset: DatasetReader,
    bands: Sequence[int],
    offset_dn: float,
    quantification: float | None,
    name: str,
) -> Radiometry:
    """Radiometry of digital numbers: `(number + offset_dn) / quantification`.

    `quantification` is that of the metadata, None if unknown. The scale of the optical `bands`,
    counted from 0, in the file has the same meaning; without both it is that of every product.

    Raises
    ------
    InputError
        A quantification or scale that no reflectance has, or two that differ.
    """
    stated = {} if quantification is None else {"QUANTIFICATION_VALUE": quantification}
    for scale in {dataset.scales[band] for band in bands} - {1.0}:
        stated[f"scale {scale:g}"] = _whole(1 / scale) if scale else 0.0
    for what, unit in stated.items():
        if not QUANTIFICATIONS[0] <= unit <= QUANTIFICATIONS[1]:
            raise _no_quantification(f"{what} ({unit:g} for a reflectance of 1) of {name}")
    unit = next(iter(stated.values()), QUANTIFICATION)
    if any(abs(other / unit - 1) > _SAME_SCALE for other in stated.values()):
        both = ", ".join(f"{what} ({one:g})" for what, one in stated.items())
        raise _no_quantification(f"contradicting scales of the bands of {name}: {both}")
    return Radiometry(dataset.dtypes[0], 1 / unit, offset_dn / unit, nodata_of(dataset))


def check_brightness(dataset: Dataset, bands: Sequence[int], radiometry: Radiometry) -> None:
    """Check that numbers of another scale than that of every product are reflectance with it.

    Raises
    ------
    InputError
        Half of the scene would be brighter than any cloud.
    """
    if abs(radiometry.scale * QUANTIFICATION - 1) < _SAME_SCALE:
        return
    median = _brightness(dataset, bands) * radiometry.scale + radiometry.offset
    if median > BRIGHTEST_MEDIAN:
        raise _no_quantification(
            f"digital numbers of {dataset.path.name} that are a median reflectance of {median:.3g} "
            f"with {1 / radiometry.scale:g} for a reflectance of 1"
        )


def _whole(unit: float) -> float:
    """The whole number that is meant: a scale may have the digits of a float of 32 bits."""
    return float(round(unit)) if abs(unit / (round(unit) or 1) - 1) < _SAME_SCALE else unit


def _no_quantification(found: str) -> InputError:
    return InputError(
        found,
        wanted=f"one scale for all bands; every Sentinel-2 product has {QUANTIFICATION:g}",
        hint="correct the metadata or the scale of the bands, for example with gdal_edit.py",
    )


def nodata_of(dataset: DatasetReader) -> float:
    """Nodata of a file: declared, or else the default of its type."""
    declared: float | None = dataset.nodata
    return default_nodata(dataset.dtypes[0]) if declared is None else declared


def has_mask(dataset: DatasetReader) -> bool:
    """Whether a mask band marks missing pixels; the alpha band of a picture is none."""
    flags = dataset.mask_flag_enums[0]
    return MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags


def _format_of_floats(brightness: float, name: str) -> NumberFormat:
    if brightness <= MAX_REFLECTANCE:
        return "reflectance"
    if brightness >= MIN_DIGITAL_NUMBERS:
        return "digital numbers"
    raise InputError(
        f"floats of median {brightness:.3g} in the brightest band of {name}, as of per cent",
        wanted="reflectance from 0 to 1, or digital numbers up to 10000",
        hint="divide per cent by 100, for example with `rio calc`",
    )


def _brightness(dataset: Dataset, bands: Sequence[int]) -> float:
    """Median of the brightest band in a sample; 0 if no pixel has data.

    Raises
    ------
    InputError
        A band has no data where others have.
    """
    numbers = sample_windows(dataset, bands).astype(np.float64)
    known = _known(numbers, nodata_of(dataset.handle))
    medians = [float(np.median(band[one])) for band, one in zip(numbers, known, strict=True)
               if one.any()]  # fmt: skip
    if medians and len(medians) < len(bands):
        empty = next(band for band, one in zip(bands, known, strict=True) if not one.any())
        raise InputError(
            f"no data in band {dataset.handle.descriptions[empty] or empty + 1} of "
            f"{dataset.path.name}, though others have some",
            wanted="data in every band, as a pixel that lacks one is missing",
            hint="leave the band out, for example with `gdal_translate -b`",
            code=ErrorCode.NO_DATA,
        )
    return max(medians, default=0.0)


def _known(numbers: Float64, nodata: float) -> NDArray[np.bool_]:
    """True where numbers, (band, pixel), may be data, whatever their unit.

    A pixel that has one number in all of several bands is filled with it, declared or not, unless
    all are so.
    """
    lowest, highest = MIN_REFLECTANCE * QUANTIFICATION, np.iinfo(np.uint16).max
    known = (numbers != nodata) & (numbers > lowest) & (numbers <= highest)
    differs = (numbers != numbers[:1]).any(axis=0)
    chosen = known & differs if (known & differs).any() else known & (numbers != 0)
    return np.asarray(chosen, dtype=np.bool_)


Numbers = NDArray[np.integer | np.floating]

# Reflectance is hardly ever negative, so with an offset of -1000 hardly any number lies below 1000;
# and some surfaces are black in some bands, so without one numbers near 0 are common. A scene that
# is bright everywhere gives no evidence.

# Percentage of a band that may lie below any number with an offset: pixels at the edge of a scene
# are mixed with nodata.
LOW_PERCENT = 1.0

# Lowest numbers at that percentile with an offset. Atmospheric correction may bring them below
# 1000: at 888 in B01, 948 in B02, 1016 to 1045 in the others (seen in a L2A product of
# baseline 04.00, half of it dark).
LOWEST_WITH_OFFSET = {"B01": 600.0, "B02": 700.0, "B03": 850.0}
LOWEST_OF_OTHERS = 900.0

# The cirrus band is black but for its clouds: reflectance 0.001 to 0.003 (seen in L1C products),
# so with an offset the darker quarter of it lies here, close together. Clouds differ by more.
CIRRUS_BLACK = (1000.0, 1040.0)
CIRRUS_QUARTER, MAX_CIRRUS_RANGE = 25.0, 30.0

# Water is black in the short-wave infrared and nearly so in the near infrared.
WATER_BLACK = (985.0, 1060.0)
WATER_NEAR_INFRARED = 1300.0
MIN_WATER_SHARE = 0.002
MIN_PIXELS = 64

# Bands in the order in which they are checked: the cirrus band is the smallest and the darkest.
BAND_GROUPS = (
    ("B10",),
    ("B8A", "B08", "B11", "B12"),
    ("B05", "B06", "B07", "B09"),
    ("B01", "B02", "B03", "B04"),
)
# Groups that are checked for a contradiction if the offset is known from metadata.
CONTRADICTION_GROUPS = 2


def check_dark_pixels(
    dataset: Dataset, positions: Mapping[str, int], offset_known: bool, unit: float = 1.0
) -> OffsetEvidence:
    """Evidence of the offset in the numbers of an open dataset.

    `offset_known` is True if other evidence has an offset; `unit` times a number is a digital
    number.

    Raises
    ------
    InputError
        A band cannot be read, and the offset is not known otherwise.
    """
    numbers: dict[str, Numbers] = {}
    evidence = OffsetEvidence("statistics", None, "no band to check")
    for group in BAND_GROUPS[: CONTRADICTION_GROUPS if offset_known else None]:
        bands = [band for band in group if band in positions]
        if not bands:
            continue
        try:
            sample = _digital_numbers(dataset, [positions[band] for band in bands], unit)
        except InputError as error:
            if not offset_known:
                raise
            # Reading these pixels later raises the same error, if they are needed at all.
            return OffsetEvidence("statistics", None, error.found)
        numbers.update(zip(bands, sample, strict=True))
        evidence = dark_pixel_evidence(numbers)
        if evidence.offset_dn is not None:
            return evidence
    whole = len(even_windows(*dataset.shape)) == 1
    if whole and not offset_known and not any(band.any() for band in numbers.values()):
        return OffsetEvidence("statistics", NO_OFFSET, "0, as no pixel has data")
    return evidence


def dark_pixel_evidence(numbers: Mapping[str, Numbers]) -> OffsetEvidence:
    """Evidence in samples of some bands: digital numbers of the same pixels, 0 for nodata."""
    values = {band: sample[sample > 0] for band, sample in numbers.items()}
    lows = {band: float(np.percentile(v, LOW_PERCENT)) for band, v in values.items() if v.size}
    for band, low in lows.items():
        minimum = LOWEST_WITH_OFFSET.get(band, LOWEST_OF_OTHERS)
        if low < minimum:
            return OffsetEvidence(
                "statistics",
                NO_OFFSET,
                f"0, as 1 % of {band} lies below {low:.0f} and would not lie below {minimum:.0f} "
                "with an offset",
            )
    if _is_black_cirrus(values.get("B10")):
        return OffsetEvidence(
            "statistics", OFFSET, f"-1000, as the black of B10 lies at {lows['B10']:.0f}"
        )
    if _has_black_water(numbers):
        return OffsetEvidence(
            "statistics", OFFSET, "-1000, as the black of water lies at 1000 in B11 and B12"
        )
    darkest = min(lows, key=lows.__getitem__, default=None)
    found = f"down to {lows[darkest]:.0f} in {darkest}" if darkest else "no valid pixel"
    return OffsetEvidence("statistics", None, f"the darkest numbers fit both: {found}")


def _is_black_cirrus(cirrus: Numbers | None) -> bool:
    if cirrus is None or cirrus.size < MIN_PIXELS:
        return False
    low, quarter = np.percentile(cirrus, [LOW_PERCENT, CIRRUS_QUARTER])
    return bool(CIRRUS_BLACK[0] <= low <= CIRRUS_BLACK[1] and quarter - low <= MAX_CIRRUS_RANGE)


def _has_black_water(numbers: Mapping[str, Numbers]) -> bool:
    """Whether the darkest pixels of both short-wave bands are the same, near 1000, and water."""
    near = numbers.get("B8A", numbers.get("B08"))
    if near is None or "B11" not in numbers or "B12" not in numbers:
        return False
    swir = np.stack([numbers["B11"], numbers["B12"]])
    valid = (swir > 0).all(axis=0) & (near > 0)
    if valid.sum() < MIN_PIXELS:
        return False
    swir, near = swir[:, valid], near[valid]
    black = ((swir >= WATER_BLACK[0]) & (swir <= WATER_BLACK[1])).all(axis=0)
    below = (swir < WATER_BLACK[0]).any(axis=0)
    if black.mean() < MIN_WATER_SHARE or below.mean() > LOW_PERCENT / 100:
        return False
    return bool(np.median(near[black].astype(np.float64)) <= WATER_NEAR_INFRARED)


def _digital_numbers(dataset: Dataset, bands: Sequence[int], unit: float) -> Numbers:
    """Digital numbers of a sample, (band, pixel); 0 for nodata."""
    pixels = sample_windows(dataset, bands)
    with np.errstate(over="ignore"):  # nodata such as the lowest float becomes infinite
        numbers = np.multiply(pixels, unit)
    return np.where(np.isfinite(numbers), numbers, 0)
