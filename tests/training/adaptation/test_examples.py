"""A scene's own clouds over its clear ground: their light goes along, the ground below does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import Mask, MaskClass, in_shadow, is_cloud_or_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.training.adaptation.examples import CloudTransplant, cut_transplant
from tests.factories.rasters import CLOUD, FIELD

SIDE = 32
seeds = st.integers(0, 1000)


def _even(colour: tuple[float, ...], factor: float = 1.0) -> Float32:
    plane = np.reshape(colour, (13, 1, 1)).astype(np.float32)
    return np.broadcast_to(factor * plane, (13, SIDE, SIDE)).copy()


def _third() -> NDArray[np.bool_]:
    """The left third of a square."""
    hidden = np.zeros((SIDE, SIDE), np.bool_)
    hidden[:, : SIDE // 3] = True
    return hidden


def _third_of(kind: MaskClass) -> Mask:
    """A mask of the left third."""
    return np.where(_third(), np.uint8(kind), np.uint8(MaskClass.CLEAR))


def _under(ground: Float32, opacity: float) -> Float32:
    """The ground under a cloud of so much opacity over its left third."""
    return np.where(_third(), ground + opacity * (_even(CLOUD) - ground), ground)


def _transplant(opacity: float) -> CloudTransplant:
    """The cloud over a field."""
    light = np.where(_third(), opacity * _even(CLOUD), np.float32(0))
    return CloudTransplant(
        light, _even(FIELD), np.where(_third(), np.float32(opacity), 0), _third_of(MaskClass.CLOUD)
    )


@given(seeds, st.floats(0, 1))
def test_over_the_ground_that_was_filled_below_it_a_cloud_looks_as_it_was(
    seed: int, opacity: float
) -> None:
    transplant = _transplant(opacity)
    cloudy, mask = transplant.over(transplant.filled, np.random.default_rng(seed))
    hidden = is_cloud_or_shadow(mask)
    assert hidden.sum() == _third().sum()
    assert np.allclose(cloudy[:, hidden], _under(_even(FIELD), opacity)[:, _third()], atol=1e-6)
    assert (cloudy[:, ~hidden] == transplant.filled[:, ~hidden]).all()


@given(seeds)
def test_nothing_shows_through_opaque_cloud(seed: int) -> None:
    cloudy, mask = _transplant(1.0).over(_even(FIELD, 2.0), np.random.default_rng(seed))
    assert np.allclose(cloudy[:, is_cloud_or_shadow(mask)], np.reshape(CLOUD, (13, 1)), atol=1e-6)


@given(seeds)
def test_through_thin_cloud_other_ground_shows_at_most_as_its_brightness_allows(seed: int) -> None:
    """And at least as if the cloud were twice as thick."""
    ground, brighter = _even(FIELD), _even(FIELD, 1.5)
    cloudy, mask = _transplant(0.4).over(brighter, np.random.default_rng(seed))
    hidden = is_cloud_or_shadow(mask)
    added = cloudy[:, hidden] - _under(ground, 0.4)[:, _third()]
    difference = (brighter - ground)[:, hidden]
    assert (added >= 0.6**2 * difference - 1e-6).all()
    assert (added <= 0.6 * difference + 1e-6).all()


def test_how_much_shows_and_which_way_a_cloud_lies_is_drawn() -> None:
    rng = np.random.default_rng(0)
    drawn = [_transplant(0.4).over(_even(FIELD, 1.5), rng) for _ in range(20)]
    shares = {round(float(cloudy[3, is_cloud_or_shadow(mask)].mean()), 4) for cloudy, mask in drawn}
    assert len(shares) > 10
    assert len({mask.tobytes() for _, mask in drawn}) == 4, "top, bottom, left and right"


def test_bright_cloud_is_cut_as_opaque_and_clear_ground_is_not() -> None:
    mask = _third_of(MaskClass.CLOUD)
    transplant = cut_transplant(_under(_even(FIELD), 1.0), _even(FIELD), mask, OPTICAL_BANDS)
    assert transplant.opacity[:, : SIDE // 3 - 4].mean() > 0.9
    assert transplant.opacity[:, SIDE // 2 :].max() < 0.05


def test_a_shadow_darkens_other_ground_as_much_and_is_known_as_one() -> None:
    seen = np.where(_third(), _even(FIELD, 0.6), _even(FIELD))
    transplant = cut_transplant(seen, _even(FIELD), _third_of(MaskClass.SHADOW), OPTICAL_BANDS)
    cloudy, mask = transplant.over(_even(FIELD, 1.5), np.random.default_rng(0))
    assert in_shadow(mask).sum() == _third().sum()
    assert np.allclose(cloudy[:, in_shadow(mask)], _even(FIELD, 1.1)[:, in_shadow(mask)], atol=1e-3)


def test_thin_cloud_takes_nothing_along_of_ground_that_was_not_filled() -> None:
    """The network saw no stripes below the cloud; they stay where they are."""
    stripes = np.where(np.arange(SIDE)[:, None] % 4 < 2, 1.2, 0.8).astype(np.float32)
    seen = _under(_even(FIELD) * stripes, 0.3)
    transplant = cut_transplant(seen, _even(FIELD), _third_of(MaskClass.CLOUD), OPTICAL_BANDS)
    left = np.std(seen[3, :, 0])
    assert np.std(transplant.light[3, 8:-8, 0]) < 0.2 * left


def test_without_visible_bands_there_is_no_opacity() -> None:
    with pytest.raises(ValueError, match="B02"):
        cut_transplant(_even(FIELD)[:1], _even(FIELD)[:1], _third_of(MaskClass.CLOUD), ["B01"])
