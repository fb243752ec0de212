"""Training samples of the cloud detector."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.training.detector.labels import Label
from cloudfree.training.detector.regions import Region, open_regions
from cloudfree.training.detector.samples import SIDE_PX, draw_sample
from tests.factories.regions import write_regions


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> list[Region]:
    return open_regions(write_regions(tmp_path_factory.mktemp("regions")))


def test_a_sample_is_a_square_with_a_label_for_each_pixel(regions: list[Region]) -> None:
    for seed in range(12):
        sample = draw_sample(regions, np.random.default_rng(seed))
        assert sample.reflectance.shape == (13, SIDE_PX, SIDE_PX)
        assert sample.labels.shape == (SIDE_PX, SIDE_PX)
        assert np.isfinite(sample.reflectance).all()
        assert (sample.reflectance >= 0).all()
        assert set(np.unique(sample.labels)) <= set(Label)


def test_the_same_seed_draws_the_same_sample(regions: list[Region]) -> None:
    one, other = (draw_sample(regions, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one.reflectance, other.reflectance)
    np.testing.assert_array_equal(one.labels, other.labels)


def test_small_clouds_say_that_they_need_the_short_wave(regions: list[Region]) -> None:
    said = [draw_sample(regions, np.random.default_rng(seed)) for seed in range(40)]
    assert {sample.needs_short_wave for sample in said} == {False, True}


def test_all_classes_come_up(regions: list[Region]) -> None:
    seen: set[int] = set()
    for seed in range(40):
        seen |= set(np.unique(draw_sample(regions, np.random.default_rng(seed)).labels).tolist())
    assert seen == set(Label)
