"""Samples drawn once and kept on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cloudfree.training.detector import pool as pools
from cloudfree.training.detector.pool import BATCH, CROP_PX, draw_pool
from cloudfree.training.detector.regions import open_regions
from tests.factories.regions import write_regions


def test_a_pool_gives_batches_of_its_samples(tmp_path: Path) -> None:
    pool = draw_pool(open_regions(write_regions(tmp_path / "regions")), 3, 1, tmp_path / "pool")
    batch = pool.batch(seed=1, step=0)
    assert batch.optical.shape == (BATCH, 10, CROP_PX // 2, CROP_PX // 2)
    assert batch.labels.shape == (BATCH, CROP_PX // 2, CROP_PX // 2)
    missing = batch.present == 0
    assert (batch.optical[missing] == 0).all()
    assert torch.equal(batch.optical, pool.batch(seed=1, step=0).optical)
    assert not torch.equal(batch.optical, pool.batch(seed=1, step=1).optical)


def test_a_finished_pool_is_not_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    regions = open_regions(write_regions(tmp_path / "regions"))
    first = draw_pool(regions, 2, 1, tmp_path / "pool")
    monkeypatch.setattr(pools, "draw_sample", None)
    again = draw_pool(regions, 2, 1, tmp_path / "pool")
    np.testing.assert_array_equal(first.images, again.images)
