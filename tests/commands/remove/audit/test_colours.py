"""Colours that no clear ground has, and ground unlike that of the same backscatter."""

from __future__ import annotations

import numpy as np

from cloudfree.commands.remove.audit.colours import ColourSample, unlike_radar

FOREST, FIELD = np.array([0.04, 0.06, 0.03, 0.35]), np.array([0.08, 0.10, 0.12, 0.25])


def _ground(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Reflectance, (band, pixel), of woods and fields, and their backscatter."""
    random = np.random.default_rng(seed)
    wooded = random.random(number) < 0.5
    spectra = np.where(wooded, FOREST[:, None], FIELD[:, None])
    radar = np.where(wooded, np.array([[-8.0], [-14.0]]), np.array([[-12.0], [-20.0]]))
    light = random.normal(1.0, 0.1, number)
    noise = random.normal(0, 0.4, radar.shape)
    return (spectra * light).astype(np.float32), (radar + noise).astype(np.float32)


def _foreign(filled: np.ndarray, clear: np.ndarray) -> float:
    sample, yes, no = ColourSample(), np.ones((1, 4000), bool), np.zeros((1, 4000), bool)
    sample.add(filled[:, None], yes, no)
    sample.add(clear[:, None], no, yes)
    return sample.foreign


def test_ground_of_the_same_kind_has_known_colours() -> None:
    assert _foreign(_ground(4000, 1)[0], _ground(4000, 2)[0]) < 0.05


def test_bands_that_changed_places_are_other_colours() -> None:
    assert _foreign(_ground(4000, 1)[0][[3, 2, 1, 0]], _ground(4000, 2)[0]) > 0.9


def test_a_red_tint_is_another_colour() -> None:
    tinted = _ground(4000, 1)[0] * np.array([[1], [1], [2.5], [1]], np.float32)
    assert _foreign(tinted, _ground(4000, 2)[0]) > 0.3


def test_nothing_is_said_of_few_pixels() -> None:
    sample = ColourSample()
    assert sample.foreign == 0
    some = np.ones((1, 10), bool)
    sample.add(np.ones((4, 1, 10), np.float32), some, some)
    assert sample.foreign == 0


def test_fields_in_place_of_woods_are_unlike_their_backscatter() -> None:
    (filled, radar), (clear, other) = _ground(4000, 1), _ground(4000, 2)
    assert unlike_radar(filled, clear, radar, other) < 0.5
    exchanged = np.where(filled[3] > 0.3, FIELD[:, None], FOREST[:, None]).astype(np.float32)
    assert unlike_radar(exchanged, clear, radar, other) > 1.5


def test_backscatter_that_no_clear_ground_has_says_nothing() -> None:
    (filled, radar), (clear, other) = _ground(4000, 1), _ground(4000, 2)
    assert unlike_radar(filled, clear, radar + 20, other) == 0
