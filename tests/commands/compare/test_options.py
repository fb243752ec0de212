"""What `compare` does unless it is told otherwise."""

from __future__ import annotations

from cloudfree.commands.compare.groups import parse_days
from cloudfree.commands.compare.options import CompareOptions


def test_raw_images_are_compared_in_fifths_of_cover_and_nothing_is_written() -> None:
    options = CompareOptions(("a",))
    assert (options.image, options.bins, options.baseline) == ("raw", 5, None)
    assert (options.output, options.overwrite, options.show) == (None, False, ())
    assert parse_days(options.gap_days) == (7, 14, 28)
