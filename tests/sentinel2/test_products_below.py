"""Which files and folders are scenes, by their names."""

from __future__ import annotations

from pathlib import Path

from cloudfree.sentinel2.products_below import (
    is_product,
    paths_below,
    products_below,
    scenes_of_any_name_below,
)
from tests.factories.sentinel2_products import Safe, write_safe


def _touched(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _found(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in scenes_of_any_name_below(folder)}


def test_products_are_not_looked_into_and_hidden_folders_are_left(tmp_path: Path) -> None:
    _touched(tmp_path, "a/b.tif", ".trash/c.tif", "d.SAFE/e.tif")
    found = {path.relative_to(tmp_path).as_posix() for path in paths_below(tmp_path)}
    assert found == {"a/b.tif", "d.SAFE"}


def test_a_product_that_is_there_packed_and_unpacked_is_read_from_the_folder(
    tmp_path: Path,
) -> None:
    name = Safe().name
    _touched(tmp_path, f"{name}.zip", f"deep/{name}.SAFE/a")
    assert products_below(tmp_path) == {name: tmp_path / "deep" / f"{name}.SAFE"}
    assert _found(tmp_path) == {f"deep/{name}.SAFE"}


def test_rasters_of_any_name_may_be_scenes(tmp_path: Path) -> None:
    names = {"s2_20220605.tif", "May_s2.tif", "May_s2_cloudy.tif", "deep/l1c.TIFF", "May_s2_b.tif"}
    _touched(tmp_path, *names)
    assert _found(tmp_path) == names


def test_results_masks_radar_and_truth_are_no_scenes(tmp_path: Path) -> None:
    _touched(
        tmp_path, "s2_cloudfree.tif", "s2_cloudfree_filled.tif", "x_filled.tif", "s2_mask.tif",
        "mask.tif", "x_uncertainty.tif", "s1_20220605.tif", "s1.tif", "May_s1.tif",
        "paris_s1vv.tif", "truth/s2.tif", "truth_mask.tif", "s2_clear.tif", "notes.txt",
    )  # fmt: skip
    assert _found(tmp_path) == set()


def test_a_folder_of_band_files_is_one_scene(tmp_path: Path) -> None:
    _touched(tmp_path, "a/x_B02.tif", "a/x_B03.tif", "b/R10m/B02.jp2", "b/R20m/B05.jp2")
    assert _found(tmp_path) == {"a", "b"}


def test_a_product_is_known_by_its_metadata_and_a_granule_by_its_place(tmp_path: Path) -> None:
    renamed = write_safe(tmp_path, Safe()).rename(tmp_path / "unpacked")
    assert is_product(renamed) and is_product(next((renamed / "GRANULE").iterdir()))
    assert not is_product(tmp_path)
    (tmp_path / "empty.SAFE").mkdir()
    assert is_product(tmp_path / "empty.SAFE")
