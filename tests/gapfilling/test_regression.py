from __future__ import annotations

import numpy as np
import pytest

from cloudfree.gapfilling.regression import (
    HINGES,
    PIXELS_PER_HINGE,
    RARE,
    Bent,
    Linear,
    Span,
    bent_ridge,
    ridge,
)

RNG = np.random.default_rng(0)


def test_a_linear_map_is_found() -> None:
    features = RNG.normal(0, 1, (50_000, 3)).astype(np.float32)
    weights, offset = np.array([[1.0, 0.5], [-0.3, 0.0], [0.2, 2.0]]), np.array([0.1, 0.7])
    found = ridge(features, (features @ weights + offset).astype(np.float32))
    assert found.weights == pytest.approx(weights, rel=0.01, abs=1e-3)
    assert found.offset == pytest.approx(offset, abs=0.01)
    assert found(np.zeros((1, 3), np.float32))[0] == pytest.approx(offset, abs=0.01)


def test_without_features_it_is_the_mean() -> None:
    values = RNG.uniform(0, 1, (40, 2)).astype(np.float32)
    none = np.zeros((40, 0), np.float32)
    assert ridge(none, values)(none[:3]) == pytest.approx(np.tile(values.mean(axis=0), (3, 1)))


def test_features_that_never_vary_say_nothing() -> None:
    values = RNG.uniform(0, 1, (40, 2)).astype(np.float32)
    found = ridge(np.ones((40, 2), np.float32), values)
    assert found(np.ones((1, 2), np.float32))[0] == pytest.approx(values.mean(axis=0), rel=1e-5)


def test_features_beyond_what_is_known_are_taken_at_its_end() -> None:
    features = np.linspace(-1, 1, 10_001, dtype=np.float32)[:, None].repeat(2, axis=1)
    span = Span.of(features)
    far = np.array([[-5.0, 0.25], [0.5, 3.0]], np.float32)
    edge = 1 - 2 * RARE
    assert span.within(far) == pytest.approx(np.array([[-edge, 0.25], [0.5, edge]]), abs=1e-3)
    assert span.beyond(far) == pytest.approx(np.array([[5 - edge, 0], [0, 3 - edge]]), abs=1e-3)


def test_a_widened_span_has_more_at_either_end() -> None:
    span = Span(np.array([0.0, 2.0], np.float32), np.array([1.0, 4.0], np.float32)).widened(0.1)
    assert span.low == pytest.approx([-0.1, 1.8])
    assert span.high == pytest.approx([1.1, 4.2])


def _bend(features: np.ndarray) -> np.ndarray:
    return np.abs(features[:, :1]).astype(np.float32)


def test_hinges_follow_a_bend_that_no_linear_map_has() -> None:
    features = RNG.normal(0, 1, (40_000, 2)).astype(np.float32)
    bent, linear = bent_ridge(features, _bend(features)), ridge(features, _bend(features))
    others = RNG.normal(0, 1, (1000, 2)).astype(np.float32)
    assert np.abs(linear(others) - _bend(others)).mean() > 0.4
    assert np.abs(bent(others) - _bend(others)).mean() < 0.06


@pytest.mark.parametrize(
    ("pixels", "hinges"),
    [(3 * PIXELS_PER_HINGE, 0), (8 * PIXELS_PER_HINGE, 5), (10_000, HINGES)],
)
def test_little_ground_has_few_hinges(pixels: int, hinges: int) -> None:
    features = RNG.normal(0, 1, (pixels, 3)).astype(np.float32)
    found = bent_ridge(features, features)
    assert isinstance(found, Bent if hinges else Linear)
    if isinstance(found, Bent):
        assert found.weights.shape == (hinges, 3)
