"""What the numbers of a mask of any origin mean, and how they become mask classes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.mask_classes import CLASS_TAG, FILE_CLASSES, OBSCURED, Mask, MaskClass
from cloudfree.errors import ErrorCode, InputError

# Classes of the scene classification (SCL) of L2A products. All others of 0 to 11 are clear: 2
# dark area (topographic shadow), 4 vegetation, 5 bare ground, 6 water, 7 unclassified.
# Source: Sentinel-2 L2A Algorithm Theoretical Basis Document, table of scene classes.
SCL_CLASSES = {
    0: MaskClass.NODATA,
    1: MaskClass.NODATA,  # saturated or defective
    3: MaskClass.SHADOW,
    8: MaskClass.CLOUD,  # medium probability
    9: MaskClass.CLOUD,  # high probability
    10: MaskClass.CLOUD,  # thin cirrus
    11: MaskClass.SNOW,
}
MAX_SCL = 11
# An SCL has one of these nearly everywhere; other classifications end at 4 (cloud in Fmask).
_ONLY_SCL = frozenset(range(5, MAX_SCL + 1))

# Minimum probability of a cloud.
# Source: s2cloudless, default `threshold` of S2PixelCloudDetector.
CLOUD_PROBABILITY = 0.4
# Probabilities leave 0 to 1 by rounding.
_ROUNDING = 1e-6

# The full scale of probabilities in bytes: those of L2A products (MSK_CLDPRB, formerly CLD), and
# those of Sentinel Hub (CLP).
PERCENT, BYTE = 100, 255

_SCL_NAME = re.compile(r"(?<![a-z])scl(?![a-z])", re.IGNORECASE)
_PERCENT_NAME = re.compile(r"(?<![a-z])(?:cldprb|cld_[26]0m)(?![a-z])", re.IGNORECASE)
_BYTE_NAME = re.compile(r"(?<![a-z])clp(?![a-z])", re.IGNORECASE)
_PROBABILITY_NAME = re.compile(r"(?<![a-z])(?:cloud)?probabilit(?:y|ies)(?![a-z])", re.IGNORECASE)

_OWN = frozenset(map(int, FILE_CLASSES))
_CLASSES = ", ".join(f"{value.value} {value.name.lower()}" for value in FILE_CLASSES)
_WANTED = f"classes ({_CLASSES}), an SCL (0 to 11), 0 and 255, or probabilities of clouds"
_MAKE = "make it from the scene with `cloudfree mask`"

# Row of the table for the declared nodata value, after those of the bytes.
_NODATA_ROW = 256


@dataclass(frozen=True)
class MaskNumbers:
    """What a file holds where the scene lies.

    `values` are the different ones of whole numbers, without the declared `nodata`; `lowest` and
    `highest` bound them, and numbers of other types. `scale` is what the file says to multiply by.
    """

    name: str
    dtype: str
    lowest: float
    highest: float
    values: frozenset[int] = frozenset()
    nodata: float | None = None
    scale: float = 1.0
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether the file holds integers."""
        return np.issubdtype(self.dtype, np.integer)

    @property
    def text(self) -> str:
        """The name and the numbers, for messages."""
        if not self.whole or len(self.values) > 12 or max(self.values, default=0) > BYTE:
            return f"mask {self.name} holds {self.lowest:g} to {self.highest:g} as {self.dtype}"
        return f"mask {self.name} holds {', '.join(map(str, sorted(self.values))) or 'no data'}"

    @property
    def own(self) -> bool:
        """Whether the tags name the classes of this program."""
        return self.tags.get(f"{CLASS_TAG}{MaskClass.CLOUD.value}") == MaskClass.CLOUD.label


@dataclass(frozen=True)
class Recoding:
    """The way from the numbers of a file to mask classes; `meaning` is what they are, in words.

    `unchanged` where each number is its class already.
    """

    meaning: str
    apply: Callable[[NDArray[Any]], Mask]
    unchanged: bool = False


def missing_value(nodata: float | None) -> float | None:
    """The number that means no data; a declared 0 does not, as it is no cloud in most masks."""
    return None if not nodata or np.isnan(nodata) else nodata


