from __future__ import annotations

import numpy as np
import pytest

from cloudfree.gapfilling.hinges import AXES, Hinges

FEATURES = np.random.default_rng(0).normal(0.2, 0.1, (5000, 20)).astype(np.float32)


def test_they_are_zero_up_to_a_plane_and_linear_beyond() -> None:
    hinges = Hinges.of(FEATURES, 7)
    along = FEATURES[:1] + np.linspace(-9, 9, 1001, dtype=np.float32)[:, None] * FEATURES[1:2]
    values = hinges(along)
    assert values.shape == (1001, 7)
    assert (values >= 0).all()
    bends = np.abs(np.diff(values, n=2, axis=0)) > 1e-3 * values.max()
    assert (bends.sum(axis=0) <= 2).all()  # a bend between two steps shows at both
    assert (values == 0).any(axis=0).all()


def test_they_vary_as_much_as_the_features_do() -> None:
    assert Hinges.of(FEATURES, 50)(FEATURES).std() == pytest.approx(FEATURES.std(), rel=0.05)


def test_they_are_the_same_in_each_run() -> None:
    first, second = (Hinges.of(FEATURES, 9) for _ in range(2))
    assert np.array_equal(first(FEATURES), second(FEATURES))


def test_fewer_features_than_axes_and_a_feature_that_never_varies_are_enough() -> None:
    few = FEATURES[:, : AXES // 2].copy()
    few[:, 0] = 0.3
    assert np.isfinite(Hinges.of(few, 9)(few)).all()
