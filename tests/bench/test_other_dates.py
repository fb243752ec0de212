"""The bench of other dates on what is small of it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np

from tests.bench.other_dates import L2A_BANDS, OSCD_BANDS, PLACES, report
from tests.factories.scored_cases import scored_case


def test_a_report_has_what_is_wanted_and_the_worst_cases_first() -> None:
    cases = [scored_case(30), scored_case(19, truth="2018-06-01"), scored_case(25)]
    lines = report("oscd", cases, worst=2).splitlines()
    assert lines[0] == "oscd, wanted 33.5 dB; no case more than 0.3 dB below the gain"
    assert lines[-2:] == [
        "-1.00 dB, both: 2018-06-01 under 2018-07-01, 30% hidden, 700 clear pixels, "
        "from 2018-05-11 (+10 days), 2018-03-01 (-61 days)",
        "+5.00 dB, both: 2018-05-01 under 2018-07-01, 30% hidden, 700 clear pixels, "
        "from 2018-05-11 (+10 days), 2018-03-01 (-61 days)",
    ]


def test_two_dates_of_a_place_are_filled_from_each_other(data: Path) -> None:
    (_, bands, one), (_, _, other) = islice(PLACES["oscd"](data), 2)
    assert bands == OSCD_BANDS
    assert one.truth is other.others[0] and other.truth is one.others[0]
    assert one.truth.image.shape == other.truth.image.shape
    assert 0.3 < one.cover.cover < 0.8


def test_dates_of_l2a_have_their_bands_and_radar(data: Path) -> None:
    sources, bands, case = next(PLACES["BAC91C"](data))
    assert (sources, bands) == ("earlier", L2A_BANDS)
    assert case.truth.image.shape == (10, 64, 64)
    assert 0 < np.nanmedian(case.truth.image) < 0.5
    assert case.truth.radar is not None and -30 < np.median(case.truth.radar) < 0
    assert all(other.day < case.truth.day for other in case.others)
