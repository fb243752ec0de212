"""A day, or the days from one to another, in the words of RFC 3339 with a slash between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from cloudfree.errors import ErrorCode, InputError

_BETWEEN, _DAY = "/", timedelta(days=1)
_LAST_OF_DAY = time(23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True)
class Period:
    """A time from `start` to `end`, in UTC."""

    start: datetime
    end: datetime

    @classmethod
    def from_text(cls, text: str, option: str = "--date") -> Period:
        """`2022-06-05`, or `2022-06-01/2022-06-30`, as the value of an option.

        Raises
        ------
        InputError
            It is no such text, or ends before it starts.
        """
        first, _, last = text.partition(_BETWEEN)
        try:
            days = [date.fromisoformat(day.strip()) for day in (first, last or first)]
        except ValueError as error:
            raise _no_period(text, option) from error
        if days[1] < days[0]:
            raise _no_period(text, option)
        start = datetime.combine(days[0], time(tzinfo=UTC))
        return cls(start, datetime.combine(days[1], _LAST_OF_DAY))

    @classmethod
    def around(cls, moment: datetime, days: float) -> Period:
        """The time of at most so many days from a moment."""
        return cls(_shifted(moment, -days), _shifted(moment, days))

    def is_near(self, moment: datetime) -> bool:
        """Whether a moment lies in it, or less than a day before or after."""
        return self.start - moment < _DAY and moment - self.end < _DAY

    def to_text(self) -> str:
        """As RFC 3339, with a slash between."""
        # `strftime` has no zeros before the years of the first millennium.
        moments = (one.replace(tzinfo=None) for one in (self.start, self.end))
        return _BETWEEN.join(f"{one.isoformat(timespec='seconds')}Z" for one in moments)


def _shifted(moment: datetime, days: float) -> datetime:
    """So many days later, or the first or last moment that there is."""
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return (datetime.max if days > 0 else datetime.min).replace(tzinfo=UTC)


def _no_period(text: str, option: str) -> InputError:
    return InputError(
        f"{option} {text}",
        wanted="a day such as 2022-06-05, or two such as 2022-06-01/2022-06-30",
        hint=f"correct {option}",
        code=ErrorCode.BAD_OPTION,
    )
