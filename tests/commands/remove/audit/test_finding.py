"""Codes of findings, as tags have them."""

from __future__ import annotations

from cloudfree.commands.remove.audit.finding import AUDIT, Finding, FindingCode, audit_tags


def test_a_result_without_findings_has_passed() -> None:
    assert audit_tags(()) == {AUDIT: "passed"}


def test_tags_have_the_codes_of_all_findings() -> None:
    found = [Finding(code, "", 2.0, 1.0) for code in (FindingCode.SEAM, FindingCode.WEAVE)]
    assert audit_tags(tuple(found)) == {AUDIT: "seam weave"}