def recoding_of(
    numbers: MaskNumbers, threshold: float | None = None, scl: bool = False
) -> Recoding:
    """How the numbers of a mask become classes.

    With `threshold`, 0 to 1, they are probabilities, and with `scl` an SCL. Otherwise floats and
    scaled numbers are probabilities, and tags, the name and the values decide about whole numbers.

    Raises
    ------
    InputError
        The numbers are neither classes, nor an SCL, nor 0 and 255, nor probabilities.
    """
    classified = scl or _is_scl_by_name(numbers) or numbers.own
    if threshold is not None:
        _check_threshold(threshold, numbers, classified)
        return _probabilities(numbers, threshold)
    if not classified and _is_probability(numbers):
        return _probabilities(numbers, CLOUD_PROBABILITY)
    _check_bytes(numbers)
    if scl or _is_scl_by_name(numbers) or (not numbers.own and _is_scl_by_values(numbers)):
        return _scl(numbers)
    return _classes(numbers)


def _is_scl_by_name(numbers: MaskNumbers) -> bool:
    """Whether the name says SCL; an SCL of 0 and 1 alone has no pixel with data."""
    seen = max(numbers.values - {MaskClass.NODATA}, default=0) > 1
    return seen and not numbers.own and bool(_SCL_NAME.search(numbers.name))


def _is_scl_by_values(numbers: MaskNumbers) -> bool:
    found = numbers.values - {MaskClass.NODATA}
    return bool(found & _ONLY_SCL) and max(found) <= MAX_SCL


def _is_probability(numbers: MaskNumbers) -> bool:
    """Whether the type, a scale or the name says so."""
    names = (_PERCENT_NAME, _BYTE_NAME, _PROBABILITY_NAME)
    named = any(name.search(numbers.name) for name in names)
    return not numbers.whole or numbers.scale != 1 or named


def _scl(numbers: MaskNumbers) -> Recoding:
    if beyond := sorted(numbers.values - {*range(MAX_SCL + 1), MaskClass.NODATA}):
        raise InputError(
            f"{numbers.text}, but is called an SCL",
            wanted=f"scene classes from 0 to {MAX_SCL}",
            hint=f"give the SCL of the product as it is, or another name if {beyond[0]} is no "
            "scene class",
        )
    clear = dict.fromkeys(range(MAX_SCL + 1), MaskClass.CLEAR)
    return Recoding(
        "a scene classification (SCL): 8, 9, 10 are cloud, 3 is shadow, 11 snow, 0 and 1 no data",
        _table({**clear, **SCL_CLASSES}, numbers.nodata),
    )


def _classes(numbers: MaskNumbers) -> Recoding:
    """Classes of this program, or 255 for clouds and 0 for clear ground."""
    values = numbers.values
    if not values <= _OWN:
        raise InputError(numbers.text, wanted=_WANTED, hint=_hint(values))
    declared = numbers.nodata == MaskClass.NODATA or numbers.own
    if MaskClass.NODATA in values and not declared:
        if values <= {MaskClass.CLEAR, MaskClass.NODATA}:
            of = {0: MaskClass.CLEAR, int(MaskClass.NODATA): MaskClass.CLOUD}
            return Recoding("255 is cloud and 0 clear", _table(of, numbers.nodata))
        if not values & set(OBSCURED):
            raise InputError(
                f"{numbers.text}: 255 without any 1 or 2",
                wanted=_WANTED,
                hint="write clouds as 1, or declare 255 as nodata if no cloud is there",
            )
    unchanged = numbers.dtype == "uint8" and numbers.nodata in (None, 0, MaskClass.NODATA)
    own = {int(value): value for value in FILE_CLASSES}
    return Recoding(f"classes: {_CLASSES}", _table(own, numbers.nodata), unchanged)


def _hint(values: Iterable[int]) -> str:
    found = set(values) - {MaskClass.NODATA}
    if max(found) < min(_ONLY_SCL):
        return (
            "if this is a scene classification, call it NAME_SCL.tif; in others, where 4 is cloud, "
            f"write it as 1; or {_MAKE}"
        )
    return (
        f"give --mask-threshold {CLOUD_PROBABILITY} if these are probabilities, write clouds as 1, "
        f"shadows as 2 and clear ground as 0 if not, or {_MAKE}"
    )


