"""The index of a folder: every result, every failure, nothing that is not text."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest

from cloudfree.report.class_shares import ClassShare
from cloudfree.report.index_page import (
    FailedScene,
    IndexEntry,
    Thumbnail,
    render_index,
    thumbnail_bytes,
)
from cloudfree.report.page_size import LARGEST_PAGE_MB, MB
from tests.report.test_page import EVIL, Parsed


def thumbnail(label: str, size: int = 100) -> Thumbnail:
    return Thumbnail(label, f"{label}, in true colour", f"data:image/jpeg;base64,{'A' * size}")


ENTRY = IndexEntry(
    title="april_cloudfree.tif",
    thumbnails=(thumbnail("Before"), thumbnail("After")),
    filled=0.3,
    unfilled=0.125,
    shares=(ClassShare("original", (34, 94, 60), 0.7), ClassShare("filled", (232, 160, 48), 0.3)),
    references=2,
    warnings=("no radar over 3 %",),
    page="april_cloudfree.html",
)
FAILED = FailedScene("may", "unreadable", "s1.tif cannot be opened", "2024-05-04T10:50:31+00:00")


def index_of(*entries: IndexEntry, failures=(FAILED,), largest: float = LARGEST_PAGE_MB):
    page = render_index("filled", entries, failures, "0.1.0", largest)
    return page, Parsed(page)


def test_a_result_has_its_pictures_its_cover_and_a_link() -> None:
    _, parsed = index_of(ENTRY)
    words = " ".join(parsed.text.split())
    assert "42.5 % cloud and shadow, 12.5 % not filled; 2 other dates; 1 warning" in words
    assert [a["href"] for a in parsed.all("a")] == ["./april_cloudfree.html"]
    assert [a["alt"] for a in parsed.all("img")] == [
        "Before, in true colour", "After, in true colour"
    ]  # fmt: skip
    assert "1 result, 1 failed" in words


def test_a_result_without_a_page_has_no_link() -> None:
    _, parsed = index_of(replace(ENTRY, page=None, filled=None))
    assert parsed.all("a") == []
    assert "Cover unknown" in parsed.text


def test_a_failure_has_its_code_and_reason() -> None:
    _, parsed = index_of(ENTRY)
    cells = " ".join(parsed.text.split())
    assert "may unreadable s1.tif cannot be opened 2024-05-04 10:50" in cells
    assert "Failed" not in index_of(ENTRY, failures=())[1].text


def test_a_folder_where_all_failed_has_an_index() -> None:
    _, parsed = index_of()
    assert "0 results, 1 failed" in " ".join(parsed.text.split())
    assert parsed.all("input") == []


def test_names_codes_and_reasons_that_look_like_markup_stay_text() -> None:
    entry = replace(ENTRY, title=EVIL, page=EVIL, shares=(ClassShare(EVIL, (34, 94, 60), 1.0),))
    page, parsed = index_of(entry, failures=(FailedScene(EVIL, EVIL, EVIL, EVIL),))
    assert "<script>alert" not in page
    assert len(parsed.all("script")) == 1
    assert parsed.text.count(EVIL) == 5
    (link,) = [a["href"] for a in parsed.all("a")]
    assert link.startswith("./")
    assert unquote(link) == f"./{EVIL}"


def test_a_name_cannot_be_an_address() -> None:
    (link,) = index_of(replace(ENTRY, page="javascript:alert(1).html"))[1].all("a")
    assert link["href"] == "./javascript%3Aalert%281%29.html"


@pytest.mark.parametrize("count", [1, 40, 400])
def test_thumbnails_of_all_results_fit_into_the_page(count: int) -> None:
    room = thumbnail_bytes(count, 4)
    entry = replace(ENTRY, thumbnails=(thumbnail("After", room - 22),))
    page, parsed = index_of(*[entry] * count, largest=4)
    assert 0.5 * 4 * MB < len(page.encode()) <= 4 * MB
    assert len(parsed.all("img")) == count


def test_where_thumbnails_have_no_room_the_page_says_so() -> None:
    assert thumbnail_bytes(400, 2) == 0
    page, parsed = index_of(*[replace(ENTRY, thumbnails=())] * 400, largest=2)
    assert len(page.encode()) <= 2 * MB
    assert "With pictures of so many results this page would be larger than 2 MB." in parsed.text
    assert "With pictures" not in index_of(ENTRY)[1].text


def test_the_policy_of_the_index_is_that_of_its_own_script() -> None:
    page, parsed = index_of(ENTRY)
    (policy,) = [a["content"] for a in parsed.all("meta") if a.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert not re.search(r"https?:|@import|url\(| style=| on\w+=", page)
