"""How large a page may become, so that it can still be sent by mail."""

from __future__ import annotations

from cloudfree.errors import ErrorCode, InputError

MB = 1_000_000

# Most mail servers take 25 MB a message, in which attachments grow by a third (RFC 2045, 6.8).
LARGEST_PAGE_MB = 18.0

# What a page has besides results, and a result besides pictures: tables, histograms, legends.
FRAME_BYTES = 50_000
TEXT_BYTES = 60_000
# Fewer bytes hold no pictures that are worth a look.
LEAST_PICTURES_BYTES = 20_000


def picture_bytes(results: int, largest_mb: float) -> int:
    """How many bytes the pictures of each of several results on one page may take.

    Raises
    ------
    InputError
        Too many results for a page of that size.
    """
    share = int((largest_mb * MB - FRAME_BYTES) / results) - TEXT_BYTES
    if share >= LEAST_PICTURES_BYTES:
        return share
    least = (results * (TEXT_BYTES + LEAST_PICTURES_BYTES) + FRAME_BYTES) / MB
    raise InputError(
        f"{results} result{'s' if results > 1 else ''} on a page of {largest_mb:g} MB",
        wanted=f"{least:.2g} MB or more for so many",
        hint="give the folder of the results instead, for an index and a page of each, or raise "
        "--max-size",
        code=ErrorCode.BAD_OPTION,
    )


def check_page_size(page: str, largest_mb: float) -> None:
    """Check that a page is not larger than it may be.

    Raises
    ------
    InputError
        Its text alone is too long.
    """
    size = len(page.encode())
    if size > largest_mb * MB:
        raise InputError(
            f"a page of {size / MB:.1f} MB",
            wanted=f"at most {largest_mb:g} MB",
            hint="raise --max-size, or show fewer results",
            code=ErrorCode.BAD_OPTION,
        )
