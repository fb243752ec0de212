"""Statistics in the metadata are those that GDAL would compute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cloudfree.core.grid import Grid, Window, strips
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.statistics import SAMPLED_PX, BandStatistics
from tests.factories.rasters import TEN_METRES

NUMBERS = arrays.arrays(
    np.uint16, st.tuples(st.just(2), st.integers(1, 9), st.integers(1, 9)),
    elements=st.integers(0, 4),
)  # fmt: skip


def _tags(pixels: np.ndarray, nodata: float | None, rows: int) -> tuple[dict[str, str], ...]:
    _, height, width = pixels.shape
    statistics = BandStatistics(Grid(None, TEN_METRES, height, width), len(pixels), nodata)
    for window in strips(height, width, rows):
        statistics.add(window, pixels[:, *window.slices])
    return statistics.tags()


@given(pixels=NUMBERS, rows=st.integers(1, 9))
def test_they_are_exact_below_a_thousand_pixels_whatever_the_windows(
    pixels: np.ndarray, rows: int
) -> None:
    for plane, tags in zip(pixels, _tags(pixels, 0, rows), strict=True):
        valid = plane[plane != 0].astype(float)
        if not valid.size:
            assert tags == {}
            continue
        numbers = {name.removeprefix("STATISTICS_"): float(text) for name, text in tags.items()}
        assert numbers == {
            "MINIMUM": valid.min(),
            "MAXIMUM": valid.max(),
            "MEAN": pytest.approx(valid.mean()),
            "STDDEV": pytest.approx(valid.std(), abs=1e-7),
            "VALID_PERCENT": pytest.approx(100 * valid.size / plane.size, rel=1e-3),
        }


@pytest.mark.parametrize("nodata", [np.nan, None, -9999.0])
def test_no_number_is_no_data_whatever_is_declared(nodata: float | None) -> None:
    pixels = np.array([[[1.0, np.nan, 3.0, np.inf]]], np.float32)
    (tags,) = _tags(pixels, nodata, 1)
    assert (tags["STATISTICS_MEAN"], tags["STATISTICS_VALID_PERCENT"]) == ("2", "50")


def test_a_constant_band_has_no_negative_variance() -> None:
    (tags,) = _tags(np.full((1, 7, 7), 0.1, np.float32), np.nan, 3)
    assert float(tags["STATISTICS_STDDEV"]) == pytest.approx(0, abs=1e-7)


def test_a_large_raster_is_sampled_alike_whatever_the_windows() -> None:
    height, width = SAMPLED_PX + 500, 300
    pixels = np.random.default_rng(0).normal(1000, 100, (1, height, width)).astype(np.float32)
    whole, parts = _tags(pixels, np.nan, height), _tags(pixels, np.nan, 33)
    for name, text in whole[0].items():
        if name != "STATISTICS_APPROXIMATE":
            assert float(parts[0][name]) == pytest.approx(float(text), rel=1e-9)
    assert whole[0]["STATISTICS_APPROXIMATE"] == "YES"
    sample = pixels[0, ::2, ::2]
    assert float(whole[0]["STATISTICS_MEAN"]) == pytest.approx(sample.mean(dtype=float))
    assert float(whole[0]["STATISTICS_MAXIMUM"]) == sample.max()


@pytest.mark.parametrize(("dtype", "nodata"), [("uint16", 0.0), ("float32", float("nan"))])
def test_gdal_computes_the_same(tmp_path: Path, dtype: str, nodata: float) -> None:
    numbers = np.random.default_rng(0).integers(0, 50, (2, 90, 70)).astype(dtype)
    pixels = np.where(numbers == 7, nodata, numbers).astype(dtype)
    path = tmp_path / "a.tif"
    with CogWriter(
        path, Grid(None, TEN_METRES, 90, 70), CogProfile(dtype, nodata, ("a", "b"))
    ) as writer:
        writer.write(Window(0, 0, 90, 70), pixels)
    with Dataset(path) as dataset:
        for index in (1, 2):
            tags, gdal = dataset.handle.tags(index), dataset.handle.stats(indexes=[index])[0]
            for name, value in zip(
                ("MINIMUM", "MAXIMUM", "MEAN", "STDDEV"),
                (gdal.min, gdal.max, gdal.mean, gdal.std),
                strict=True,
            ):
                assert float(tags[f"STATISTICS_{name}"]) == pytest.approx(value)
