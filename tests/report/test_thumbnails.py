"""Results in an index: small, quick, and safe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import FILL_COLOURS, FillClass
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.report import thumbnails
from cloudfree.report.sources import open_sources
from cloudfree.report.thumbnails import index_entry
from tests.factories.range_server import counted_bytes
from tests.factories.rasters import cloudy_scene
from tests.factories.results import reference_tags, write_result

ROOM = 10**6


def test_a_result_has_its_pictures_and_shares(tmp_path: Path) -> None:
    fake = write_result(tmp_path, CLOUDFREE_WARNINGS="one | two")
    entry = index_entry(fake.result, ROOM)
    share = cloudy_scene(48, 64)[1].sum() / (48 * 64 - 4 * 6)
    assert entry.title == "l1c_cloudfree.tif"
    assert entry.filled == pytest.approx(share)
    assert (entry.cover, entry.unfilled) == (entry.filled, 0)
    assert [(one.label, one.colour) for one in entry.shares] == [
        ("original", FILL_COLOURS[FillClass.ORIGINAL]), ("filled", FILL_COLOURS[FillClass.FILLED])
    ]  # fmt: skip
    assert [one.label for one in entry.thumbnails] == ["Before", "After"]
    assert entry.warnings == ("one", "two")
    assert entry.page is None


def test_other_dates_are_counted(tmp_path: Path) -> None:
    fake = write_result(tmp_path, **reference_tags([Path("may.tif"), Path("june.tif")]))
    assert index_entry(fake.result, ROOM).references == 2


def test_without_the_mask_of_filled_pixels_the_cover_is_unknown(tmp_path: Path) -> None:
    fake = write_result(tmp_path)
    fake.filled.unlink()
    entry = index_entry(fake.result, ROOM)
    assert (entry.cover, entry.shares) == (None, ())
    assert entry.warnings == ("the mask of filled pixels was not found: l1c_cloudfree_filled.tif",)


def test_a_large_scene_without_overviews_is_not_read(tmp_path: Path, monkeypatch) -> None:
    fake = write_result(tmp_path)
    monkeypatch.setattr(thumbnails, "LARGEST_WITHOUT_OVERVIEWS_PX", 63)
    assert [one.label for one in index_entry(fake.result, ROOM).thumbnails] == ["After"]


@pytest.mark.parametrize("room", [4_000, 8_000])
def test_pictures_take_no_more_room_than_there_is(tmp_path: Path, room: int) -> None:
    entry = index_entry(write_result(tmp_path, 400, 400).result, room)
    assert len(entry.thumbnails) == 2
    assert sum(len(one.uri) for one in entry.thumbnails) <= room


def test_without_room_there_are_no_pictures(tmp_path: Path) -> None:
    entry = index_entry(write_result(tmp_path).result, 0)
    assert entry.thumbnails == ()
    assert entry.shares


def test_only_overviews_of_a_large_result_are_read(tmp_path: Path) -> None:
    """Those of half the size and smaller are a quarter of the file."""
    fake = write_result(tmp_path, 1100, 1100)
    with open_sources(fake.result, None) as sources:
        tags, grid = {**sources.after.tags, "CLOUDFREE_OFFSET_DN": "0"}, sources.after.grid
    fake.result.unlink()
    noise = np.random.default_rng(1).integers(1, 9999, (13, 1100, 1100), np.uint16)
    profile = CogProfile("uint16", 0, OPTICAL_BANDS, tags)
    with CogWriter(fake.result, grid, profile) as writer:
        writer.write(grid.window, noise)
        writer.finish()
    size = fake.result.stat().st_size
    with counted_bytes(fake.result) as served:
        assert [one.label for one in index_entry(served.path, ROOM).thumbnails] == ["After"]
        assert served.count < 0.3 * size
