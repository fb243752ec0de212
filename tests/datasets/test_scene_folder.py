"""Scenes that lie in a folder, and the radar of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.datasets.scene_folder import scenes_below
from tests import sentinel1_products as sentinel1
from tests import sentinel2_products as sentinel2
from tests.rasters import write_cloudy_scene

SCENE = sentinel2.Safe()  # of 5 June 2022


def _touched(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _found(folder: Path) -> dict[str, tuple[str, str | None]]:
    """Scenes by name, as paths below the folder."""
    return {
        pair.name: (
            pair.s2.relative_to(folder).as_posix(),
            pair.s1.relative_to(folder).as_posix() if pair.s1 else None,
        )
        for pair in scenes_below(folder, 30)
    }


def _radar(folder: Path, day: str, east_m: float = 0.0) -> Path:
    """A product of that day, which covers the scene where it is not moved."""
    name = sentinel1.NAME.replace("20210424", day)
    corner = (sentinel2.CORNER[0] - 500 + east_m, sentinel2.CORNER[1] + 500)
    scene = sentinel1.level_scene(200, 200, 0.1, corner_m=corner, name=name)
    return sentinel1.write_safe(folder, scene)


def test_rasters_are_matched_by_their_names(tmp_path: Path) -> None:
    _touched(tmp_path, "May_s2.tif", "May_s1.tif", "June_S2.TIFF", "2022/a/s2.tif", "2022/a/s1.tif")
    assert _found(tmp_path) == {
        "2022_a": ("2022/a/s2.tif", "2022/a/s1.tif"),
        "June": ("June_S2.TIFF", None),
        "May": ("May_s2.tif", "May_s1.tif"),
    }


def test_the_scene_of_a_folder_itself_is_called_like_it(tmp_path: Path) -> None:
    _touched(tmp_path, "s2.tif", "s1.tif")
    assert _found(tmp_path) == {tmp_path.name: ("s2.tif", "s1.tif")}


def test_scenes_of_a_data_set_and_of_simulate_are_scenes(tmp_path: Path) -> None:
    _touched(tmp_path, "7_s2_cloudy.tif", "7_s1.tif", "7_s2_clear.tif", "a/s2_cloudy.tif")
    _touched(tmp_path, "both_s2.tif", "both_s2_cloudy.tif")
    assert _found(tmp_path) == {
        "7": ("7_s2_cloudy.tif", "7_s1.tif"),
        "a": ("a/s2_cloudy.tif", None),
        "both": ("both_s2.tif", None),
    }


def test_results_and_hidden_folders_are_no_scenes(tmp_path: Path) -> None:
    _touched(
        tmp_path, "s2_cloudfree.tif", "s2_cloudfree_filled.tif", "s2_mask.tif", "s1.tif",
        "s1_coregistered.tif", "s2_clear.tif", "notes.txt", ".trash/a_s2.tif",
    )  # fmt: skip
    assert _found(tmp_path) == {}


def test_of_several_radars_the_nearest_in_time_that_covers_the_scene_is_taken(
    tmp_path: Path,
) -> None:
    sentinel2.write_safe(tmp_path, SCENE)
    _radar(tmp_path, "20220605", east_m=50_000)
    _radar(tmp_path / "half", "20220604", east_m=740)
    taken = _radar(tmp_path / "deep" / "down", "20220601")
    _radar(tmp_path, "20220612")
    assert _found(tmp_path) == {
        SCENE.name: (f"{SCENE.name}.SAFE", taken.relative_to(tmp_path).as_posix())
    }


def test_where_none_covers_the_scene_the_one_that_covers_most_is_taken(tmp_path: Path) -> None:
    sentinel2.write_safe(tmp_path, SCENE)
    _radar(tmp_path, "20220605", east_m=860)
    taken = _radar(tmp_path, "20220601", east_m=740)
    assert _found(tmp_path)[SCENE.name][1] == taken.name


def test_a_radar_of_another_season_or_another_place_is_none(tmp_path: Path) -> None:
    sentinel2.write_safe(tmp_path, SCENE)
    _radar(tmp_path, "20220701", east_m=50_000)
    _radar(tmp_path, "20220801")
    assert _found(tmp_path)[SCENE.name][1] is None


def test_a_product_that_is_there_packed_and_unpacked_is_one(tmp_path: Path) -> None:
    sentinel2.write_zip(tmp_path, SCENE)
    radar = _radar(tmp_path, "20220605")
    sentinel1.zipped(radar)
    assert _found(tmp_path) == {
        SCENE.name: (f"unpacked/{SCENE.name}.SAFE", f"{radar.name}"),
    }


def test_a_raster_without_its_own_radar_gets_a_product(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_cloudy_scene(tmp_path / "field_s2.tif", 48, 48)
    radar = _radar(tmp_path, "20220605")
    assert _found(tmp_path)["field"] == ("field_s2.tif", radar.name)
    assert not caplog.messages, "what is told of a scene is told when its turn comes"


def test_what_cannot_be_opened_has_no_radar_yet(tmp_path: Path) -> None:
    _touched(tmp_path, "broken_s2.tif")
    (_radar(tmp_path, "20220605") / "manifest.safe").unlink()
    _radar(tmp_path, "20220606")
    assert _found(tmp_path)["broken"] == ("broken_s2.tif", None)