def _probabilities(numbers: MaskNumbers, threshold: float) -> Recoding:
    """Cloud from `threshold` on, clear below; not a number is no data."""
    full, of = _full_scale(numbers)
    _check_probabilities(numbers, full)
    nodata, least = missing_value(numbers.nodata), full * (threshold - _ROUNDING)

    def apply(found: NDArray[Any]) -> Mask:
        classes = np.where(found >= least, MaskClass.CLOUD, MaskClass.CLEAR).astype(np.uint8)
        # An undeclared 255 among numbers to 100 is no probability.
        missing = np.isnan(found) | (found > full * (1 + _ROUNDING))
        if nodata is not None:
            missing |= found == nodata
        classes[missing] = MaskClass.NODATA
        return classes

    return Recoding(f"probabilities {of}: cloud from {threshold:g} on", apply)


def _full_scale(numbers: MaskNumbers) -> tuple[float, str]:
    """The number of a probability of 1, and how it was found.

    A scale that the file declares decides, then the name, then the numbers: bytes with none from
    101 to 254 are per cent, as those of 255 have some wherever a cloud is likely.
    """
    if numbers.scale != 1:
        return 1 / numbers.scale, f"in units of {numbers.scale:g}"
    if not numbers.whole:
        return 1.0, "from 0 to 1"
    between = any(PERCENT < value < BYTE for value in numbers.values)
    by_name = _BYTE_NAME.search(numbers.name)
    if by_name or (between and not _PERCENT_NAME.search(numbers.name)):
        return BYTE, f"from 0 to {BYTE}"
    return PERCENT, f"from 0 to {PERCENT}"


def _check_threshold(threshold: float, numbers: MaskNumbers, classified: bool) -> None:
    if not 0 <= threshold <= 1:
        raise InputError(
            f"a mask threshold of {threshold:g}",
            wanted="the minimum probability of a cloud, from 0 to 1",
            hint="divide per cent by 100",
            code=ErrorCode.BAD_OPTION,
        )
    if classified:
        raise InputError(
            f"a mask threshold for {numbers.name}, which holds classes",
            wanted="probabilities of clouds",
            hint="leave --mask-threshold out, or give the raster of probabilities",
            code=ErrorCode.BAD_OPTION,
        )


def _check_probabilities(numbers: MaskNumbers, full: float) -> None:
    highest = numbers.highest
    if full == PERCENT and numbers.whole and highest == BYTE:
        highest = max(numbers.values - {BYTE}, default=0)
    if numbers.lowest < -_ROUNDING * full or highest > full * (1 + _ROUNDING):
        raise InputError(
            numbers.text,
            wanted=f"probabilities from 0 to {full:g}",
            hint="divide per cent by 100, write classes as bytes with `gdal_translate -ot Byte`, "
            "and declare what means no data with `gdal_translate -a_nodata`",
        )


def _check_bytes(numbers: MaskNumbers) -> None:
    if not numbers.whole or numbers.lowest < 0 or numbers.highest > BYTE:
        raise InputError(
            numbers.text,
            wanted=_WANTED,
            hint=f"write clouds as 1, shadows as 2 and clear ground as 0, or {_MAKE}",
        )


def _table(
    classes: Mapping[int, MaskClass], nodata: float | None
) -> Callable[[NDArray[Any]], Mask]:
    """Classes by number; what has none, and the declared nodata value, is no data."""
    table = np.full(_NODATA_ROW + 1, MaskClass.NODATA, dtype=np.uint8)
    for number, value in classes.items():
        table[number] = value
    missing = missing_value(nodata)
    if missing is not None and 0 <= missing <= BYTE:
        table[int(missing)] = MaskClass.NODATA

    def apply(found: NDArray[Any]) -> Mask:
        if found.dtype != np.uint8:
            found = np.where((found >= 0) & (found <= BYTE), found, _NODATA_ROW)
        return np.asarray(table[found])

    return apply
