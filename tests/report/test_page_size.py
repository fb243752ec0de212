"""Pages stay small enough for mail."""

from __future__ import annotations

import pytest

from cloudfree.errors import InputError
from cloudfree.report.page_size import (
    FRAME_BYTES,
    LARGEST_PAGE_MB,
    MB,
    TEXT_BYTES,
    check_page_size,
    picture_bytes,
)


def test_a_page_fits_into_a_mail_of_25_mb() -> None:
    assert LARGEST_PAGE_MB * 4 / 3 <= 25


@pytest.mark.parametrize("results", [1, 2, 7, 100])
def test_shares_and_text_of_all_results_fit_together(results: int) -> None:
    share = picture_bytes(results, LARGEST_PAGE_MB)
    whole = FRAME_BYTES + results * (TEXT_BYTES + share)
    assert LARGEST_PAGE_MB * MB - results <= whole <= LARGEST_PAGE_MB * MB


def test_too_many_results_are_refused_with_the_size_they_would_need() -> None:
    message = (
        r"300 results on a page of 18 MB; wanted 24 MB or more for so many; "
        r"give the folder of the results instead, .*--max-size"
    )
    with pytest.raises(InputError, match=message):
        picture_bytes(300, 18)
    assert picture_bytes(300, 25) > 0
    with pytest.raises(InputError, match=r"^1 result on a page of 0\.01 MB"):
        picture_bytes(1, 0.01)


def test_a_page_is_measured_in_bytes() -> None:
    check_page_size("é" * 500_000, 1)
    with pytest.raises(InputError, match=r"a page of 1\.0 MB; wanted at most 1 MB"):
        check_page_size("é" * 500_001, 1)
