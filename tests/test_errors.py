"""One family of errors whose texts say what was found, what was wanted and what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.errors import CloudfreeError, DamagedError, InputError, ModelError, OutputError

KINDS = (InputError, DamagedError, ModelError, OutputError)


@pytest.mark.parametrize("kind", KINDS)
@given(found=st.text(), wanted=st.text(), hint=st.text())
def test_the_text_is_found_wanted_and_next_step(
    kind: type[CloudfreeError], found: str, wanted: str, hint: str
) -> None:
    error = kind(found, wanted=wanted, hint=hint)
    assert str(error) == f"{found}; wanted {wanted}; {hint}"
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
