"""Bars by group and model."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.report.bar_chart import (
    BOTTOM,
    COLOURS,
    LEGEND_PX,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    TOP,
    Bar,
    Panel,
    axis_of,
    draw_bars,
)


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=8), st.booleans())
def test_an_axis_holds_all_values_with_few_round_ticks(values: list[float], zero: bool) -> None:
    ticks = axis_of(values, zero)
    assert ticks[0] <= min(values) * (1 + 1e-9)
    assert ticks[-1] >= max(values) * (1 - 1e-9)
    assert 2 <= len(ticks) <= 9
    assert ticks[0] == 0 if zero else ticks[0] < min(values)


def test_an_axis_of_one_value_or_of_zeros_has_a_length() -> None:
    for values in ([0.0], [25.0], [0.0, 0.0]):
        for zero in (True, False):
            ticks = axis_of(values, zero)
            assert ticks[-1] > ticks[0]


def _heights(chart: np.ndarray) -> list[int]:
    """How many pixels each colour has in its highest column, below the legend."""
    panel = chart[LEGEND_PX:, :PANEL_WIDTH, :3]
    return [int((panel == colour).all(axis=2).sum(axis=0).max()) for colour in COLOURS]


def test_bars_are_as_high_as_their_values() -> None:
    bars = ((Bar(10.0), Bar(20.0), Bar(None)), (Bar(5.0), Bar(20.0, 0.0), Bar(float("inf"))))
    chart = draw_bars(["a", "b"], ["m", "n", "o"], [Panel("SAM", bars, from_zero=True)])
    assert chart.shape == (LEGEND_PX + PANEL_HEIGHT, 2 * PANEL_WIDTH, 4)
    first, second, third, *_ = _heights(chart)
    assert abs(second - (PANEL_HEIGHT - TOP - BOTTOM)) <= 3
    assert abs(2 * first - second) <= 3
    assert third == 0, "nothing is drawn for no value"


def test_many_models_take_a_second_line_of_the_legend() -> None:
    models = [f"a model with a long name, number {number}" for number in range(12)]
    bars = (tuple(Bar(1.0) for _ in models),)
    chart = draw_bars(["a"], models, [Panel("MAE", bars, from_zero=True)])
    assert chart.shape[0] > LEGEND_PX + PANEL_HEIGHT
