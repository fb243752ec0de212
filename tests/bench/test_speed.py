"""Timings side by side: read the ratios within a group, not the seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cloudfree.cloudmask.score import cloud_score
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.inference.load import load_model
from cloudfree.inference.model import TileInputs
from cloudfree.inference.sliding_window import (
    BatchPredictor,
    StripAccumulator,
    TilePlan,
    predict_rows,
)
from tests.bench.published_detector import published_score
from tests.bench.stand_in_gpu import feed
from tests.factories.rasters import cloudy_scene

pytestmark = pytest.mark.bench

SIZE = 1024


def _planes(dtype: type) -> dict[str, Any]:
    numbers = cloudy_scene(SIZE, SIZE)[0]
    return {b: (n / 10_000).astype(dtype) for b, n in zip(OPTICAL_BANDS, numbers, strict=True)}


@pytest.mark.benchmark(group="cloud score, 1024 x 1024")
@pytest.mark.parametrize(
    ("score", "dtype"),
    [(cloud_score, np.float32), (published_score, np.float64)],
    ids=["cloudfree", "published"],
)
def test_cloud_score(benchmark: Any, score: Any, dtype: type) -> None:
    planes = _planes(dtype)
    result = benchmark.pedantic(score, (planes,), rounds=5, warmup_rounds=1)
    inside = result[8:-8, 8:-8]
    assert np.allclose(inside, published_score(_planes(np.float64))[8:-8, 8:-8], atol=1e-4)


@pytest.mark.benchmark(group="cloud detection, 256 x 256")
@pytest.mark.parametrize("detector", ["cloudfree", "s2cloudless"])
def test_cloud_detection_beside_s2cloudless(benchmark: Any, detector: str) -> None:
    numbers = cloudy_scene(256, 256)[0] / np.float32(10_000)
    planes = dict(zip(OPTICAL_BANDS, numbers, strict=True))

    def s2cloudless() -> Any:
        return rival.get_cloud_probability_maps(pixels)

    def cloudfree() -> Any:
        return cloud_score(planes)

    rival = pytest.importorskip("s2cloudless").S2PixelCloudDetector(all_bands=True)
    pixels = np.moveaxis(numbers, 0, -1)[None]
    found = benchmark.pedantic(
        {"cloudfree": cloudfree, "s2cloudless": s2cloudless}[detector], rounds=5, warmup_rounds=1
    )
    assert found.squeeze().shape == (256, 256)


@pytest.mark.benchmark(group="default model, 768 x 768, 256 px tiles, no overlap")
@pytest.mark.parametrize("way", ["bare forward", "engine"])
def test_engine_overhead(benchmark: Any, way: str) -> None:
    torch.set_num_threads(2)
    model = load_model("cloudfree-s", "cpu")
    rng = np.random.default_rng(0)
    optical = rng.random((13, 768, 768), dtype=np.float32)
    sar = rng.uniform(-25, 0, (2, 768, 768)).astype(np.float32)
    plan = TilePlan(768, 768, 256, 0)

    class Tiles:
        def needed(self, _: Any) -> bool:
            return True

        def load(self, tile: Any) -> TileInputs:
            return TileInputs(optical[:, *tile.slices], sar[:, *tile.slices])

        def load_rows(self, _: Any) -> None:
            return None

    def bare() -> int:
        return sum(len(model.predict([Tiles().load(tile)])) for tile in plan)

    def engine() -> int:
        predictor = BatchPredictor(model.predict_with_variance, batch_size=1)
        merger = StripAccumulator.for_plan(plan, 13)
        with predict_rows(plan, Tiles(), predictor, merger) as rows:
            return sum(part.mean.shape[1] for _, part, _ in rows)

    run = {"bare forward": bare, "engine": engine}[way]
    assert benchmark.pedantic(run, rounds=3, warmup_rounds=1) == {"engine": 768}.get(way, 9)


def test_remove_keeps_a_gpu_busy() -> None:
    """Between the first batch and the last; what is read and written must not hold it up."""
    assert feed(2048, milliseconds=10).share > 0.85


@pytest.mark.benchmark(group="default model, one tile of 256 x 256, two threads")
def test_default_model_on_one_tile(benchmark: Any) -> None:
    torch.set_num_threads(2)
    model = load_model("cloudfree-s", "cpu")
    tile = TileInputs(
        np.full((13, 256, 256), 0.2, np.float32), np.full((2, 256, 256), -12.0, np.float32)
    )
    (prediction,) = benchmark.pedantic(model.predict, ([tile],), rounds=5, warmup_rounds=1)
    assert prediction.shape == (13, 256, 256)
