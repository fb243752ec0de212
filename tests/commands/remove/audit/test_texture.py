"""Seams and weaves show, and plain texture does not."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.commands.remove.audit.texture import Texture

SIDE = 160


@pytest.fixture
def ground() -> np.ndarray:
    """Ground that is smooth over some pixels."""
    rough = np.random.default_rng(4).normal(0.2, 0.05, (SIDE + 4, SIDE + 4))
    smooth = sum(rough[row : row + SIDE, col : col + SIDE] for row in range(5) for col in range(5))
    return np.asarray(smooth / 25, np.float32)


@pytest.fixture
def filled() -> np.ndarray:
    """A gap as high as the scene, and as wide as most of it."""
    where = np.zeros((SIDE, SIDE), bool)
    where[:, 20:] = True
    return where


@pytest.fixture
def gaps() -> np.ndarray:
    """Several gaps, whose edges have pixels enough."""
    where = np.zeros((SIDE, SIDE), bool)
    for col in range(0, SIDE, 40):
        where[:, col + 10 : col + 30] = True
    return where


def _texture(plane: np.ndarray, filled: np.ndarray, rows: int = SIDE) -> Texture:
    texture = Texture.of_size(SIDE, SIDE)
    for row in range(0, SIDE, rows):
        some = slice(row, row + rows)
        texture.add(row, plane[some], filled[some], ~filled[some])
    return texture


def test_even_ground_has_neither(ground: np.ndarray, filled: np.ndarray, gaps: np.ndarray) -> None:
    texture = _texture(ground, filled)
    assert texture.weave < 0.1
    assert texture.line_step < 2
    assert 0.7 < _texture(ground, gaps).gap_step < 1.4


@pytest.mark.parametrize("axis", [0, 1], ids=["row", "column"])
def test_a_step_along_a_tile_is_a_line(ground: np.ndarray, filled: np.ndarray, axis: int) -> None:
    later = np.arange(SIDE) >= 64
    ground += np.where(later, np.float32(0.05), np.float32(0)).reshape((-1, 1) if axis == 0 else -1)
    assert _texture(ground, filled).line_step > 4


def test_a_step_at_the_end_of_a_gap_shows(ground: np.ndarray, gaps: np.ndarray) -> None:
    ground[gaps] += 0.05
    assert _texture(ground, gaps).gap_step > 2.5


@pytest.mark.parametrize("pattern", ["columns", "rows", "checkerboard"])
def test_what_alternates_from_pixel_to_pixel_is_a_weave(
    ground: np.ndarray, filled: np.ndarray, pattern: str
) -> None:
    rows, cols = np.mgrid[:SIDE, :SIDE]
    parity = {"columns": cols, "rows": rows, "checkerboard": rows + cols}[pattern] % 2
    ground[filled & (parity == 1)] += 0.02
    assert _texture(ground, filled).weave > 0.4


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_it_does_not_depend_on_the_rows_at_once(
    ground: np.ndarray, gaps: np.ndarray, rows: int
) -> None:
    whole, parts = _texture(ground, gaps), _texture(ground, gaps, rows)
    for name in ("weave", "line_step", "gap_step"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=1e-4)


def test_nothing_is_said_of_nothing(ground: np.ndarray) -> None:
    texture = _texture(ground, np.zeros((SIDE, SIDE), bool))
    assert (texture.weave, texture.line_step, texture.gap_step) == (0, 0, 0)
