from __future__ import annotations

import numpy as np

from cloudfree.core.terminal import silent
from cloudfree.gapfilling.fits import Fits, shared_bands
from cloudfree.gapfilling.lattice import Lattice, Position, collect
from cloudfree.gapfilling.stack import ReferenceInfo
from tests.factories.fields import BANDS, below, ground, square, stack_of

HIDDEN, CLOUDY = square(20, 20, 20), square(20, 20, 10)
GROUND = ground()
STACK = stack_of(below(HIDDEN, GROUND), (below(CLOUDY, 0.5 * GROUND), 0.8 * GROUND))
NODES = collect(STACK, Lattice(1), silent)
FITS = Fits(NODES, shared_bands(BANDS, STACK.references), ~HIDDEN)
PIXELS = NODES.observation.at(HIDDEN)
POSITION = Position(*(part.astype(np.float32) for part in np.nonzero(HIDDEN)))


def test_bands_are_found_by_name() -> None:
    other = ReferenceInfo("other", ("B08", "B02"))
    assert shared_bands(BANDS, (other,)) == ((1, -1, 0),)


def test_the_first_reference_that_sees_a_pixel_leads() -> None:
    harmonised, leading = FITS.by_references(PIXELS, POSITION)
    assert np.array_equal(leading, np.where(CLOUDY[HIDDEN], 1, 0))
    assert np.abs(harmonised.mean - GROUND[:, HIDDEN].T).max() < 0.03


def test_one_reference_says_nothing_where_it_sees_nothing() -> None:
    harmonised, leading = FITS.by_reference(0, PIXELS, POSITION)
    assert np.array_equal(np.isnan(harmonised.mean).all(axis=1), CLOUDY[HIDDEN])
    assert np.array_equal(leading, np.where(CLOUDY[HIDDEN], -1, 0))


def test_the_scene_says_something_of_each_pixel() -> None:
    assert np.isfinite(FITS.by_scene(PIXELS, POSITION).mean).all()
