"""The rows of the table of what filled clouds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudfree.raster.parts import Parts
from cloudfree.report.parts_table import PartRow, part_rows


def test_each_part_has_its_weight_and_its_error() -> None:
    assert part_rows(Parts(0.25, 0.041, 0.052, 0.033)) == (
        PartRow("the scene itself", "75 %", "0.0410"),
        PartRow("the model", "25 %", "0.0520"),
        PartRow("both", "100 %", "0.0330"),
    )


@given(st.integers(0, 100))
def test_the_weights_of_the_parts_are_all_of_it(percent: int) -> None:
    scene, model, both = part_rows(Parts(percent / 100, 0.1, 0.1, 0.1))
    assert model.weight == f"{percent} %"
    assert scene.weight == f"{100 - percent} %"
    assert both.weight == "100 %"
