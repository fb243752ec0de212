"""Numbers in the tags of a file, which may come from anywhere: within their ranges, or unknown."""

from __future__ import annotations

# No number of a tag is larger: days, pixels, digital numbers, decibels.
_LARGEST = 1e6


def tag_number(text: str | None, low: float = -_LARGEST, high: float = _LARGEST) -> float | None:
    """The number of a tag; None if there is none from `low` to `high`."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if low <= number <= high else None  # not a number is neither


def tag_share(text: str | None) -> float | None:
    """A share, 0 to 1, of a tag; None if it has none."""
    return tag_number(text, 0.0, 1.0)


def tag_numbers(text: str) -> tuple[float, ...]:
    """The numbers between commas; none if one of them is damaged."""
    found = [tag_number(part) for part in text.split(",")]
    known = tuple(number for number in found if number is not None)
    return known if len(known) == len(found) else ()
