"""Dates and times in ISO 8601, as times in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

# Of a date the time of day is not known: at noon at most half a day is missed.
NOON = time(12, tzinfo=UTC)


def time_of(text: str) -> datetime:
    """The time, in UTC, of a date or a date with a time; noon of a date, UTC without a zone.

    Raises
    ------
    ValueError
        It is neither.
    """
    try:
        return datetime.combine(date.fromisoformat(text), NOON)
    except ValueError:
        return in_utc(datetime.fromisoformat(text))


def utc_time(text: str | None) -> datetime | None:
    """The time of a text in ISO 8601, in UTC; None if it is none."""
    try:
        return in_utc(datetime.fromisoformat(text or ""))
    except ValueError:
        return None


def in_utc(moment: datetime) -> datetime:
    """A time in UTC, which one without a zone is taken for.

    Raises
    ------
    ValueError
        It lies beyond the years that Python knows.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment} in UTC is beyond all years") from error
