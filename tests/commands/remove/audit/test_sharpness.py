"""Ground below clouds is less sharp than clear ground; below a false mask it is as sharp."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.commands.remove.audit.sharpness import Sharpness


def _sharpness(plane: np.ndarray, masked: np.ndarray) -> float:
    sharpness = Sharpness()
    sharpness.add(plane, plane, masked, ~masked)
    return sharpness.ratio


@pytest.fixture
def plane() -> np.ndarray:
    return np.random.default_rng(0).normal(0.25, 0.02, (100, 100)).astype(np.float32)


@pytest.fixture
def masked() -> np.ndarray:
    where = np.zeros((100, 100), bool)
    where[:70] = True
    return where


def test_a_mask_over_clear_ground(plane: np.ndarray, masked: np.ndarray) -> None:
    assert _sharpness(plane, masked) == pytest.approx(1.0, abs=0.1)


def test_a_mask_over_cloud(plane: np.ndarray, masked: np.ndarray) -> None:
    plane[masked] = 0.2 * plane[masked] + 0.5
    assert _sharpness(plane, masked) < 0.2


def test_shadows_beside_clouds_are_left_out(plane: np.ndarray, masked: np.ndarray) -> None:
    """They dim ground and texture alike, so that it is as sharp as before."""
    plane[:30] = 0.2 * plane[:30] + 0.5
    plane[30:70] *= 0.5
    assert _sharpness(plane, masked) < 0.2


def test_without_clear_ground_nothing_is_said(plane: np.ndarray) -> None:
    assert _sharpness(plane, np.ones((100, 100), bool)) == 0
    assert Sharpness().ratio == 0
