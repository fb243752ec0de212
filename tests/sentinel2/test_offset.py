"""The chain of evidence, link by link."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.errors import InputError
from cloudfree.sentinel2.offset import (
    OffsetEvidence,
    baseline_evidence,
    baseline_offset,
    decide_offset,
    flag_evidence,
    stated_offsets,
)

METADATA = OffsetEvidence("metadata", -1000, "-1000 by RADIO_ADD_OFFSET in MTD_MSIL1C.xml")
TAG = OffsetEvidence("band tag", 0, "0 by the band tag RADIO_ADD_OFFSET in a.tif")
NAME = OffsetEvidence("name", -1000, "-1000 by baseline N0400 of product X, since 04.00")
DARK = OffsetEvidence("statistics", 0, "0, as 1 % of B10 lies below 8")
UNDECIDED = OffsetEvidence("statistics", None, "the darkest numbers fit both: B12 2000")


def test_the_first_conclusive_evidence_decides_and_all_is_recorded() -> None:
    decision = decide_offset((METADATA, NAME, UNDECIDED), "a.tif")
    assert (decision.offset_dn, decision.source) == (-1000, "metadata")
    assert decision.reason == METADATA.reason
    assert decision.evidence == (METADATA, NAME, UNDECIDED)
    assert decide_offset((UNDECIDED, NAME), "a.tif").source == "name"


@pytest.mark.parametrize(("one", "other"), list(permutations((METADATA, TAG, DARK), 2)))
def test_contradictions_are_refused_and_both_are_named(
    one: OffsetEvidence, other: OffsetEvidence
) -> None:
    if one.offset_dn == other.offset_dn:
        assert decide_offset((one, other), "a.tif").offset_dn == one.offset_dn
        return
    with pytest.raises(InputError) as refusal:
        decide_offset((one, UNDECIDED, other), "a.tif")
    assert str(refusal.value) == (
        f"contradicting radiometric offsets of a.tif: {one.reason} ({one.source}), but "
        f"{other.reason} ({other.source}); wanted evidence that agrees; "
        "give it with --s2-offset: 0 before processing baseline 04.00, -1000 since"
    )


@given(st.sampled_from([0.0, -1000.0]), st.permutations((METADATA, TAG, NAME, DARK, UNDECIDED)))
def test_a_flag_overrules_everything(offset: float, others: list[OffsetEvidence]) -> None:
    decision = decide_offset((flag_evidence(offset), *others), "a.tif")
    assert (decision.offset_dn, decision.source) == (offset, "flag")


@pytest.mark.parametrize("offset", [1000.0, -100.0, -0.1, float("nan")])
def test_an_offset_that_no_product_has_is_refused(offset: float) -> None:
    with pytest.raises(
        InputError, match=rf"^--s2-offset {offset:g}; wanted 0 or -1000, .*; look up the processing"
    ):
        flag_evidence(offset)


def test_without_evidence_nothing_is_guessed() -> None:
    with pytest.raises(
        InputError, match=r"offset of a\.tif is not known \(the darkest numbers fit"
    ):
        decide_offset((UNDECIDED,), "a.tif")
    with pytest.raises(InputError, match=r"not known \(no metadata\); .* give it with --s2-offset"):
        decide_offset((), "a.tif")


def test_offsets_that_differ_between_bands_are_a_contradiction() -> None:
    assert len(stated_offsets("metadata", [-1000] * 13, "RADIO_ADD_OFFSET", "x")) == 1
    with pytest.raises(InputError, match=r"-1000 by RADIO_ADD_OFFSET .* 0 by RADIO_ADD_OFFSET"):
        decide_offset(stated_offsets("metadata", [-1000, 0], "RADIO_ADD_OFFSET", "x"), "a.tif")


@pytest.mark.parametrize(
    ("baseline", "offset"),
    [("02.14", 0), ("03.01", 0), ("N0301", 0), ("04.00", -1000), ("N0400", -1000), ("05.11", -1000),
     ("N0511", -1000), ("Not applicable", None), ("", None)],
)  # fmt: skip
def test_the_baseline_04_00_brought_the_offset(baseline: str, offset: float | None) -> None:
    assert baseline_offset(baseline) == offset
    assert baseline_evidence("name", baseline, "x").offset_dn == offset


def test_an_offset_that_no_product_has_is_refused_whoever_states_it() -> None:
    stated = stated_offsets("STAC", [-10_000], "scale and offset of the bands", "item.json")
    with pytest.raises(InputError, match=r"-10000 by scale and offset .*wanted 0 or -1000"):
        decide_offset(stated, "a")
