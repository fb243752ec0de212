"""Earlier dates lie beside the scene, with their truth, and leave it as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from cloudfree.commands.simulate.options import SimulateOptions
from cloudfree.commands.simulate.run import SimulateResult, run
from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.terminal import silent
from cloudfree.errors import OutputError
from cloudfree.sentinel2.optical_scene import OpticalScene

SIZE, SEED = 80, 5
MAIN = ("s2_cloudy", "s2_clear", "s1", "truth_mask")


def _run(folder: Path, dates: int) -> SimulateResult:
    result = run(SimulateOptions(folder, size=SIZE, seed=SEED, dates=dates), silent)
    assert isinstance(result, SimulateResult)
    return result


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> SimulateResult:
    return _run(tmp_path_factory.mktemp("scene"), 3)


def _pixels(path: Path) -> NDArray[np.generic]:
    with rasterio.open(path) as dataset:
        pixels: NDArray[np.generic] = dataset.read()
    return pixels


def test_the_scene_is_the_same_file_for_file_without_them(
    result: SimulateResult, tmp_path: Path
) -> None:
    alone = _run(tmp_path, 0)
    assert alone.earlier == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{n}.tif" for n in MAIN)
    for name in MAIN:
        assert getattr(result, name).read_bytes() == getattr(alone, name).read_bytes(), name


def test_a_date_is_the_same_however_many_there_are(result: SimulateResult, tmp_path: Path) -> None:
    (first,) = _run(tmp_path, 1).earlier
    for role in ("s2", "s1", "clear", "changed", "mask"):
        one, other = getattr(result.earlier[0], role), getattr(first, role)
        assert np.array_equal(_pixels(one), _pixels(other)), role


def test_files_are_named_by_their_dates(result: SimulateResult) -> None:
    assert [date.date for date in result.earlier] == ["2021-04-14", "2021-03-30", "2021-03-20"]
    folder = result.s1.parent
    for date in result.earlier:
        day = date.date.replace("-", "")
        assert date.s2 == folder / "earlier" / f"s2_{day}.tif"
        assert date.s1 == folder / "earlier" / f"s1_{day}.tif"
        for role in ("clear", "changed", "mask"):
            assert getattr(date, role) == folder / "earlier" / "truth" / f"{role}_{day}.tif"


def test_products_are_dated_and_lit_by_the_sun_of_their_day(result: SimulateResult) -> None:
    zenith = []
    for date in result.earlier:
        day = datetime.fromisoformat(date.date).replace(tzinfo=UTC).date()
        with OpticalScene(date.s2) as scene:
            assert scene.acquisition.acquired is not None
            assert scene.acquisition.acquired.date() == day
            zenith.append(float(scene.tags["MEAN_SUN_ZENITH_ANGLE"]))
        with rasterio.open(date.s1) as radar:
            assert radar.tags()["PRODUCT_START_TIME"].startswith(f"{date.date}T17:32:40")
    assert 38 < zenith[0] < zenith[1] < zenith[2] < 52


def test_rasters_have_the_grids_of_the_scene(result: SimulateResult) -> None:
    with rasterio.open(result.s2_cloudy) as optical, rasterio.open(result.s1) as radar:
        for date in result.earlier:
            for path in (date.s2, date.clear, date.changed, date.mask):
                with rasterio.open(path) as dataset:
                    assert (dataset.transform, dataset.shape) == (optical.transform, optical.shape)
                    assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            with rasterio.open(date.s2) as dataset:
                assert dataset.descriptions == OPTICAL_BANDS
            with rasterio.open(date.s1) as dataset:
                assert (dataset.transform, dataset.shape) == (radar.transform, radar.shape)
                assert dataset.descriptions == SAR_BANDS


def test_the_truth_is_that_of_the_files(result: SimulateResult) -> None:
    for date in result.earlier:
        mask, changed = _pixels(date.mask)[0], _pixels(date.changed)[0]
        clear = mask == MaskClass.CLEAR
        assert np.array_equal(_pixels(date.s2)[:, clear], _pixels(date.clear)[:, clear])
        assert set(np.unique(changed)) == {0, 1}
        assert date.cloud == (mask == MaskClass.CLOUD).mean()
        assert date.changed_fraction == changed.mean()


def test_clouds_differ_and_changes_add_up(result: SimulateResult) -> None:
    masks = [_pixels(path) for path in (result.truth_mask, *(d.mask for d in result.earlier))]
    assert len({mask.tobytes() for mask in masks}) == 4
    fractions = [date.changed_fraction for date in result.earlier]
    assert 0 < fractions[0] < fractions[1] <= fractions[2] < 0.25


def test_a_summary_has_a_line_for_each_date(result: SimulateResult) -> None:
    lines = result.summary().splitlines()[-3:]
    for line, date in zip(lines, result.earlier, strict=True):
        assert line.startswith(f"{date.s2} and {date.s1.name}: ")
        assert f"{date.cloud:.1%} under cloud, {date.changed_fraction:.1%} changed" in line


@pytest.mark.parametrize("name", ["earlier/s1_20210330.tif", "earlier/truth/mask_20210414.tif"])
def test_a_date_is_replaced_on_demand_only(tmp_path: Path, name: str) -> None:
    taken = tmp_path / name
    taken.parent.mkdir(parents=True)
    taken.write_text("precious")
    options = SimulateOptions(tmp_path, size=64, dates=2)
    with pytest.raises(OutputError, match=rf"{taken.name} exists already; .*add --overwrite"):
        run(options, silent)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [taken]
    run(replace(options, overwrite=True), silent)
    assert _pixels(taken).ndim == 3


def test_creation_options_reach_earlier_dates(tmp_path: Path) -> None:
    options = SimulateOptions(tmp_path, size=64, dates=1, creation_options={"COMPRESS": "LZW"})
    result = run(options, silent)
    assert isinstance(result, SimulateResult)
    for path in (tmp_path / "earlier").rglob("*.tif"):
        with rasterio.open(path) as dataset:
            assert dataset.compression.name == "lzw", path
