"""Elements of an annotation as numbers and times, each checked as it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float64
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.product_files import parse_xml

Times = NDArray[np.datetime64]

# As in 2021-04-24T17:32:40.512345; numpy also reads words such as `now`.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?")
# Sentinel-1A was launched in April 2014.
_FIRST, _LAST = np.datetime64("2014-01-01"), np.datetime64("2100-01-01")


class Range(NamedTuple):
    """The least and the largest number that an element may have."""

    low: float
    high: float


@dataclass(frozen=True)
class AnnotationElement:
    """An XML element, with the name of its file for messages.

    All methods raise InputError where the element lacks what is asked for.
    """

    element: Element
    file: str

    @classmethod
    def parse(cls, content: bytes, file: str) -> AnnotationElement:
        """The root of a file."""
        return cls(parse_xml(content, file), file)

    def has(self, path: str) -> bool:
        """Whether there is an element."""
        return self.element.find(path) is not None

    def all(self, path: str) -> list[AnnotationElement]:
        """All elements of a path, at least one."""
        found = self.element.findall(path)
        if not found:
            raise self.unusable(f"no {path}")
        return [AnnotationElement(element, self.file) for element in found]

    def find(self, path: str) -> AnnotationElement:
        """The first element of a path."""
        return self.all(path)[0]

    def text(self, path: str) -> str:
        """The text of an element, which is not empty."""
        text = self.element.findtext(path)
        if text is None or not text.strip():
            raise self.unusable(f"no {path}")
        return text.strip()

    def whole(self, path: str, within: Range) -> int:
        """A whole number."""
        number = self.number(path, within)
        if not number.is_integer():
            raise self.unusable(f"{path} = {number:g}, no whole number,")
        return int(number)

    def number(self, path: str, within: Range) -> float:
        """A number."""
        numbers = self.numbers(path, within)
        if numbers.size != 1:
            raise self.unusable(f"{numbers.size} numbers in {path}")
        return float(numbers[0])

    def numbers(self, path: str, within: Range) -> Float64:
        """A list of numbers in one element, (n,)."""
        text = self.text(path)
        try:
            found = np.array(text.split(), dtype=np.float64)
        except ValueError as error:
            raise self.unusable(f"no number in {path} ({text[:40]!r})") from error
        if not ((within.low <= found) & (found <= within.high)).all():  # NaN is no number either
            wrong = found[~((within.low <= found) & (found <= within.high))][0]
            raise self.unusable(
                f"{path} = {wrong:g}, not within {within.low:g} and {within.high:g},"
            )
        return found

    def time(self, path: str) -> np.datetime64:
        """A time in UTC."""
        text = self.text(path)
        try:
            time = np.datetime64(text, "us") if _TIME.fullmatch(text) else None
        except ValueError:  # such as a 30th of February
            time = None
        if time is None or not _FIRST <= time <= _LAST:
            raise self.unusable(f"no time of Sentinel-1 in {path} ({text[:40]!r})")
        return np.datetime64(text, "ns")

    def unusable(self, found: str) -> InputError:
        """The error for something in this file."""
        return InputError(
            f"{found} in {self.file}",
            wanted="a complete annotation of a Sentinel-1 GRD product",
            hint="download the product again",
            code=ErrorCode.UNREADABLE,
        )


def column(elements: list[AnnotationElement], path: str, within: Range) -> Float64:
    """One number of each element, (n,)."""
    return np.array([element.number(path, within) for element in elements], dtype=np.float64)


def rising_column(elements: list[AnnotationElement], path: str, within: Range) -> Float64:
    """One number of each element, (n,), none less than the one before."""
    found = column(elements, path, within)
    if (np.diff(found) < 0).any():
        raise elements[0].unusable(f"{path} that falls from one element to the next")
    return found


def rising_times(elements: list[AnnotationElement], path: str) -> Times:
    """One time of each element, (n,), each after the one before."""
    found = np.array([element.time(path) for element in elements], dtype="datetime64[ns]")
    if (np.diff(found) <= np.timedelta64(0)).any():
        raise elements[0].unusable(f"{path} that does not rise from one element to the next")
    return found
