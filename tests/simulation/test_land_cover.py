"""Materials of the ground, and how a landscape is painted with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.simulation.land_cover import (
    COVERS,
    MATERIALS,
    NAMES,
    SIGMA_NOUGHT,
    SPECTRA,
    LandCover,
    Landscape,
    number,
    relief,
)


def bare(side: int = 8) -> Landscape:
    return Landscape.bare(np.zeros((side, side), np.float32))


def test_tables_have_a_row_for_each_material_in_their_order() -> None:
    assert SPECTRA.shape == (len(MATERIALS), len(OPTICAL_BANDS))
    assert SIGMA_NOUGHT.shape == (len(MATERIALS), 2)
    for name, material in MATERIALS.items():
        row = int(number(name))
        assert NAMES[row] == name
        assert COVERS[row] == material.cover
        assert SPECTRA[row] == pytest.approx(np.array(material.spectrum) / 1000)
        assert 10 * np.log10(SIGMA_NOUGHT[row]) == pytest.approx(
            [material.vv_db, material.vh_db], abs=1e-4
        )


def test_every_material_is_physical() -> None:
    assert (SPECTRA > 0).all()
    assert (SPECTRA < 1).all()
    assert (SIGMA_NOUGHT[:, 0] > SIGMA_NOUGHT[:, 1]).all(), "cross polarisation is weaker"


def test_an_unknown_material_is_an_error() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        number("lava")


def test_bare_ground_is_soil_without_canopy() -> None:
    land = bare()
    assert land.shape == (8, 8)
    assert (land.cover == LandCover.FIELD).all()
    assert (land.green == 0).all()
    assert (land.brightness == 1).all()
    assert (land.backscatter_offset_db == 0).all()
    assert (land.parcel == 0).all()


def test_layers_of_bare_ground_are_arrays_of_their_own() -> None:
    land = bare()
    land.green[:] = 0.5
    assert (land.backscatter_offset_db == 0).all()
    assert (land.brightness == 1).all()


@given(seed=st.integers(0, 99), name=st.sampled_from(NAMES))
def test_paint_covers_its_pixels_and_no_other(seed: int, name: str) -> None:
    rng, land = np.random.default_rng(seed), bare()
    land.green[:] = 0.5
    land.parcel[:] = 7
    where = rng.random((8, 8)) < 0.4
    texture = rng.random((8, 8)).astype(np.float32)
    land.paint(where, name, texture, 2.5)
    assert (land.material[where] == number(name)).all()
    assert (land.cover[where] == MATERIALS[name].cover).all()
    assert (land.green[where] == 0).all()
    assert np.array_equal(land.brightness[where], texture[where])
    assert (land.backscatter_offset_db[where] == 2.5).all()
    assert (land.parcel == np.where(where, 0, 7)).all()
    assert (land.material[~where] == number("brown soil")).all()
    assert (land.green[~where] == 0.5).all()
    assert (land.brightness[~where] == 1).all()
    assert (land.backscatter_offset_db[~where] == 0).all()


def test_the_valley_floor_is_flat_and_hills_rise_beside_it() -> None:
    from_river = np.broadcast_to(np.arange(128, dtype=np.float32), (128, 128))
    height = relief((128, 128), np.random.default_rng(0), from_river)
    assert height.dtype == np.float32
    assert (height >= 0).all()
    assert (height[:, 0] == 0).all()
    assert height[:, 64:].max() > 10 * max(float(height[:, :8].max()), 0.01)
