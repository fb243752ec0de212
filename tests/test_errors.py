"""One family of errors whose texts say what was found, what was wanted and what to do."""

from __future__ import annotations

import errno
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.errors import (
    CloudfreeError,
    DamagedError,
    ErrorCode,
    InputError,
    ModelError,
    OutputError,
    code_of,
    one_line,
    parser_errors,
    reason_of,
    writing_code,
)
from tests.conftest import ROOT

KINDS = (InputError, DamagedError, ModelError, OutputError)


@pytest.mark.parametrize("kind", KINDS)
@given(found=st.text(), wanted=st.text(), hint=st.text())
def test_the_text_is_found_wanted_and_next_step(
    kind: type[CloudfreeError], found: str, wanted: str, hint: str
) -> None:
    error = kind(found, wanted=wanted, hint=hint)
    assert str(error) == one_line(f"{found}; wanted {wanted}; {hint}")
    assert (error.found, error.wanted, error.hint) == (found, wanted, hint)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_caught_as_one_of_the_family(kind: type[CloudfreeError]) -> None:
    with pytest.raises(CloudfreeError):
        raise kind("a", wanted="b", hint="c")


def test_only_damage_is_an_error_of_an_input_too() -> None:
    assert [kind for kind in KINDS if issubclass(kind, InputError)] == [InputError, DamagedError]


@pytest.mark.parametrize("missing", ["wanted", "hint"])
def test_no_refusal_goes_without_advice(missing: str) -> None:
    words = {"wanted": "b", "hint": "c"}
    del words[missing]
    with pytest.raises(TypeError, match=missing):
        InputError("a", **words)


@pytest.mark.parametrize(
    ("kind", "code"),
    list(zip(KINDS, ("bad_input", "unreadable", "model", "not_writable"), strict=True)),
)
def test_an_error_has_the_code_of_its_class_or_its_own(
    kind: type[CloudfreeError], code: str
) -> None:
    assert code_of(kind("a", wanted="b", hint="c")) == code
    assert code_of(kind("a", wanted="b", hint="c", code=ErrorCode.TIME_GAP)) == "time_gap"


def test_errors_of_the_system_are_known_by_their_numbers() -> None:
    codes = {
        OSError(errno.ENOSPC, "full"): ("no_space", "no_space"),
        OSError("Write failed: No space left on device"): ("no_space", "no_space"),
        PermissionError(errno.EACCES, "closed"): ("not_writable", "not_writable"),
        FileNotFoundError(errno.ENOENT, "gone"): ("missing_file", "not_writable"),
        TimeoutError(errno.ETIMEDOUT, "slow"): ("io", "io"),
        MemoryError(): ("out_of_memory", "out_of_memory"),
        OSError(errno.ENOMEM, "no room"): ("out_of_memory", "out_of_memory"),
        ImportError("a.so: failed to map segment from shared object"): (
            "out_of_memory",
            "out_of_memory",
        ),
        ImportError("no module a"): ("internal", "io"),
        SystemError("GDAL fails without a message"): ("internal", "io"),
    }
    assert {error: (code_of(error), writing_code(error)) for error in codes} == codes


def test_the_document_on_errors_lists_the_codes_and_what_may_be_tried_again() -> None:
    document = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (yes|no) \|$", document, flags=re.MULTILINE)
    assert rows == [(code, "yes" if code.retry else "no") for code in sorted(ErrorCode)]


@given(st.text())
def test_a_text_of_any_letters_is_one_line(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line.isprintable()
    if text.isprintable():
        assert line == text


def test_what_cannot_be_printed_is_shown_as_an_escape() -> None:
    assert one_line("a\nb\x1b[31m\0") == r"a\nb\x1b[31m\x00"
    assert str(InputError("the scene a\nb", wanted="b", hint="c")).startswith(r"the scene a\nb;")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("first\nsecond"), "first"),
        (ValueError(), "ValueError"),
        (KeyError("name"), "'name'"),
        (ValueError("x" * 1000), "x" * 300),
    ],
)
def test_the_reason_of_an_error_is_the_beginning_of_what_it_says(
    error: Exception, reason: str
) -> None:
    assert reason_of(error) == reason


def _refusal(error: Exception) -> InputError:
    return InputError(f"no numbers ({reason_of(error)})", wanted="numbers", hint="write some")


@pytest.mark.parametrize("raised", [IndexError("pop"), RecursionError("deep"), AssertionError()])
def test_whatever_a_parser_raises_is_one_refusal(raised: Exception) -> None:
    with (
        pytest.raises(InputError, match=r"no numbers \((pop|deep|AssertionError)\)") as found,
        parser_errors(_refusal),
    ):
        raise raised
    assert found.value.__cause__ is raised


@pytest.mark.parametrize(
    "raised", [ModelError("a", wanted="b", hint="c"), MemoryError("4 GB"), KeyboardInterrupt()]
)
def test_refusals_and_a_lack_of_memory_stay_what_they_are(raised: BaseException) -> None:
    with pytest.raises(type(raised)) as found, parser_errors(_refusal):
        raise raised
    assert found.value is raised
