from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.coregistration.features import BORDER_PX, optical_features, sar_features
from tests.factories.scene_pairs import field_pair


def test_features_are_zero_at_borders_gaps_and_clouds() -> None:
    optical, decibels = field_pair(64)
    usable = np.ones((64, 64), bool)
    usable[20:30, 20:30] = False
    decibels[1, 40:45, 40:45] = np.nan
    seen, echo = optical_features(optical, usable), sar_features(decibels)
    rim = int(BORDER_PX)
    assert (seen[..., 20:30, 20:30] == 0).all()
    assert (echo[..., 40:45, 40:45] == 0).all()
    for features in (seen, echo):
        assert np.isfinite(features).all()
        assert not features[..., :rim, :].any()
        assert not features[..., -rim:].any()
        assert features[..., 32, 10:].any()


@settings(max_examples=15)
@given(st.floats(0.2, 5), st.integers(0, 3))
def test_brightness_does_not_matter(factor: float, seed: int) -> None:
    optical, decibels = field_pair(48, seed=seed)
    usable = np.ones((48, 48), bool)
    one = optical_features(optical, usable)
    assert np.allclose(one, optical_features(optical * np.float32(factor), usable), atol=5e-3)
    assert np.allclose(
        sar_features(decibels), sar_features(decibels + np.float32(factor)), atol=5e-3
    )


def test_what_lies_under_a_cloud_does_not_matter() -> None:
    optical, _ = field_pair(64)
    usable = np.ones((64, 64), bool)
    usable[20:30, 20:30] = False
    clouded = optical.copy()
    clouded[:, 20:30, 20:30] = 0.9
    assert np.array_equal(optical_features(optical, usable), optical_features(clouded, usable))
