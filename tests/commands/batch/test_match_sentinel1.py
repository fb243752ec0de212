"""Which radar product sees the ground of a scene."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.commands.batch.match_sentinel1 import with_radar
from cloudfree.commands.batch.scenes import ScenePair, radars_below, scenes_below
from tests.factories import sentinel1_products as sentinel1
from tests.factories import sentinel2_products as sentinel2
from tests.factories.rasters import write_cloudy_scene

SCENE = sentinel2.Safe()  # of 5 June 2022


def _found(folder: Path) -> Path | None:
    """The radar of the only scene of a folder."""
    (scene,) = scenes_below(folder)
    return with_radar(scene, radars_below(folder), 30).s1


def _radar(folder: Path, day: str, east_m: float = 0.0) -> Path:
    """A product of that day, which covers the scene where it is not moved."""
    name = sentinel1.NAME.replace("20210424", day)
    corner = (sentinel2.CORNER[0] - 500 + east_m, sentinel2.CORNER[1] + 500)
    scene = sentinel1.level_scene(200, 200, 0.1, corner_m=corner, name=name)
    return sentinel1.write_safe(folder, scene)


def test_of_several_radars_the_nearest_in_time_that_covers_the_scene_is_taken(
    tmp_path: Path,
) -> None:
    sentinel2.write_safe(tmp_path, SCENE)
    _radar(tmp_path, "20220605", east_m=50_000)
    _radar(tmp_path / "half", "20220604", east_m=740)
    taken = _radar(tmp_path / "deep" / "down", "20220601")
    _radar(tmp_path, "20220612")
    assert _found(tmp_path) == taken


def test_where_none_covers_the_scene_the_one_that_covers_most_is_taken(tmp_path: Path) -> None:
    sentinel2.write_safe(tmp_path, SCENE)
    _radar(tmp_path, "20220605", east_m=860)
    taken = _radar(tmp_path, "20220601", east_m=740)
    assert _found(tmp_path) == taken


def test_a_radar_of_another_season_or_another_place_is_none(tmp_path: Path) -> None:
    sentinel2.write_safe(tmp_path, SCENE)
    _radar(tmp_path, "20220701", east_m=50_000)
    _radar(tmp_path, "20220801")
    assert _found(tmp_path) is None


def test_a_raster_without_its_own_radar_gets_a_product(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_cloudy_scene(tmp_path / "field_s2.tif", 48, 48)
    radar = _radar(tmp_path, "20220605")
    assert _found(tmp_path) == radar
    assert not caplog.messages, "what is told of a scene is told when its turn comes"


def test_what_cannot_be_opened_has_no_radar_yet(tmp_path: Path) -> None:
    (tmp_path / "broken_s2.tif").touch()
    (_radar(tmp_path, "20220605") / "manifest.safe").unlink()
    _radar(tmp_path, "20220606")
    assert _found(tmp_path) is None


def test_a_product_that_cannot_be_opened_sees_nothing(tmp_path: Path) -> None:
    sentinel2.write_safe(tmp_path, SCENE)
    sentinel1.without(_radar(tmp_path, "20220605"), "annotation")
    sentinel1.without(_radar(tmp_path, "20220606"), "measurement")
    taken = _radar(tmp_path, "20220610")
    assert _found(tmp_path) == taken


def test_a_scene_keeps_the_radar_that_it_has(tmp_path: Path) -> None:
    pair = ScenePair("x", tmp_path / "s2.tif", tmp_path / "s1.tif")
    assert with_radar(pair, [_radar(tmp_path, "20220605")], 30) is pair
