"""The grid of chosen patches, and the bar chart by cover."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.commands.compare.pictures import cover_chart, shown_grid
from cloudfree.commands.compare.results import read_results
from cloudfree.commands.compare.statistics import group_rows
from cloudfree.errors import InputError
from cloudfree.report.bar_chart import COLOURS
from cloudfree.report.picture_grid import GAP_PX, HEAD_PX, ROW_HEAD_PX, SIDE_PX
from tests.factories.evaluations import write_evaluation

PSNR = {"a_1": 30.0, "b_1": 28.0}


def _middle(grid: np.ndarray, row: int, column: int) -> list[int]:
    """The colour in the middle of a picture."""
    y = HEAD_PX + (ROW_HEAD_PX + SIDE_PX + GAP_PX) * row + ROW_HEAD_PX + SIDE_PX // 2
    colour: list[int] = grid[y, GAP_PX + (SIDE_PX + GAP_PX) * column + SIDE_PX // 2].tolist()
    return colour


def test_a_grid_has_cloudy_radar_models_and_target(tmp_path: Path) -> None:
    for name in ("m", "n"):
        write_evaluation(tmp_path / name, name, PSNR, shown=("a_1", "b_1"))
    results = read_results([str(tmp_path / "m"), str(tmp_path / "n")], "written")
    grid = shown_grid(results, ["b_1", "a_1"])
    assert grid.shape[1] == GAP_PX + 5 * (SIDE_PX + GAP_PX)
    # The factory numbers cloudy, radar, truth, raw and written by their red.
    for row in (0, 1):
        reds = [_middle(grid, row, column)[0] for column in range(5)]
        assert reds == [10, 20, 50, 50, 30]


def test_a_patch_without_pictures_is_refused(tmp_path: Path) -> None:
    folder = write_evaluation(tmp_path / "m", "m", PSNR, shown=("a_1",))
    results = read_results([str(folder)], "raw")
    with pytest.raises(InputError, match="no pictures of patch b_1 in the result of m; wanted"):
        shown_grid(results, ["b_1"])
    (folder / "shown" / "a_1_truth.png").write_text("broken")
    with pytest.raises(InputError, match=r"a_1_truth\.png is no picture of cloudfree evaluate"):
        shown_grid(results, ["a_1"])


def test_the_chart_has_a_bar_for_each_model(tmp_path: Path) -> None:
    folder = write_evaluation(tmp_path / "m", "m", PSNR)
    models = read_results([str(folder)], "raw").models
    chart = cover_chart(group_rows(models, {"0-20 %": frozenset(PSNR)}))
    colours = {tuple(colour) for colour in chart[..., :3].reshape(-1, 3).tolist()}
    assert set(COLOURS[:2]) <= colours
    assert COLOURS[2] not in colours
