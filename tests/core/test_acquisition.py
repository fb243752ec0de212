"""The gap between two acquisitions is a distance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.acquisition import UNKNOWN, Acquisition

acquisitions = st.datetimes(timezones=st.just(UTC)).map(lambda time: Acquisition(acquired=time))


@given(acquisitions, acquisitions)
def test_the_gap_is_symmetric_and_never_negative(one: Acquisition, other: Acquisition) -> None:
    gap = one.gap(other)
    assert gap is not None
    assert gap == other.gap(one) >= timedelta(0)
    assert one.gap(one) == timedelta(0)


def test_a_gap_needs_two_dates() -> None:
    dated = Acquisition(acquired=datetime(2021, 4, 24, tzinfo=UTC))
    assert dated.gap(UNKNOWN) is None
    assert UNKNOWN.gap(dated) is None
