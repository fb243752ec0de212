"""Reading a patch: the units of the tool, whatever the files hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.datasets.date_choice import choose_dates
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import PatchDates, Sample, read_patch
from cloudfree.errors import InputError
from tests.factories.rasters import FIELD, cloudy_scene, write_raster
from tests.factories.sample_folders import SIDE, TEST, field, write_patch, write_triplet
from tests.factories.time_series import SERIES_TEST, write_time_series


def test_a_patch_is_reflectance_and_decibels(tmp_path: Path) -> None:
    write_patch(tmp_path, TEST)
    patch = read_patch(list_samples(tmp_path).samples[0])
    numbers, cloud = cloudy_scene(SIDE, SIDE)
    assert patch.bands == OPTICAL_BANDS
    np.testing.assert_allclose(patch.cloudy, numbers / 10_000, atol=1e-6)
    np.testing.assert_allclose(patch.clear[:, cloud].mean(axis=1), FIELD, atol=1e-4)
    assert patch.sar is not None
    assert patch.sar.mean(axis=(1, 2)) == pytest.approx([-11, -17], abs=0.2)
    assert {patch.cloudy.dtype, patch.clear.dtype, patch.sar.dtype} == {np.dtype(np.float32)}


def test_a_sample_without_a_cloudy_image_has_the_clear_one_in_both(tmp_path: Path) -> None:
    write_triplet(tmp_path, "a")
    (tmp_path / "a_s2_cloudy.tif").unlink()
    patch = read_patch(list_samples(tmp_path, offset_dn=0.0, needed=("clear",)).samples[0])
    np.testing.assert_array_equal(patch.cloudy, patch.clear)
    np.testing.assert_allclose(patch.clear, field() / 10_000, atol=0.02)


def test_a_window_is_that_part_of_all_files(tmp_path: Path) -> None:
    write_triplet(tmp_path, "a")
    whole = list_samples(tmp_path).samples[0]
    window = Window(4, 8, 16, 12)
    part, full = read_patch(replace(whole, window=window)), read_patch(whole).part(window)
    np.testing.assert_array_equal(part.cloudy, full.cloudy)
    np.testing.assert_array_equal(part.clear, full.clear)
    assert part.sar is not None
    assert full.sar is not None
    np.testing.assert_array_equal(part.sar, full.sar)
    assert part.grid == full.grid


def test_the_offset_is_added_to_both_images(tmp_path: Path) -> None:
    write_triplet(tmp_path, "a")
    plain = list_samples(tmp_path, offset_dn=0.0).samples[0]
    moved = list_samples(tmp_path, offset_dn=-1000.0).samples[0]
    for name in ("cloudy", "clear"):
        difference = getattr(read_patch(plain), name) - getattr(read_patch(moved), name)
        np.testing.assert_allclose(difference, 0.1, atol=1e-6)


def test_only_bands_of_both_images_are_there(tmp_path: Path) -> None:
    write_triplet(tmp_path, "a")
    write_raster(tmp_path / "a_s2_clear.tif", field()[:4], OPTICAL_BANDS[:4])
    patch = read_patch(list_samples(tmp_path, offset_dn=0.0).samples[0])
    assert patch.bands == OPTICAL_BANDS[:4]
    assert len(patch.cloudy) == len(patch.clear) == 4
    with pytest.raises(InputError, match="no band B11 in a; wanted the bands that the mask needs"):
        patch.require(["B02", "B11"], "the mask")


def test_images_on_different_grids_are_refused(tmp_path: Path) -> None:
    write_triplet(tmp_path, "a")
    write_raster(tmp_path / "a_s2_clear.tif", field(24), OPTICAL_BANDS)
    with pytest.raises(InputError, match=r"a_s2_cloudy.tif \(32 x 32\) and a_s2_clear.tif \(24 x"):
        read_patch(list_samples(tmp_path, offset_dn=0.0).samples[0])


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    write_triplet(tmp_path, "a")
    path = tmp_path / "a_s2_clear.tif"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises((InputError, OSError)):
        read_patch(list_samples(tmp_path, offset_dn=0.0).samples[0])


class TestOtherDates:
    @pytest.fixture
    def chosen(self, tmp_path: Path) -> Sample:
        write_time_series(tmp_path, SERIES_TEST)
        return choose_dates(list_samples(tmp_path, dates=3).samples[0])

    def test_a_part_of_a_patch_is_that_part_of_every_date(self, chosen: Sample) -> None:
        patch, window = read_patch(chosen), Window(4, 8, 16, 12)
        part = patch.part(window)
        for whole, inside in zip(patch.others, part.others, strict=True):
            assert inside.days == whole.days
            np.testing.assert_array_equal(inside.optical, whole.optical[:, 4:20, 8:20])
            np.testing.assert_array_equal(inside.sar, whole.sar[:, 4:20, 8:20])

    def test_other_dates_have_the_bands_that_are_asked_for(self, chosen: Sample) -> None:
        patch = read_patch(chosen)
        found = patch.others_in(("B08", "B02"))
        assert found[0].optical.shape == (2, *patch.cloudy.shape[1:])
        np.testing.assert_array_equal(found[1].optical[0], patch.others[1].optical[7])

    def test_a_date_on_another_grid_is_refused(self, chosen: Sample) -> None:
        write_raster(chosen.others[1].optical, field(16), OPTICAL_BANDS)
        with pytest.raises(InputError, match=r"\(64 x 64\) and s2_.*\(16 x 16\) on different"):
            read_patch(chosen)


def test_dates_are_those_of_the_metadata(tmp_path: Path) -> None:
    """A day in the name of a triplet may be that of any of its images."""
    write_triplet(tmp_path, "north_20180605")
    (sample,) = list_samples(tmp_path, offset_dn=0.0).samples
    assert read_patch(sample).dates == PatchDates()
    assert sample.sar is not None
    for path, tag, time in (
        (sample.clear, "PRODUCT_START_TIME", "2018-06-20T10:50:31Z"),
        (sample.sar, "PRODUCT_START_TIME", "2018-06-05T17:00:00Z"),
    ):
        with rasterio.open(path, "r+") as file:
            file.update_tags(**{tag: time})
    assert read_patch(sample).dates == PatchDates(sar="2018-06-05", clear="2018-06-20")


def test_dates_of_a_time_series_are_those_of_its_names(tmp_path: Path) -> None:
    write_time_series(tmp_path, SERIES_TEST)
    (sample,) = list_samples(tmp_path, dates=3).samples
    dates = read_patch(choose_dates(sample)).dates
    assert dates == PatchDates(sar="2018-01-20", cloudy="2018-01-18", clear="2018-01-30")
    assert (dates.days("cloudy", "clear"), dates.days("sar", "clear")) == (12, 10)


def test_days_between_images_are_unknown_without_a_date() -> None:
    dates = PatchDates(sar="", cloudy="2018-01-18", clear="2018-01-06")
    assert dates.days("cloudy", "clear") == dates.days("clear", "cloudy") == 12
    assert dates.days("sar", "clear") is None
