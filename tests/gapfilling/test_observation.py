from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.observation import (
    DB_UNIT,
    KINDS,
    Observation,
    averaged_db,
    box_mean,
    observe,
)
from tests.factories.fields import BANDS, SIDE, below, ground, square, stack_of

RNG = np.random.default_rng(0)
RADAR, EARLIER_RADAR = RNG.normal(-12, 3, (2, 2, SIDE, SIDE)).astype(np.float32)
CLOUD = square(20, 20, 20)
STACK = stack_of(
    ground(),
    (below(CLOUD, ground(1)), ground(2)),
    radar=RADAR,
    radars=(EARLIER_RADAR, None),
)
WHOLE = Window(0, 0, SIDE, SIDE)


def _all(planes: Float32) -> Float32:
    return planes


def _planes(observation: Observation) -> list[Float32]:
    change, radar = observation.changes[0], observation.radar
    assert change is not None
    assert radar is not None
    return [*observation.references, change, radar]


OF_WHOLE = observe(STACK, WHOLE, _all)
starts, sizes = st.integers(0, SIDE - 1), st.integers(1, SIDE)


@given(row=starts, col=starts, height=sizes, width=sizes)
def test_a_window_is_observed_as_that_part_of_the_whole(
    row: int, col: int, height: int, width: int
) -> None:
    window = Window(row, col, min(height, SIDE - row), min(width, SIDE - col))
    part = observe(STACK, window, _all)
    assert part.shape == (window.height, window.width)
    for found, whole in zip(_planes(part), _planes(OF_WHOLE), strict=True):
        assert np.allclose(found, whole[:, *window.slices], atol=1e-5, equal_nan=True)


def test_pixels_are_chosen_as_planes_are_indexed() -> None:
    some = observe(STACK, WHOLE, lambda planes: planes[:, CLOUD])
    for found, also in zip(_planes(some), _planes(OF_WHOLE.at(CLOUD)), strict=True):
        assert np.array_equal(found, also, equal_nan=True)
    assert some.shape == (CLOUD.sum(),)


def test_each_source_has_a_bit_where_it_knows_the_ground() -> None:
    assert np.array_equal(OF_WHOLE.seen, np.where(CLOUD, 0b110, 0b111))
    assert np.array_equal(OF_WHOLE.sees((0, 2)), ~CLOUD)
    assert OF_WHOLE.sees(()).all()


def test_slopes_of_a_plane_are_those_of_the_plane() -> None:
    row, col = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    plane = np.stack([0.01 * row - 0.02 * col] * len(BANDS))
    scene = stack_of(ground(), (below(CLOUD, plane),))
    seen = observe(scene, WHOLE, _all).references[0]
    slopes = seen[-2 * len(BANDS) :].reshape(len(BANDS), 2, SIDE, SIDE)
    inside = np.s_[:, :, 1:15, 1:-1]
    assert slopes[inside][:, 0] == pytest.approx(0.01, abs=1e-5)
    assert slopes[inside][:, 1] == pytest.approx(-0.02, abs=1e-5)
    assert (slopes[:, 1, 25, 19] == 0).all()  # its neighbour lies below the cloud


def test_the_first_reference_gives_all_features_and_others_their_bands() -> None:
    clear, bands = ~CLOUD, len(BANDS)
    design = OF_WHOLE.design((1, 0), clear)
    # Two bands of change come with the reference that has radar of its date.
    assert design.shape == (clear.sum(), KINDS * bands + bands + 2)
    assert np.array_equal(design[:, :bands], ground(2)[:, clear].T)
    assert np.array_equal(design[:, KINDS * bands : -2], ground(1)[:, clear].T)
    assert np.allclose(design[:, -2:] * DB_UNIT, _planes(OF_WHOLE)[2][:, clear].T, atol=1e-4)


def test_of_no_source_there_are_pixels_without_features() -> None:
    assert OF_WHOLE.design((), CLOUD).shape == (CLOUD.sum(), 0)


def test_change_of_backscatter_is_that_between_the_dates() -> None:
    louder = stack_of(ground(), (ground(1),), radar=RADAR, radars=(RADAR - 3,))
    everywhere = np.ones((SIDE, SIDE), np.bool_)
    assert observe(louder, WHOLE, _all).changed_db(0, everywhere) == pytest.approx(3, abs=1e-3)
    assert not OF_WHOLE.changed_db(1, everywhere).any()


def test_backscatter_is_averaged_in_power() -> None:
    halves = np.where(np.arange(3) == 1, 0.0, -10.0) * np.ones((1, 3, 3))
    found = averaged_db(halves.astype(np.float32), 3)[0, 1, 1]
    assert found == pytest.approx(10 * np.log10((1 + 2 * 0.1) / 3), abs=1e-3)


def test_a_mean_is_of_known_pixels_and_of_those_alone() -> None:
    planes = np.ones((1, 5, 5), np.float32)
    planes[0, 2, 1], planes[0, 2, 2] = 10, np.nan
    found = box_mean(planes, 3)[0]
    assert np.isnan(found[2, 2])
    assert found[1, 2] == pytest.approx((7 + 10) / 8)
    assert np.isfinite(found).sum() == 24
