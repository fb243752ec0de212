"""A page may run its own script and style, and load nothing."""

from __future__ import annotations

import base64
import hashlib

from cloudfree.report.content_security import content_security_policy


def _rules(policy: str) -> dict[str, str]:
    return dict(rule.split(" ", 1) for rule in policy.split("; "))


def test_nothing_is_allowed_but_what_is_in_the_page() -> None:
    rules = _rules(content_security_policy("p {}", "run()"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in str(rules)


def test_style_and_script_are_known_by_their_hashes() -> None:
    rules = _rules(content_security_policy("p {}", "run('é')"))
    for name, text in (("style-src", "p {}"), ("script-src", "run('é')")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
