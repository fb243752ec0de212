"""The radiometric offset of digital numbers, decided by ordered evidence.

Since processing baseline 04.00 (25 January 2022) products hold `DN + 1000`; what is added to a
number to undo that is the offset, 0 or -1000. Source: S2 Products Specification Document, PSD-14.9,
RADIO_ADD_OFFSET and BOA_ADD_OFFSET.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cloudfree.errors import ErrorCode, InputError

NO_OFFSET, OFFSET = 0.0, -1000.0

# The baseline that brought the offset, as in N0400 and in 04.00.
FIRST_WITH_OFFSET = 400

# In the order of their weight.
Source = Literal["flag", "metadata", "band tag", "STAC", "name", "statistics", "reflectance"]

_HINT = "give it with --s2-offset: 0 before processing baseline 04.00, -1000 since"


@dataclass(frozen=True)
class OffsetEvidence:
    """Evidence of the offset; `offset_dn` is None if it is inconclusive."""

    source: Source
    offset_dn: float | None
    reason: str


@dataclass(frozen=True)
class OffsetDecision:
    """The offset added to digital numbers, the source and reason of the decision, all evidence."""

    offset_dn: float
    source: Source
    reason: str
    evidence: tuple[OffsetEvidence, ...] = ()


REFLECTANCE = OffsetDecision(
    NO_OFFSET, "reflectance", "the numbers are reflectance, not digital numbers"
)


def flag_evidence(offset_dn: float) -> OffsetEvidence:
    """The user's choice as evidence.

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
            code=ErrorCode.BAD_OPTION,
        )
    return OffsetEvidence("flag", offset_dn, f"{offset_dn:g} as given with --s2-offset")


def baseline_offset(baseline: str) -> float | None:
    """The offset of a processing baseline such as 04.00 or N0400; None for no baseline."""
    digits = baseline.upper().removeprefix("N").replace(".", "")
    if not digits.isdigit():
        return None
    return OFFSET if int(digits) >= FIRST_WITH_OFFSET else NO_OFFSET


def baseline_evidence(source: Source, baseline: str, where: str) -> OffsetEvidence:
    """Evidence of a processing baseline that was found in `where`."""
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
    """Evidence of the offsets of the bands: one item for each distinct offset."""
    return tuple(
        OffsetEvidence(source, offset, f"{offset:g} by {what} in {where}")
        for offset in sorted(set(offsets_dn))
    )


def decide_offset(evidence: Iterable[OffsetEvidence], name: str) -> OffsetDecision:
    """The offset of the first conclusive evidence, unless other evidence contradicts it.

    A flag overrules everything. `evidence` is in the order of its weight.

    Raises
    ------
    InputError
        No evidence is conclusive, two contradict each other, or no product has such an offset.
    """
    collected = tuple(evidence)
    decisive = [one for one in collected if one.offset_dn is not None]
    if not decisive:
        raise _undecided(collected, name)
    first = decisive[0]
    for other in decisive[1:]:
        if first.source != "flag" and other.offset_dn != first.offset_dn:
            raise _contradicted(first, other, name)
    assert first.offset_dn is not None
    if first.offset_dn not in (NO_OFFSET, OFFSET):
        raise InputError(
            f"radiometric offset of {name}: {first.reason}",
            wanted=f"{NO_OFFSET:g} or {OFFSET:g}, the only offsets that Sentinel-2 products have",
            hint=_HINT,
            code=ErrorCode.UNKNOWN_OFFSET,
        )
    return OffsetDecision(first.offset_dn, first.source, first.reason, collected)


def _undecided(evidence: tuple[OffsetEvidence, ...], name: str) -> InputError:
    reasons = "; ".join(one.reason for one in evidence) or "no metadata"
    return InputError(
        f"the radiometric offset of {name} is not known ({reasons})",
        wanted="metadata, a product name with its baseline, or dark pixels that show it",
        hint=_HINT,
        code=ErrorCode.UNKNOWN_OFFSET,
    )


def _contradicted(first: OffsetEvidence, other: OffsetEvidence, name: str) -> InputError:
    return InputError(
        f"contradicting radiometric offsets of {name}: {first.reason} ({first.source}), but "
        f"{other.reason} ({other.source})",
        wanted="evidence that agrees",
        hint=_HINT,
        code=ErrorCode.UNKNOWN_OFFSET,
    )
