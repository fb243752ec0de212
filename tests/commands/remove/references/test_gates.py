"""Why a date is left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine

from cloudfree.commands.options import ReferenceOptions
from cloudfree.commands.remove.references.coarse_ground import CoarseGround
from cloudfree.commands.remove.references.gates import NOTHING_HIDDEN, Gates
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Grid
from cloudfree.sentinel2.detect_product import find_product
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import TEN_METRES, write_raster

L2A_BANDS = tuple(band for band in OPTICAL_BANDS if band != "B10")


def _write(
    path: Path,
    bands: tuple[str, ...] = OPTICAL_BANDS,
    right_px: float = 0.0,
    dtype: str = "uint16",
    side: int = 40,
    **kind: Any,
) -> Path:
    numbers = np.full((len(bands), side, side), 100, dtype)
    moved = TEN_METRES @ Affine.translation(right_px, 0)
    return write_raster(path, numbers, bands, transform=moved, **kind)


@pytest.fixture
def today(tmp_path: Path) -> Iterator[OpticalScene]:
    """An L1C scene of 5 June."""
    with OpticalScene(_write(tmp_path / "s2_20220605.tif"), 0.0) as scene:
        yield scene


def _by_metadata(today: OpticalScene, path: Path, **options: Any) -> str | None:
    return Gates(today, ReferenceOptions(**options)).by_metadata(path, find_product(path))


def _by_scene(today: OpticalScene, path: Path, **options: Any) -> str | None:
    with OpticalScene(path, 0.0) as scene:
        return Gates(today, ReferenceOptions(**options)).by_scene(scene)


def test_the_scene_itself_and_its_day_are_no_references(
    tmp_path: Path, today: OpticalScene
) -> None:
    there = tmp_path / "x" / ".." / today.path.name
    (tmp_path / "x").mkdir()
    assert _by_metadata(today, there) == "is the scene itself"
    copy = _write(tmp_path / "copy_2022-06-05.tif")
    assert _by_metadata(today, copy) == "is of the day of the scene"


def test_old_dates_and_later_ones_are_left_out_by_their_age(
    tmp_path: Path, today: OpticalScene
) -> None:
    for day, gap in (("20210401", 430), ("20231005", 487)):
        path = _write(tmp_path / f"s2_{day}.tif")
        reason = f"is {gap} days from the scene, more than --max-age 400"
        assert _by_metadata(today, path) == reason
        assert _by_metadata(today, path, max_age=None) is None
    assert _by_metadata(today, _write(tmp_path / "s2_20210605.tif")) is None


def test_the_age_counts_from_a_date_that_is_stated(tmp_path: Path, today: OpticalScene) -> None:
    path = _write(tmp_path / "s2_20210401.tif")
    today.state(datetime(2021, 4, 11, 12, tzinfo=UTC))
    assert _by_metadata(today, path) is None
    assert (
        _by_metadata(today, path, max_age=9) == "is 10 days from the scene, more than --max-age 9"
    )


def test_a_date_that_is_not_known_is_no_reason(tmp_path: Path, today: OpticalScene) -> None:
    path = _write(tmp_path / "s2.tif")
    gates = Gates(today, ReferenceOptions())
    assert gates.by_metadata(path, find_product(path)) is None
    assert gates.days(find_product(path).acquisition) is None


def test_the_other_level_is_left_out_unless_it_is_allowed(
    tmp_path: Path, today: OpticalScene
) -> None:
    tagged = _write(tmp_path / "a.tif", PROCESSING_LEVEL="Level-2A")
    reason = "is L2A and the scene L1C, which --any-level allows"
    assert _by_metadata(today, tagged) == reason
    assert _by_metadata(today, tagged, any_level=True) is None
    by_bands = _write(tmp_path / "b.tif", L2A_BANDS)
    assert _by_metadata(today, by_bands) is None, "its bands are not known yet"
    assert _by_scene(today, by_bands) == reason
    assert _by_scene(today, by_bands, any_level=True) is None


def test_an_unknown_level_is_no_reason(tmp_path: Path, today: OpticalScene) -> None:
    assert _by_scene(today, _write(tmp_path / "a.tif", ("B02", "B03"))) is None


def test_a_picture_is_no_reference_of_reflectance(tmp_path: Path, today: OpticalScene) -> None:
    colours = ("B04", "B03", "B02")
    picture = _write(tmp_path / "tci.tif", colours, dtype="uint8")
    assert _by_scene(today, picture) == "is an 8-bit picture and the scene reflectance"
    with OpticalScene(picture) as scene:
        reason = Gates(scene, ReferenceOptions()).by_scene(today)
    assert reason == "is reflectance and the scene an 8-bit picture"


def test_one_shared_band_is_enough(tmp_path: Path, today: OpticalScene) -> None:
    with OpticalScene(_write(tmp_path / "a.tif", ("B08", "B02")), 0.0) as other:
        assert Gates(today, ReferenceOptions()).shared(other) == ("B02", "B08")
        with OpticalScene(_write(tmp_path / "b.tif", ("B11",)), 0.0) as one:
            assert Gates(one, ReferenceOptions()).by_scene(other) == "has no band of b.tif"


def test_another_place_is_left_out(tmp_path: Path, today: OpticalScene) -> None:
    assert _by_scene(today, _write(tmp_path / "a.tif", right_px=40)) == "shows another place"
    assert _by_scene(today, _write(tmp_path / "b.tif", right_px=39)) is None


def test_a_scene_that_lies_nowhere_has_the_size_of_the_scene(
    tmp_path: Path, today: OpticalScene
) -> None:
    assert _by_scene(today, _write(tmp_path / "a.tif", crs=None)) is None
    reason = _by_scene(today, _write(tmp_path / "b.tif", side=41, crs=None))
    assert reason == "has another size than the scene, and one of them has no coordinate system"


def test_a_date_has_to_show_ground_that_is_hidden() -> None:
    hidden = np.zeros((10, 10), np.float32)
    hidden[:5] = 1
    ground = CoarseGround(Grid(None, TEN_METRES, 10, 10), np.ones_like(hidden), hidden)
    assert Gates.by_ground(ground, hidden > 0) is None
    assert Gates.by_ground(ground, hidden == 0) == NOTHING_HIDDEN
    one = np.zeros((10, 10), bool)
    one[0, 0] = True
    reason = "shows 1.0% of the scene's ground, the rest is cloud or missing"
    assert Gates.by_ground(ground, one) == reason
