"""Bar charts: one panel for each metric, in it a bar for each group and model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cloudfree.report.canvas import Canvas, text_width
from cloudfree.report.pictures import Rgb, UInt8Image

# Colours that also readers who are colour-blind tell apart (Okabe and Ito, "Color Universal
# Design", 2008); more models begin anew.
COLOURS: tuple[Rgb, ...] = (
    (153, 153, 153),
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (213, 94, 0),
    (204, 121, 167),
    (86, 180, 233),
    (240, 228, 66),
)
GRID: Rgb = (221, 221, 221)

PANEL_WIDTH, PANEL_HEIGHT = 460, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 34, 34
LEGEND_PX = 26
COLUMNS = 2
TICKS = 5
# Share of a group that its bars take.
BARS = 0.8


@dataclass(frozen=True)
class Bar:
    """The height of a bar, None for none, and its deviation to both sides, None if unknown."""

    value: float | None
    deviation: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is a bar to draw."""
        return self.value is not None and math.isfinite(self.value)


@dataclass(frozen=True)
class Panel:
    """Bars by group, (group, model).

    With `from_zero` the axis begins at zero, else below the lowest bar: decibels have no zero.
    """

    title: str
    bars: tuple[tuple[Bar, ...], ...]
    from_zero: bool


def draw_bars(groups: Sequence[str], models: Sequence[str], panels: Sequence[Panel]) -> UInt8Image:
    """The panels in two columns, (y, x, 4), with the models named above."""
    rows = math.ceil(len(panels) / COLUMNS)
    width = COLUMNS * PANEL_WIDTH
    lines = _legend_lines(models, width - LEFT)
    head = LEGEND_PX * len(lines)
    canvas = Canvas(width, head + rows * PANEL_HEIGHT)
    for number, line in enumerate(lines):
        _draw_legend(canvas, models, line, LEGEND_PX * number)
    for index, panel in enumerate(panels):
        row, column = divmod(index, COLUMNS)
        _draw_panel(canvas, groups, panel, column * PANEL_WIDTH, head + row * PANEL_HEIGHT)
    return canvas.finished()


def _legend_lines(models: Sequence[str], width: float) -> list[list[tuple[int, float]]]:
    """Positions of the models on as many lines as they need: index and x."""
    lines: list[list[tuple[int, float]]] = [[]]
    x = 0.0
    for index, model in enumerate(models):
        needed = 20 + text_width(model) + 22
        if x and x + needed > width:
            lines.append([])
            x = 0.0
        lines[-1].append((index, x))
        x += needed
    return lines


def _draw_legend(
    canvas: Canvas, models: Sequence[str], line: Sequence[tuple[int, float]], top: float
) -> None:
    for index, x in line:
        left = LEFT + x
        canvas.rectangle((left, top + 9), (left + 12, top + 21), _colour(index))
        canvas.text(models[index], (left + 20, top + 20))


def _colour(index: int) -> Rgb:
    return COLOURS[index % len(COLOURS)]


def axis_of(values: Sequence[float], from_zero: bool) -> tuple[float, ...]:
    """Ticks of an axis that holds all values, at 1, 2 or 5 times a power of ten."""
    low = 0.0 if from_zero else min(values)
    high = max(values)
    if not from_zero:
        low -= (high - low) / 4 or abs(high) / 10 or 1.0  # the lowest bar is seen, too
    step = _step((high - low) / TICKS)
    first, last = math.floor(low / step), math.ceil(high / step)
    return tuple(step * number for number in range(first, max(last, first + 1) + 1))


def _step(least: float) -> float:
    """The smallest of these that is at least so large."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


@dataclass(frozen=True)
class _Axes:
    """Where a panel lies on the canvas, and its scale."""

    left: float
    right: float
    bottom: float
    top: float
    ticks: tuple[float, ...]

    def y(self, value: float) -> float:
        """Where a value lies."""
        share = (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return self.bottom + (self.top - self.bottom) * share


def _draw_panel(
    canvas: Canvas, groups: Sequence[str], panel: Panel, left: float, top: float
) -> None:
    axes = _Axes(
        left + LEFT,
        left + PANEL_WIDTH - RIGHT,
        top + PANEL_HEIGHT - BOTTOM,
        top + TOP,
        axis_of(_ends(panel) or [0.0, 1.0], panel.from_zero),
    )
    canvas.text(panel.title, (axes.left, top + 22), height=10)
    for tick in axes.ticks:
        canvas.line((axes.left, axes.y(tick)), (axes.right, axes.y(tick)), GRID)
        text = _tick_text(tick, axes.ticks)
        canvas.text(text, (axes.left - 6, axes.y(tick) + 4), height=8, align=1)
    each = (axes.right - axes.left) / max(len(groups), 1)
    for number, (name, bars) in enumerate(zip(groups, panel.bars, strict=True)):
        middle = axes.left + (number + 0.5) * each
        canvas.text(name, (middle, axes.bottom + 17), height=8, align=0.5)
        _draw_group(canvas, axes, bars, middle, each * BARS)
    canvas.line((axes.left, axes.bottom), (axes.right, axes.bottom))


def _draw_group(
    canvas: Canvas, axes: _Axes, bars: Sequence[Bar], middle: float, width: float
) -> None:
    wide = width / max(len(bars), 1)
    for index, bar in enumerate(bars):
        if not bar.is_known:
            continue
        assert bar.value is not None
        start = middle + (index - len(bars) / 2) * wide
        end = start + wide - 1
        canvas.rectangle((start, axes.bottom), (end, axes.y(bar.value)), _colour(index))
        if bar.deviation:
            centre = (start + end) / 2
            low, high = (axes.y(bar.value + side * bar.deviation) for side in (-1, 1))
            canvas.line((centre, low), (centre, high), width=1.5)


def _ends(panel: Panel) -> list[float]:
    """Values that the axis must hold: the ends of all deviations."""
    return [
        (bar.value or 0.0) + side * (bar.deviation or 0.0)
        for group in panel.bars
        for bar in group
        if bar.is_known
        for side in (-1, 1)
    ]


def _tick_text(tick: float, ticks: Sequence[float]) -> str:
    decimals = max(-math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9), 0)
    return f"{tick:.{decimals}f}"
