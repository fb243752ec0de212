"""The class of every pixel of a training sample, where it is certain."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.simulation.atmosphere import Atmosphere
from cloudfree.training.detector.labels import INFRARED, VISIBLE, Label, of_atmosphere, of_pair


def _plane(value: float) -> np.ndarray:
    return np.full((8, 8), value, np.float32)


@pytest.mark.parametrize(
    ("low", "cirrus", "haze", "dimming", "snow", "expected"),
    [
        (0.0, 0.0, 0.0, 0.0, None, Label.CLEAR),
        (0.6, 0.0, 0.0, 0.0, None, Label.CLOUD),
        (0.4, 0.3, 0.0, 0.0, None, Label.CLOUD),
        (0.3, 0.0, 0.0, 0.0, None, Label.THIN_CLOUD),
        (0.0, 0.2, 0.0, 0.0, None, Label.THIN_CLOUD),
        (0.0, 0.0, 0.3, 0.0, None, Label.THIN_CLOUD),
        (0.05, 0.0, 0.0, 0.0, None, Label.UNKNOWN),
        (0.0, 0.0, 0.0, 0.5, None, Label.SHADOW),
        (0.0, 0.0, 0.0, 0.1, None, Label.UNKNOWN),
        (0.3, 0.0, 0.0, 0.5, None, Label.THIN_CLOUD),
        (0.0, 0.0, 0.0, 0.0, 0.8, Label.SNOW),
        (0.0, 0.0, 0.0, 0.0, 0.4, Label.SNOW),
        (0.0, 0.0, 0.0, 0.0, 0.2, Label.CLEAR),
        (0.6, 0.0, 0.0, 0.0, 0.8, Label.CLOUD),
    ],
)
def test_a_simulated_pixel(
    low: float, cirrus: float, haze: float, dimming: float, snow: float | None, expected: Label
) -> None:
    atmosphere = Atmosphere(*(_plane(v) for v in (low, cirrus, haze, dimming)), relief=_plane(1.0))
    labels = of_atmosphere(atmosphere, None if snow is None else _plane(snow))
    assert set(np.unique(labels)) == {expected}


@pytest.mark.parametrize(
    ("brighter", "left", "expected"),
    [
        (0.0, 1.0, Label.CLEAR),
        (0.3, 1.5, Label.CLOUD),
        (0.3, 1.0, Label.UNKNOWN),  # has the colours of snow
        (0.1, 1.0, Label.THIN_CLOUD),
        (0.03, 1.0, Label.UNKNOWN),
        (-0.02, 0.5, Label.SHADOW),
        (-0.02, 0.7, Label.UNKNOWN),
    ],
)
def test_a_pixel_of_a_pair(brighter: float, left: float, expected: Label) -> None:
    clear = np.full((13, 8, 8), 0.2, np.float32)
    cloudy = clear.copy()
    cloudy[VISIBLE] += np.float32(brighter)
    cloudy[INFRARED] *= np.float32(left)
    assert set(np.unique(of_pair(cloudy, clear))) == {expected}


def test_a_field_that_became_red_is_no_cloud() -> None:
    clear = np.full((13, 8, 8), 0.1, np.float32)
    ploughed = clear.copy()
    ploughed[VISIBLE[2]] += 0.2
    assert Label.CLOUD not in of_pair(ploughed, clear)


def test_deep_water_is_no_shadow() -> None:
    clear = np.full((13, 8, 8), 0.02, np.float32)
    assert Label.SHADOW not in of_pair(clear * np.float32(0.4), clear)
