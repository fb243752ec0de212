"""Chosen patches of a comparison: a grid across models, and the bar chart by cloud cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from cloudfree.commands.compare.results import ModelResult, Results
from cloudfree.commands.compare.statistics import GroupRow
from cloudfree.commands.evaluate.patch import NOTHING
from cloudfree.errors import ErrorCode, InputError
from cloudfree.report.bar_chart import Bar, Panel, draw_bars
from cloudfree.report.comparison import COLUMNS, MAE, SAM
from cloudfree.report.picture_grid import GridRow, draw_grid
from cloudfree.report.pictures import UInt8Image


def cover_chart(rows: Sequence[GroupRow]) -> UInt8Image:
    """A panel for each metric: its bars by group and model."""
    groups = list(dict.fromkeys(row.group for row in rows))
    models = list(dict.fromkeys(row.model for row in rows))
    found = {(row.group, row.model): row.metrics for row in rows}
    panels = []
    for column in COLUMNS:
        metrics = [[found[group, model][column.field] for model in models] for group in groups]
        bars = tuple(tuple(Bar(one.mean, one.deviation) for one in group) for group in metrics)
        title = f"{column.title} {column.short_unit}".strip()
        panels.append(Panel(title, bars, from_zero=column in (SAM, MAE)))
    return draw_bars(groups, models, panels)


def shown_grid(results: Results, names: Sequence[str]) -> UInt8Image:
    """Chosen patches across models, each by its first seed; cloudy and radar before, truth behind.

    Raises
    ------
    InputError
        A result has no pictures of a patch.
    """
    models = {label: found[0] for label, found in results.models.items() if label != NOTHING}
    first = next(iter(models.values()))
    rows = []
    for name in names:
        own = {label: _pictures(one, name) for label, one in models.items()}
        shared = own[first.label]
        files = [shared["cloudy"], shared.get("radar"), *(one["filled"] for one in own.values())]
        rows.append(GridRow(name, tuple(_read(file) for file in (*files, shared["truth"]))))
    return draw_grid(["cloudy", "radar", *models, "target"], rows)


def _pictures(result: ModelResult, name: str) -> Mapping[str, Path]:
    if name not in result.pictures:
        raise InputError(
            f"no pictures of patch {name} in the result of {result.label}",
            wanted="a result that was made with --show for this patch",
            hint=f"run cloudfree evaluate with --show {name}",
            code=ErrorCode.BAD_OPTION,
        )
    return result.pictures[name]


def _read(file: Path | None) -> UInt8Image:
    """A picture, (y, x, 4); a transparent pixel where there is none."""
    if file is None:
        return np.zeros((1, 1, 4), dtype=np.uint8)
    pixels = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3 or pixels.shape[2] != 4:
        raise InputError(
            f"{file} is no picture of cloudfree evaluate",
            wanted="the files that its JSON names, beside it",
            hint="run cloudfree evaluate again",
            code=ErrorCode.UNREADABLE,
        )
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA), dtype=np.uint8)
