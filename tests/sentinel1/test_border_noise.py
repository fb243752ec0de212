from __future__ import annotations

import numpy as np
import pytest

from cloudfree.sentinel1.border_noise import (
    EROSION_PX,
    border_noise_mask,
    box_mean,
    connected_to_edge,
    dilate,
    is_border_noise,
)

GAIN, NOISE = 450.0, 1000.0
ALL_ENDS = (True, True, True, True)


def _speckle(shape: tuple[int, int], power: float, seed: int = 0) -> np.ndarray:
    """Amplitudes with the speckle of a GRD product, 4.4 looks."""
    looks = np.random.default_rng(seed).gamma(4.4, 1 / 4.4, shape)
    return np.rint(np.sqrt(looks * power)).astype(np.uint16)


def _border_noise(numbers: np.ndarray) -> np.ndarray:
    gain, noise = (np.full(numbers.shape, value, np.float32) for value in (GAIN, NOISE))
    return border_noise_mask(is_border_noise(numbers, gain, noise), ALL_ENDS)


def test_ground_is_no_border_noise() -> None:
    assert not _border_noise(_speckle((200, 300), 0.05 * GAIN**2 + NOISE)).any()


def test_calm_water_at_the_end_of_the_swath_is_no_border_noise() -> None:
    """It returns nothing but the noise of the receiver."""
    assert _border_noise(_speckle((300, 300), NOISE)).mean() < 2e-3


@pytest.mark.parametrize("turns", range(4))
def test_border_noise_is_removed_with_the_zeros_outside_it(turns: int) -> None:
    numbers = _speckle((200, 300), 0.05 * GAIN**2 + NOISE)
    numbers[:, :40] = 0
    numbers[:, 40:70] = np.random.default_rng(1).integers(1, 15, (200, 30))
    cut = np.rot90(_border_noise(np.rot90(numbers, turns).copy()), -turns)
    assert cut[:, :70].all()
    assert not cut[:, 70 + 2 * EROSION_PX :].any()


def test_a_slanted_edge_is_followed() -> None:
    numbers = _speckle((200, 300), 0.05 * GAIN**2 + NOISE)
    outside = np.arange(300) < np.arange(200)[:, None] // 3
    numbers[outside] = 0
    cut = _border_noise(numbers)
    assert cut[outside].all()
    assert not cut[~dilate(outside, 3 * EROSION_PX)].any()


def test_holes_inside_the_image_are_not_dilated() -> None:
    numbers = _speckle((200, 300), 0.05 * GAIN**2 + NOISE)
    numbers[60:160, 90:210] = 0
    assert not _border_noise(numbers).any()


def test_pixels_apart_from_the_edge_are_not_connected() -> None:
    blank = np.zeros((5, 7), bool)
    blank[2, :3] = blank[:2, 5] = blank[3, 5] = True
    found = connected_to_edge(blank, (True, False, False, False))
    assert np.argwhere(found).tolist() == [[0, 5], [1, 5]]
    assert np.argwhere(connected_to_edge(blank, (False, False, True, False), reach=2)).tolist() == [
        [2, 0], [2, 1],
    ]  # fmt: skip


def test_dilation_is_by_a_square() -> None:
    mask = np.zeros((7, 9), bool)
    mask[3, 0] = True
    assert np.argwhere(dilate(mask, 2)).min(axis=0).tolist() == [1, 0]
    assert dilate(mask, 2).sum() == 5 * 3


def test_the_mean_over_a_box() -> None:
    image = np.arange(35, dtype=np.float32).reshape(5, 7)
    assert box_mean(image, 3)[2, 3] == image[1:4, 2:5].mean()
    assert box_mean(image, 3)[0, 0] == pytest.approx(24 / 9)
