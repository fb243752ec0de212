"""The composites that a scene's bands allow."""

from __future__ import annotations

import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.report.composites import as_colours, composites_of


@pytest.mark.parametrize(
    ("bands", "names"),
    [
        (OPTICAL_BANDS, ["true", "false", "swir"]),
        (("B02", "B03", "B04", "B08"), ["true", "false"]),
        (("B02", "B03", "B04"), ["true"]),
        (("B08",), []),
    ],
)
def test_a_composite_needs_its_three_bands(bands: tuple[str, ...], names: list[str]) -> None:
    assert [one.name for one in composites_of(bands)] == names


def test_false_colour_has_near_infrared_as_red() -> None:
    found = {one.name: one.bands for one in composites_of(OPTICAL_BANDS)}
    assert found["false"][0] == "B08"
    assert found["swir"][0] == "B11"
    assert as_colours(found["true"]) == "B04, B03, B02 as red, green, blue"
