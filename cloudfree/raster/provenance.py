"""How an output was made, as a value and as tags of its file.

Writers (`remove`, `coregister`) and readers (`report`) share this codec; the name of each tag
stands here once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count, takewhile
from pathlib import PurePosixPath
from typing import Any, get_args

from cloudfree.core.acquisition import UNKNOWN, Acquisition
from cloudfree.core.choices import SarUnitsChoice
from cloudfree.core.displacement import (
    NO_SHIFT,
    Displacement,
    PolynomialDisplacement,
    Shift,
    mean_shift,
)
from cloudfree.errors import InputError
from cloudfree.raster.parts import Parts, parts_from_tags
from cloudfree.raster.tag_numbers import tag_number, tag_numbers
from cloudfree.raster.used_reference import UsedReference, references_from_tags

VERSION = "CLOUDFREE_VERSION"
WARNINGS, _BETWEEN_WARNINGS = "CLOUDFREE_WARNINGS", " | "
S1 = "CLOUDFREE_S1"
SHIFT = "CLOUDFREE_SHIFT_PX"
COEFFICIENTS, BOUNDS = "CLOUDFREE_SHIFT_COEFFICIENTS", "CLOUDFREE_SHIFT_BOUNDS"
S1_ACQUIRED = "CLOUDFREE_S1_SENSED"
S1_PLATFORM, S1_ORBIT = "CLOUDFREE_S1_PLATFORM", "CLOUDFREE_S1_ORBIT"

# Relative orbits of Sentinel-1 are 1 to 175.
_ORBIT, _DIRECTIONS = re.compile(r"[0-9]{1,3}"), ("ascending", "descending")

# Number of coefficients -> degree of the polynomial.
_DEGREES = {(degree + 1) * (degree + 2) // 2: degree for degree in range(1, 10)}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How `cloudfree remove` or `cloudfree coregister` made an output; None if unknown.

    Paths are relative to the folder of the output; `filled`, `uncertainty` and `used_mask` are its
    companions, and `mask` is what the user gave. `mask_threshold` is the minimum cloud probability
    in `mask`, `mask_dilate` its dilation.
    `s1_slices` are further slices of the pass of `s1`.
    `s1_units` is the quantity of Sentinel-1 and, in brackets, how it was recognised.
    `s2_offset` is what the user added to the digital numbers.
    `shift` is the corrected displacement in pixels of the output, `shift_model` its kind or
    `none`, `shift_measured` the measured mean in pixels (rows, columns), whether or not applied,
    `shift_reliability` from 0 to 1.
    `adapted` is `yes`, or `no` and the reason; `adapted_gain_db` the gain on clear pixels held
    out, `adapted_share` the share of the correction that is added.
    `gap_days` is the time between Sentinel-1 and Sentinel-2. `parts` are the model and the scene
    itself, where both filled it. `references` are other dates that it
    is filled from, in the order of their classes.
    """

    version: str
    model: str | None = None
    model_sha256: str | None = None
    model_license: str | None = None
    s2: PurePosixPath | None = None
    s1: PurePosixPath | None = None
    s1_slices: tuple[PurePosixPath, ...] = ()
    dem: PurePosixPath | None = None
    mask: PurePosixPath | None = None
    mask_threshold: float | None = None
    mask_dilate: str | None = None
    filled: PurePosixPath | None = None
    uncertainty: PurePosixPath | None = None
    used_mask: PurePosixPath | None = None
    s1_units: str | None = None
    s2_offset: float | None = None
    shift: Displacement = NO_SHIFT
    shift_model: str | None = None
    shift_reason: str | None = None
    shift_measured: Shift | None = None
    shift_applied: bool | None = None
    shift_reliability: float | None = None
    adapted: str | None = None
    adapted_gain_db: float | None = None
    adapted_share: float | None = None
    s1_acquisition: Acquisition = UNKNOWN
    gap_days: float | None = None
    parts: Parts | None = None
    references: tuple[UsedReference, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_tags(self) -> dict[str, str]:
        """The tags of the output's file; what is unknown has none."""
        values = {tag: getattr(self, name) for name, tag in _TAGS.items()}
        return {
            **{tag.name: tag.write(value) for tag, value in values.items() if value is not None},
            **displacement_tags(self.shift),
            **acquisition_tags(self.s1_acquisition),
            **(self.parts.to_tags() if self.parts else {}),
            **slice_tags(self.s1_slices),
            **reference_tags(self.references),
            **(warning_tags(self.warnings) if self.warnings else {}),
        }

    @classmethod
    def from_tags(
        cls, tags: Mapping[str, str], height: int, width: int, name: str = "the file"
    ) -> Provenance:
        """Read the tags of the file `name`, of `height` x `width` pixels.

        Numbers have the digits of their tags; an acquisition has no product name.

        Raises
        ------
        InputError
            The file was not made by cloudfree.
        """
        if VERSION not in tags:
            raise InputError(
                f"{name} has no {VERSION} tag",
                wanted="a result of `cloudfree remove`",
                hint="make one with `cloudfree remove --s1 S1 --s2 S2`, or give its _cloudfree.tif",
            )
        return cls(
            **{key: tag.read(tags[tag.name]) for key, tag in _TAGS.items() if tag.name in tags},
            shift=displacement_from_tags(tags, height, width),
            s1_acquisition=acquisition_from_tags(tags) or UNKNOWN,
            s1_slices=slices_from_tags(tags),
            parts=parts_from_tags(tags),
            references=references_from_tags(tags),
            warnings=warnings_from_tags(tags),
        )

    @property
    def files(self) -> tuple[PurePosixPath, ...]:
        """The inputs and companions that the output names."""
        references = (one.path for one in self.references)
        inputs = (self.s2, self.s1, *self.s1_slices, self.dem, self.mask, *references)
        named = (*inputs, self.filled, self.uncertainty, self.used_mask)
        return tuple(path for path in named if path)

    @property
    def s1_quantity(self) -> str | None:
        """The units of Sentinel-1 as `--s1-units` takes them; None for any other word."""
        word = next(iter((self.s1_units or "").split()), None)
        return word if word in get_args(SarUnitsChoice) else None


def reference_tags(references: Sequence[UsedReference]) -> dict[str, str]:
    """The tags of references, numbered from 1."""
    numbered = enumerate(references, start=1)
    return {name: text for n, one in numbered for name, text in one.to_tags(n).items()}


def slice_tags(slices: Sequence[PurePosixPath]) -> dict[str, str]:
    """The tags of further slices of Sentinel-1, numbered from 2."""
    return {f"{S1}_{n}": path.as_posix() for n, path in enumerate(slices, start=2)}


def slices_from_tags(tags: Mapping[str, str]) -> tuple[PurePosixPath, ...]:
    """The paths in such tags, up to the first number that is missing."""
    names = takewhile(tags.__contains__, (f"{S1}_{n}" for n in count(2)))
    return tuple(PurePosixPath(tags[name]) for name in names)


def warning_tags(warnings: Sequence[str]) -> dict[str, str]:
    """The tag of the warnings, which are known once all pixels are; empty if there are none."""
    return {WARNINGS: _BETWEEN_WARNINGS.join(warnings)}


def warnings_from_tags(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The warnings in the tags of a file."""
    return tuple(filter(None, tags.get(WARNINGS, "").split(_BETWEEN_WARNINGS)))


def displacement_tags(displacement: Displacement) -> dict[str, str]:
    """The mean as `row,col`; of a polynomial also its coefficients, as such pairs, and bounds.

    The numbers have the meaning of `core.displacement.PolynomialDisplacement`.
    """
    tags = {SHIFT: _shift_text(mean_shift(displacement))}
    if isinstance(displacement, PolynomialDisplacement):
        pairs = (f"{row:.4f},{col:.4f}" for row, col in displacement.coefficients)
        tags[COEFFICIENTS] = " ".join(pairs)
        tags[BOUNDS] = ",".join(f"{bound:.4f}" for bound in displacement.bounds)
    return tags


def displacement_from_tags(tags: Mapping[str, str], height: int, width: int) -> Displacement:
    """The displacement in the tags of a raster of that size; no shift if there is none.

    Damaged coefficients leave the mean, a damaged mean leaves no shift.
    """
    pairs = [tag_numbers(pair) for pair in tags.get(COEFFICIENTS, "").split()]
    coefficients = tuple((pair[0], pair[1]) for pair in pairs if len(pair) == 2)
    if len(coefficients) < len(pairs) or len(pairs) not in _DEGREES:
        return _shift(tags.get(SHIFT, "")) or NO_SHIFT
    polynomial = PolynomialDisplacement(_DEGREES[len(pairs)], coefficients, height, width)
    bounds = tag_numbers(tags.get(BOUNDS, ""))
    return replace(polynomial, bounds=bounds) if len(bounds) == 4 else polynomial


def acquisition_tags(seen: Acquisition) -> dict[str, str]:
    """When and from where Sentinel-1 was acquired, as far as known; `descending 22` for orbits."""
    number = None if seen.relative_orbit is None else str(seen.relative_orbit)
    known = {
        S1_ACQUIRED: seen.acquired.isoformat() if seen.acquired else None,
        S1_PLATFORM: seen.platform,
        S1_ORBIT: " ".join(filter(None, (seen.orbit_direction, number))),
    }
    return {name: text for name, text in known.items() if text}


def acquisition_from_tags(tags: Mapping[str, str]) -> Acquisition | None:
    """The acquisition in such tags; None if there are none."""
    if not {S1_ACQUIRED, S1_PLATFORM, S1_ORBIT} & set(tags):
        return None
    words = tags.get(S1_ORBIT, "").split()
    numbers = [word for word in words if _ORBIT.fullmatch(word)]
    directions = [word for word in words if word in _DIRECTIONS]
    return Acquisition(
        platform=tags.get(S1_PLATFORM),
        acquired=_time(tags.get(S1_ACQUIRED)),
        orbit_direction=directions[0] if directions else None,
        relative_orbit=int(numbers[0]) if numbers else None,
    )


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    # A time without a zone cannot be compared with one that has a zone.
    return found if found and found.tzinfo else None


def _shift_text(shift: Shift) -> str:
    return f"{shift.row:.3f},{shift.col:.3f}"


def _shift(text: str) -> Shift | None:
    pair = tag_numbers(text)
    return Shift(*pair) if len(pair) == 2 else None


@dataclass(frozen=True)
class _Tag:
    """The tag of one field: its name, and its text from and to the value."""

    name: str
    write: Callable[[Any], str] = str
    read: Callable[[str], Any] = str


def _path(name: str) -> _Tag:
    return _Tag(name, PurePosixPath.as_posix, lambda text: PurePosixPath(text) if text else None)


def _number(name: str, digits: str) -> _Tag:
    return _Tag(name, lambda value: format(value, digits), tag_number)


# The fields that have one tag each.
_TAGS = {
    "version": _Tag(VERSION),
    "model": _Tag("CLOUDFREE_MODEL"),
    "model_sha256": _Tag("CLOUDFREE_MODEL_SHA256"),
    "model_license": _Tag("CLOUDFREE_MODEL_LICENSE"),
    "s2": _path("CLOUDFREE_S2"),
    "s1": _path(S1),
    "dem": _path("CLOUDFREE_DEM"),
    "mask": _path("CLOUDFREE_MASK"),
    "mask_threshold": _number("CLOUDFREE_MASK_THRESHOLD", "g"),
    "mask_dilate": _Tag("CLOUDFREE_MASK_DILATE"),
    "filled": _path("CLOUDFREE_FILLED"),
    "uncertainty": _path("CLOUDFREE_UNCERTAINTY"),
    "used_mask": _path("CLOUDFREE_USED_MASK"),
    "s1_units": _Tag("CLOUDFREE_S1_UNITS"),
    "s2_offset": _number("CLOUDFREE_S2_OFFSET", "g"),
    "shift_model": _Tag("CLOUDFREE_SHIFT_MODEL"),
    "shift_reason": _Tag("CLOUDFREE_SHIFT_REASON"),
    "shift_measured": _Tag("CLOUDFREE_SHIFT_MEASURED_PX", _shift_text, _shift),
    "shift_applied": _Tag(
        "CLOUDFREE_SHIFT_APPLIED", lambda applied: "yes" if applied else "no", "yes".__eq__
    ),
    "shift_reliability": _number("CLOUDFREE_SHIFT_RELIABILITY", ".3f"),
    "adapted": _Tag("CLOUDFREE_ADAPTED"),
    "adapted_gain_db": _number("CLOUDFREE_ADAPTED_GAIN_DB", ".2f"),
    "adapted_share": _number("CLOUDFREE_ADAPTED_SHARE", "g"),
    "gap_days": _number("CLOUDFREE_GAP_DAYS", ".2f"),
}
