"""What filled a scene, in its tags and in words."""

from __future__ import annotations

import pytest

from cloudfree.raster.parts import Parts, parts_from_tags

PARTS = Parts(0.25, 0.041, 0.052, 0.033)


def test_tags_give_back_what_they_were_made_of() -> None:
    assert parts_from_tags(PARTS.to_tags()) == PARTS


@pytest.mark.parametrize("tag", PARTS.to_tags())
def test_missing_and_damaged_tags_are_none(tag: str) -> None:
    tags = PARTS.to_tags()
    assert parts_from_tags({**tags, tag: "much"}) is None
    del tags[tag]
    assert parts_from_tags(tags) is None


def test_the_summary_names_weight_and_errors() -> None:
    assert PARTS.summary() == (
        "filled by the model (25%) and the scene itself; error on clear ground 0.0330 "
        "(model alone 0.0520, scene alone 0.0410)"
    )
