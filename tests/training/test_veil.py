"""A scene's own clouds over its clear ground: their light goes along, the ground below does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.units import Float32
from cloudfree.training.veil import Veil, cut_veil
from tests.rasters import CLOUD, FIELD

SIDE = 32
seeds = st.integers(0, 1000)


def _even(colour: tuple[float, ...], factor: float = 1.0) -> Float32:
    plane = np.reshape(colour, (13, 1, 1)).astype(np.float32)
    return np.broadcast_to(factor * plane, (13, SIDE, SIDE)).copy()


def _veil(opacity: float, colour: tuple[float, ...] = CLOUD) -> Veil:
    """A cloud over the left third of a field, of which so much shows through."""
    hidden = np.zeros((SIDE, SIDE), np.bool_)
    hidden[:, : SIDE // 3] = True
    ground, cloud = _even(FIELD), _even(colour)
    seen = np.where(hidden, ground + opacity * (cloud - ground), ground).astype(np.float32)
    return Veil(seen, ground, np.where(hidden, np.float32(opacity), np.float32(0)), hidden)


@given(seeds, st.floats(0, 1))
def test_over_the_ground_that_was_restored_below_it_a_cloud_looks_as_it_was(
    seed: int, opacity: float
) -> None:
    veil = _veil(opacity)
    cloudy, hidden = veil.over(veil.restored, np.random.default_rng(seed))
    assert hidden.sum() == veil.hidden.sum()
    assert np.allclose(cloudy[:, hidden], veil.seen[:, veil.hidden], atol=1e-6)
    assert (cloudy[:, ~hidden] == veil.restored[:, ~hidden]).all()


@given(seeds)
def test_nothing_shows_through_opaque_cloud(seed: int) -> None:
    cloudy, hidden = _veil(1.0).over(_even(FIELD, 2.0), np.random.default_rng(seed))
    assert np.allclose(cloudy[:, hidden], np.reshape(CLOUD, (13, 1)), atol=1e-6)


@given(seeds)
def test_through_thin_cloud_other_ground_shows_at_most_as_its_brightness_tells(seed: int) -> None:
    veil, brighter = _veil(0.4), _even(FIELD, 1.5)
    cloudy, hidden = veil.over(brighter, np.random.default_rng(seed))
    added = cloudy[:, hidden] - veil.seen[:, veil.hidden]
    difference = (brighter - veil.restored)[:, hidden]
    assert (added >= -1e-6).all()
    assert (added <= 0.6 * difference + 1e-6).all()


def test_how_much_shows_and_which_way_a_cloud_lies_is_drawn() -> None:
    rng = np.random.default_rng(0)
    drawn = [_veil(0.4).over(_even(FIELD, 1.5), rng) for _ in range(20)]
    shares = {round(float(cloudy[3, hidden].mean()), 4) for cloudy, hidden in drawn}
    assert len(shares) > 10
    assert len({hidden.tobytes() for _, hidden in drawn}) == 4, "top, bottom, left and right"


def test_bright_cloud_is_cut_as_opaque_and_clear_ground_is_not() -> None:
    thick = _veil(1.0)
    veil = cut_veil(thick.seen, thick.restored, thick.hidden, OPTICAL_BANDS)
    assert veil.opacity[:, : SIDE // 3 - 4].mean() > 0.9
    assert veil.opacity[:, SIDE // 2 :].max() < 0.05


def test_without_visible_bands_nothing_tells_opacity() -> None:
    veil = _veil(1.0)
    with pytest.raises(ValueError, match="B02"):
        cut_veil(veil.seen[:1], veil.restored[:1], veil.hidden, ["B01"])
