"""Scenes that lie in a folder, by their names."""

from __future__ import annotations

from pathlib import Path

from cloudfree.commands.batch.scene_folder import radars_below, scenes_below
from tests.factories import sentinel1_products as sentinel1
from tests.factories import sentinel2_products as sentinel2


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
        for pair in scenes_below(folder)
    }


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


def test_a_product_that_is_there_packed_and_unpacked_is_one(tmp_path: Path) -> None:
    scene, radar = sentinel2.Safe().name, sentinel1.NAME
    _touched(tmp_path, f"{scene}.zip", f"{scene}.SAFE/a", f"a/{radar}.SAFE/a", f"b/{radar}.zip")
    assert _found(tmp_path) == {scene: (f"{scene}.SAFE", None)}
    assert radars_below(tmp_path) == [tmp_path / "a" / f"{radar}.SAFE"]


def test_products_are_not_looked_into(tmp_path: Path) -> None:
    _touched(tmp_path, f"{sentinel1.NAME}.SAFE/x_s2.tif", f"odd.SAFE/{sentinel1.NAME}.zip")
    assert _found(tmp_path) == {}
    assert radars_below(tmp_path) == [tmp_path / f"{sentinel1.NAME}.SAFE"]
