"""Scenes of a batch that may help each other, by place and date."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from cloudfree.commands.batch import same_place as module
from cloudfree.commands.batch.same_place import SamePlace
from cloudfree.commands.batch.scenes import ScenePair
from cloudfree.core.acquisition import Acquisition
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.dated_names import day_in_name
from cloudfree.raster.geographic_bounds import GeographicBounds
from tests.factories.rasters import TEN_METRES, UTM31, write_raster

SIDE = 16


def _scene(folder: Path, name: str, east_px: int = 0, crs: str | None = UTM31) -> ScenePair:
    numbers = np.full((13, SIDE, SIDE), 1000, np.uint16)
    moved = TEN_METRES @ Affine.translation(east_px, 0)
    path = write_raster(folder / f"{name}.tif", numbers, OPTICAL_BANDS, crs=crs, transform=moved)
    return ScenePair(name, path)


def _others(pairs: list[ScenePair], max_age: float | None = 400) -> dict[str, set[str]]:
    place = SamePlace(pairs, max_age)
    return {pair.name: {one.name for one in place.others(pair)} for pair in pairs}


def test_scenes_that_overlap_are_of_one_place(tmp_path: Path) -> None:
    pairs = [
        _scene(tmp_path, "s2_20220605"),
        _scene(tmp_path, "s2_20220615", east_px=SIDE // 2),
        _scene(tmp_path, "s2_20220625", east_px=10 * SIDE),
    ]
    assert _others(pairs) == {
        "s2_20220605": {"s2_20220615"}, "s2_20220615": {"s2_20220605"}, "s2_20220625": set(),
    }  # fmt: skip


def test_scenes_of_one_day_or_of_another_age_do_not_help(tmp_path: Path) -> None:
    names = ("s2_20220605", "again_20220605", "s2_20220705", "undated")
    pairs = [_scene(tmp_path, name) for name in names]
    assert _others(pairs, max_age=20)["s2_20220605"] == {"undated"}
    assert _others(pairs, max_age=None)["s2_20220605"] == {"s2_20220705", "undated"}


def test_scenes_whose_place_is_not_known_are_alone(tmp_path: Path) -> None:
    (tmp_path / "broken.tif").touch()
    pairs = [
        _scene(tmp_path, "s2_20220605"),
        _scene(tmp_path, "a_20220606", crs=None),
        _scene(tmp_path, "b_20220607", crs=None),
        ScenePair("broken", tmp_path / "broken.tif"),
        ScenePair("missing", tmp_path / "missing.tif"),
    ]
    assert set().union(*_others(pairs).values()) == set()


def test_a_thousand_scenes_of_a_hundred_places_are_compared_in_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = []

    def footprint(pair: ScenePair) -> module._Footprint:
        opened.append(pair)
        place = int(pair.name.split("_")[0])
        bounds = GeographicBounds(place, 45, place + 0.9, 46)
        return module._Footprint(bounds, Acquisition(acquired=day_in_name(pair.name)))

    monkeypatch.setattr(module, "_footprint", footprint)
    pairs = [
        ScenePair(f"{place}_202206{day:02d}", Path("x"))
        for place in range(100) for day in range(1, 11)
    ]  # fmt: skip
    start = time.process_time()
    assert {len(others) for others in _others(pairs).values()} == {9}
    assert time.process_time() - start < 10
    assert len(opened) == len(pairs)
