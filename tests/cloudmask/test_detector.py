"""From the probabilities of a detector to classes of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cloudmask.detector import Probabilities, cell_means, of_pixels
from cloudfree.core.mask_classes import MaskClass


def _class_of(
    cloud: float = 0.0, thin: float = 0.0, shadow: float = 0.0, snow: float = 0.0
) -> MaskClass:
    planes = [np.full((1, 1), value, np.float32) for value in (cloud, thin, shadow, snow)]
    return MaskClass(int(Probabilities(*planes).classes(0.5)[0, 0]))


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ({}, MaskClass.CLEAR),
        ({"cloud": 0.6}, MaskClass.CLOUD),
        ({"cloud": 0.3, "thin": 0.3}, MaskClass.CLOUD),
        ({"thin": 0.5}, MaskClass.CLOUD),
        ({"cloud": 0.4, "shadow": 0.5}, MaskClass.SHADOW),
        ({"shadow": 0.45, "snow": 0.1}, MaskClass.FAINT_SHADOW),
        ({"snow": 0.6}, MaskClass.SNOW),
        ({"snow": 0.4, "shadow": 0.35}, MaskClass.SNOW),
    ],
)
def test_thick_and_thin_cloud_count_together_and_the_rest_by_the_greatest(
    probabilities: dict[str, float], expected: MaskClass
) -> None:
    assert _class_of(**probabilities) == expected


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_every_pixel_has_the_value_of_its_cell(height: int, width: int, cell_px: int) -> None:
    cells = np.arange(-(-height // cell_px) * -(-width // cell_px)).reshape(
        -(-height // cell_px), -1
    )
    pixels = of_pixels(cells, cell_px, height, width)
    assert pixels.shape == (height, width)
    for row in range(height):
        for col in range(width):
            assert pixels[row, col] == cells[row // cell_px, col // cell_px]


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_a_cell_has_the_mean_of_its_pixels(height: int, width: int, cell_px: int) -> None:
    plane = np.random.default_rng(0).random((height, width)).astype(np.float32)
    cells = cell_means(plane, cell_px)
    assert cells.shape == (-(-height // cell_px), -(-width // cell_px))
    whole = plane[:cell_px, :cell_px]
    if whole.shape == (cell_px, cell_px):
        assert cells[0, 0] == pytest.approx(whole.mean(), abs=1e-6)
    np.testing.assert_allclose(cell_means(np.full_like(plane, 0.3), cell_px), 0.3, atol=1e-6)
