"""What is held out of a data set: patches, places, seasons, and the days from one to another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloudfree.core.dated_names import dated
from cloudfree.core.period import Period
from cloudfree.datasets.patch import Sample
from cloudfree.errors import ErrorCode, InputError
from cloudfree.sentinel2.detect_product import find_product

_DAYS = re.compile(r"\d{4}-\d\d-\d\d(/\d{4}-\d\d-\d\d)?")


@dataclass(frozen=True)
class HoldOut:
    """Names of patches, places and seasons, and periods of the optical image that is filled."""

    names: frozenset[str]
    periods: tuple[Period, ...]

    def holds(self, sample: Sample) -> bool:
        """Whether a sample is held out.

        Raises
        ------
        InputError
            Periods are held out, and the sample has no date, or several.
        """
        if {sample.name, sample.place, sample.season} & self.names:
            return True
        if not self.periods:
            return False
        day = acquired(sample)
        return any(one.start <= day <= one.end for one in self.periods)


def read_hold_out(texts: Sequence[str], samples: Sequence[Sample]) -> HoldOut:
    """What texts hold out of samples: names that they have, or days (2018-06-01/2018-08-31).

    Raises
    ------
    InputError
        A text is neither.
    """
    known = {name for one in samples for name in (one.name, one.place, one.season) if name}
    names = frozenset(known & set(texts))
    periods = sorted(text for text in set(texts) - names if _DAYS.fullmatch(text))
    if unknown := sorted(set(texts) - names - set(periods)):
        raise InputError(
            f"no patch or place {unknown[0]} to hold out",
            wanted=f"names such as {samples[0].place}, a season, or days such as "
            "2018-06-01/2018-08-31",
            hint="correct --hold-out",
            code=ErrorCode.BAD_OPTION,
        )
    return HoldOut(names, tuple(Period.from_text(text, "--hold-out") for text in periods))


def acquired(sample: Sample) -> datetime:
    """When the image that is filled was acquired, by its metadata or else its name.

    Raises
    ------
    InputError
        Neither says, or the sample is a time series.
    """
    if sample.series:
        raise InputError(
            f"days held out of the time series {sample.name}, which has many",
            wanted="patches of one date, or a place or season to hold out",
            hint="correct --hold-out",
            code=ErrorCode.BAD_OPTION,
        )
    found = dated(find_product(sample.optical).acquisition, sample.optical).acquired
    if found is None:
        raise InputError(
            f"no date of {sample.name} in {sample.optical.name}, of which days are held out",
            wanted="a day in the name, such as north_20180605_s2_cloudy.tif, or in the metadata",
            hint="rename the files, or hold out places or seasons",
            code=ErrorCode.BAD_OPTION,
        )
    return found
