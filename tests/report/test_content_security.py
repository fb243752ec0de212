"""A page may run its own script and style, and load nothing."""

from __future__ import annotations

import base64
import hashlib

from cloudfree.report.content_security import content_security_policy
from cloudfree.report.zoom import Zoom
from tests.report.test_page import FROM_DATES, SCENE, changed, page_of


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


def test_the_policy_has_the_hashes_of_what_stands_in_the_page():
    page, parsed = page_of(SCENE, SCENE)
    (policy,) = [a["content"] for a in parsed.all("meta") if a.get("http-equiv")]
    for start, end in (("<style>", "</style>"), ("<script>", "</script>")):
        digest = hashlib.sha256(page.split(start)[1].split(end)[0].encode()).digest()
        assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert "unsafe" not in policy


def test_no_element_has_a_style_or_a_handler_of_its_own():
    """The policy of the page would stop them."""
    _, parsed = page_of(FROM_DATES, SCENE)
    names = {name for _, attributes in parsed.tags for name in attributes}
    assert not [name for name in names if name == "style" or name.startswith("on")]


def test_what_the_script_reads_cannot_end_its_element():
    zoom = Zoom(9, 9, 10.0, {"</script><b>/": ()}, {"radar": 4})
    page, parsed = page_of(changed(zoom=zoom))
    assert "</script><b>" not in page
    assert parsed.all("b") == []
