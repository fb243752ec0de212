"""The files of a result: found, moved, broken, unfit."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.errors import InputError
from cloudfree.report.sources import open_sources
from cloudfree.sentinel1.geocoded import SarScene
from tests.factories.rasters import write_cloudy_scene, write_raster
from tests.factories.results import write_result


def test_a_result_with_everything_beside_it_misses_nothing(tmp_path: Path):
    fake = write_result(tmp_path)
    with open_sources(fake.result, fake.truth) as sources:
        assert sources.missing == ()
        opened = (sources.before, sources.sar, sources.mask, sources.filled, sources.truth)
        paths = (fake.s2, fake.s1, fake.mask, fake.filled, fake.truth)
        assert tuple(source.path for source in opened) == paths


@pytest.mark.parametrize(
    ("file", "field", "what"),
    [
        ("s2", "before", "the cloudy scene was not found: l1c.tif"),
        ("s1", "sar", "the Sentinel-1 scene was not found: l1c_s1.tif"),
        ("mask", "mask", "the cloud mask was not found: l1c_mask.tif"),
        ("filled", "filled", "the mask of filled pixels was not found: l1c_cloudfree_filled.tif"),
    ],
)
def test_a_moved_file_is_missed_by_name_and_the_others_stay(tmp_path, file, field, what):
    fake = write_result(tmp_path)
    getattr(fake, file).unlink()
    with open_sources(fake.result, None) as sources:
        assert sources.missing == (what,)
        fields = {name: getattr(sources, name) for name in ("before", "sar", "mask", "filled")}
    assert [name for name, source in fields.items() if source is None] == [field]


@pytest.mark.parametrize("kept", [True, False])
def test_the_radar_is_opened_with_the_heights_that_corrected_it(tmp_path, monkeypatch, kept):
    fake = write_result(tmp_path, CLOUDFREE_DEM="dem.tif")
    dem = write_raster(tmp_path / "dem.tif", np.zeros((1, 9, 9), np.float32), ["height"])
    if not kept:
        dem.unlink()
    asked = []

    def opened(path: Path, units: str, heights: Path | None) -> SarScene:
        asked.append((units, heights))
        return SarScene(path, units)

    monkeypatch.setattr("cloudfree.report.sources.open_sar_source", opened)
    with open_sources(fake.result, None) as sources:
        assert sources.missing == (() if kept else ("the elevation model was not found: dem.tif",))
    assert asked == [("auto", dem if kept else None)]


def test_a_broken_file_is_named_and_left_out(tmp_path: Path):
    fake = write_result(tmp_path)
    fake.s2.write_bytes(b"no raster")
    with open_sources(fake.result, None) as sources:
        assert sources.before is None
        assert "the cloudy scene cannot be used" in sources.missing[0]


def test_a_mask_that_was_not_kept_is_not_missed(tmp_path: Path):
    fake = write_result(tmp_path, CLOUDFREE_MASK=None)
    with open_sources(fake.result, None) as sources:
        assert (sources.mask, sources.missing) == (None, ())


def test_paths_are_relative_to_the_result(tmp_path: Path):
    fake = write_result(tmp_path / "out", CLOUDFREE_S2="../in/l1c.tif")
    (tmp_path / "in").mkdir()
    fake.s2.rename(tmp_path / "in" / "l1c.tif")
    with open_sources(fake.result, None) as sources:
        assert sources.before is not None


def test_a_truth_of_another_size_is_refused(tmp_path: Path):
    fake = write_result(tmp_path)
    other = write_cloudy_scene(tmp_path / "other.tif", 50, 64)
    message = r"other.tif \(50 x 64\) does not lie on the grid of l1c_cloudfree.tif \(48 x 64\)"
    with pytest.raises(InputError, match=message), open_sources(fake.result, other):
        pass


def test_a_truth_without_a_band_is_refused(tmp_path: Path):
    fake = write_result(tmp_path)
    pixels = np.ones((12, 48, 64), np.uint16)
    other = write_raster(tmp_path / "other.tif", pixels, OPTICAL_BANDS[:12])
    message = r"no band B12 in other\.tif"
    with pytest.raises(InputError, match=message), open_sources(fake.result, other):
        pass


def test_a_mask_is_read_as_remove_has_read_it(tmp_path: Path):
    """Probabilities with their threshold, grown as far."""
    tags = {"CLOUDFREE_MASK_THRESHOLD": "0.8", "CLOUDFREE_MASK_DILATE": "2px"}
    fake = write_result(tmp_path, **tags)
    with open_sources(fake.result, None) as sources:
        height, width = sources.after.grid.height, sources.after.grid.width
    pixels = np.full((1, height, width), 0.7, np.float32)
    pixels[0, 5, 5] = 0.9
    fake.mask.unlink()
    write_raster(fake.mask, pixels, ["probability"])
    with open_sources(fake.result, None) as sources:
        assert sources.missing == ()
        assert sources.mask is not None
        assert np.flatnonzero(sources.mask.counts()).tolist() == [0, 1]
        assert sources.mask.counts()[1] == 13


def test_a_mask_in_an_archive_is_found(tmp_path: Path):
    """As the scene classification of a zipped product."""
    name = f"/vsizip/{{{tmp_path / 'product.zip'}}}/SCL.tif"
    fake = write_result(tmp_path, CLOUDFREE_MASK=name)
    with zipfile.ZipFile(tmp_path / "product.zip", "w") as archive:
        archive.write(fake.mask, "SCL.tif")
    with open_sources(fake.result, None) as sources:
        assert sources.missing == ()
        assert sources.mask is not None
