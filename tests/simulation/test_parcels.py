from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.simulation.parcels import Parcels, ParcelSizes, divide_into_parcels

SIZES = ParcelSizes(district=60.0, width=12.0, length=30.0, bend=2.0)


@pytest.fixture(scope="module")
def parcels() -> Parcels:
    return divide_into_parcels((300, 340), np.random.default_rng(0), SIZES)


@given(rows=st.integers(16, 70), cols=st.integers(16, 70), seed=st.integers(0, 99))
def test_any_ground_is_divided_without_a_rest(rows: int, cols: int, seed: int) -> None:
    parcels = divide_into_parcels((rows, cols), np.random.default_rng(seed), SIZES)
    assert parcels.parcel.shape == (rows, cols)
    assert np.isfinite(parcels.edge).all()
    assert (parcels.edge >= 0).all()


def test_a_parcel_lies_in_one_district(parcels: Parcels) -> None:
    pairs = np.unique(np.stack([parcels.parcel.ravel(), parcels.district.ravel()]), axis=1)
    assert pairs.shape[1] == np.unique(parcels.parcel).size


def test_neighbours_differ_only_where_a_border_is_near(parcels: Parcels) -> None:
    changes = parcels.parcel[:, 1:] != parcels.parcel[:, :-1]
    assert changes.any()
    # A border between two pixel centres is at most a pixel from both; bends stretch that a little.
    assert np.percentile(parcels.edge[:, 1:][changes], 99) < 1.3


def test_parcels_have_about_the_requested_area(parcels: Parcels) -> None:
    area = parcels.parcel.size / np.unique(parcels.parcel).size
    assert 0.4 * SIZES.width * SIZES.length < area < 1.3 * SIZES.width * SIZES.length


def test_districts_differ_in_direction(parcels: Parcels) -> None:
    inner = parcels.edge > 3
    down, right = np.gradient(parcels.across)
    angles = np.degrees(np.arctan2(down, right))
    of_districts = [
        np.median(angles[inner & (parcels.district == d)])
        for d in np.unique(parcels.district)
        if (inner & (parcels.district == d)).sum() > 100
    ]
    assert np.std(of_districts) > 10
