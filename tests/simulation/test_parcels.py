from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.simulation.parcels import Parcels, ParcelSizes, divide_into_parcels

SIZES = ParcelSizes(district=60.0, width=12.0, length=30.0, bend=2.0)


@pytest.fixture(scope="module")
def lots() -> Parcels:
    return divide_into_parcels((300, 340), np.random.default_rng(0), SIZES)


@given(rows=st.integers(16, 70), cols=st.integers(16, 70), seed=st.integers(0, 99))
def test_any_ground_is_divided_without_a_rest(rows: int, cols: int, seed: int) -> None:
    lots = divide_into_parcels((rows, cols), np.random.default_rng(seed), SIZES)
    assert lots.lot.shape == (rows, cols)
    assert np.isfinite(lots.edge).all()
    assert (lots.edge >= 0).all()


def test_a_lot_lies_in_one_district(lots: Parcels) -> None:
    pairs = np.unique(np.stack([lots.lot.ravel(), lots.district.ravel()]), axis=1)
    assert pairs.shape[1] == np.unique(lots.lot).size


def test_neighbours_differ_only_where_a_border_is_near(lots: Parcels) -> None:
    changes = lots.lot[:, 1:] != lots.lot[:, :-1]
    assert changes.any()
    # A border between two pixel centres is at most a pixel from both; bends stretch that a little.
    assert np.percentile(lots.edge[:, 1:][changes], 99) < 1.3


def test_lots_have_about_the_wanted_area(lots: Parcels) -> None:
    area = lots.lot.size / np.unique(lots.lot).size
    assert 0.4 * SIZES.width * SIZES.length < area < 1.3 * SIZES.width * SIZES.length


def test_districts_differ_in_direction(lots: Parcels) -> None:
    inner = lots.edge > 3
    down, right = np.gradient(lots.across)
    angles = np.degrees(np.arctan2(down, right))
    of_districts = [
        np.median(angles[inner & (lots.district == d)])
        for d in np.unique(lots.district)
        if (inner & (lots.district == d)).sum() > 100
    ]
    assert np.std(of_districts) > 10
