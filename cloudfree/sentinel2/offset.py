"""Deciding the radiometric offset of digital numbers from ordered evidence.

Since processing baseline 04.00 (25 January 2022) products hold `DN + 1000`; what is added to a
number to undo that is the offset, 0 or -1000. Source: S2 Products Specification Document, PSD-14.9,
RADIO_ADD_OFFSET and BOA_ADD_OFFSET.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cloudfree.errors import InputError

NO_OFFSET, OFFSET = 0.0, -1000.0

# The baseline that brought the offset, as in N0400 and in 04.00.
FIRST_WITH_OFFSET = 400

# In the order of their weight.
Source = Literal["flag", "metadata", "band tag", "STAC", "name", "statistics", "reflectance"]

_WAY_OUT = "say it with --s2-offset: 0 before processing baseline 04.00, -1000 since"


@dataclass(frozen=True)
class OffsetEvidence:
    """What one witness says of the offset; `offset_dn` is None where it cannot tell."""

    source: Source
    offset_dn: float | None
    says: str


@dataclass(frozen=True)
class OffsetDecision:
    """What is added to digital numbers, who decided it and why, and all that was heard."""

    offset_dn: float
    source: Source
    reason: str
    evidence: tuple[OffsetEvidence, ...] = ()


REFLECTANCE = OffsetDecision(
    NO_OFFSET, "reflectance", "the numbers are reflectance, not digital numbers"
)


def flag_evidence(offset_dn: float) -> OffsetEvidence:
    """What the user says.

    Raises
    ------
    InputError
        No Sentinel-2 product has such an offset.
    """
    if offset_dn not in (NO_OFFSET, OFFSET):
        raise InputError(
            f"--s2-offset {offset_dn:g}",
            wanted=f"{NO_OFFSET:g} or {OFFSET:g}, the only offsets that Sentinel-2 products have",
            hint="look up the processing baseline: 0 before 04.00, -1000 since",
        )
    return OffsetEvidence("flag", offset_dn, f"{offset_dn:g} as given with --s2-offset")


def baseline_offset(baseline: str) -> float | None:
    """The offset of a processing baseline such as 04.00 or N0400; None for no baseline."""
    digits = baseline.upper().removeprefix("N").replace(".", "")
    if not digits.isdigit():
        return None
    return OFFSET if int(digits) >= FIRST_WITH_OFFSET else NO_OFFSET


def baseline_evidence(source: Source, baseline: str, where: str) -> OffsetEvidence:
    """What a processing baseline says that was found in `where`."""
    offset = baseline_offset(baseline)
    if offset is None:
        return OffsetEvidence(source, None, f"no processing baseline in {where} ({baseline!r})")
    since = "since" if offset == OFFSET else "before"
    return OffsetEvidence(
        source, offset, f"{offset:g} by baseline {baseline} of {where}, {since} 04.00"
    )


def stated_offsets(
    source: Source, offsets_dn: Iterable[float], what: str, where: str
) -> tuple[OffsetEvidence, ...]:
    """What the offsets of the bands say: one voice for each different offset."""
    return tuple(
        OffsetEvidence(source, offset, f"{offset:g} by {what} in {where}")
        for offset in sorted(set(offsets_dn))
    )


def decide_offset(evidence: Iterable[OffsetEvidence], name: str) -> OffsetDecision:
    """The offset that the first witness names, if no other one contradicts; a flag overrules all.

    `evidence` is in the order of its weight.

    Raises
    ------
    InputError
        Nobody can tell, or two contradict each other.
    """
    heard = tuple(evidence)
    decisive = [one for one in heard if one.offset_dn is not None]
    if not decisive:
        raise _undecided(heard, name)
    first = decisive[0]
    for other in decisive[1:]:
        if first.source != "flag" and other.offset_dn != first.offset_dn:
            raise _contradicted(first, other, name)
    assert first.offset_dn is not None
    return OffsetDecision(first.offset_dn, first.source, first.says, heard)


def _undecided(heard: tuple[OffsetEvidence, ...], name: str) -> InputError:
    told = "; ".join(one.says for one in heard) or "no metadata"
    return InputError(
        f"the radiometric offset of {name} is not known ({told})",
        wanted="metadata, a product name with its baseline, or dark pixels that show it",
        hint=_WAY_OUT,
    )


def _contradicted(first: OffsetEvidence, other: OffsetEvidence, name: str) -> InputError:
    return InputError(
        f"contradicting radiometric offsets of {name}: {first.says} ({first.source}), but "
        f"{other.says} ({other.source})",
        wanted="evidence that agrees",
        hint=_WAY_OUT,
    )
