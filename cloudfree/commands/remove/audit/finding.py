"""What an audit finds: a stable code, a sentence, and the figure with its limit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Tag of a result with the codes of its findings, or `passed`.
AUDIT, PASSED = "CLOUDFREE_AUDIT", "passed"


class FindingCode(StrEnum):
    """What makes a result doubtful, for programs; docs/reliability.md describes each."""

    COLOUR_CAST = "colour_cast"
    LARGE_MASK = "large_mask"
    SEAM = "seam"
    UNLIKE_RADAR = "unlike_radar"
    WEAVE = "weave"


@dataclass(frozen=True)
class Finding:
    """A doubt about a result: `measured` lies beyond `limit`, which good results keep."""

    code: FindingCode
    message: str
    measured: float
    limit: float


def audit_tags(findings: tuple[Finding, ...]) -> dict[str, str]:
    """The tag of a result that has been audited."""
    return {AUDIT: " ".join(one.code for one in findings) or PASSED}
