"""Which paths may be references, and whether the user named them."""

from __future__ import annotations

import json
from pathlib import Path

from cloudfree.commands.remove.references.candidates import Candidate, find_candidates
from tests.factories.sentinel2_products import Safe, write_safe
from tests.factories.stac_items import item


def _touched(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_file_is_taken_as_it_is_and_a_folder_is_searched(tmp_path: Path) -> None:
    named, found = tmp_path / "May_s2_cloudfree.tif", tmp_path / "deep" / "s2_20220605.tif"
    _touched(named, found, tmp_path / "deep" / "s1.tif")
    assert find_candidates([tmp_path / "deep", named]) == [
        Candidate(named, True), Candidate(found, False),
    ]  # fmt: skip


def test_a_collection_names_its_sentinel_2_items(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    items = [item("S2A", "2022-06-05T10:50:31Z"), item("S1A", "2022-06-06", sensor="sentinel-1")]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    assert find_candidates([path]) == [Candidate(Path(f"{path}#S2A"), True)]


def test_a_path_that_is_named_and_found_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s2.tif"
    _touched(path)
    assert find_candidates([tmp_path, path, tmp_path / "x" / ".." / "s2.tif"]) == [
        Candidate(path, True)
    ]


def test_a_product_is_not_searched_whatever_its_name(tmp_path: Path) -> None:
    product = write_safe(tmp_path, Safe())
    renamed = product.rename(tmp_path / "unpacked")
    granule = next((renamed / "GRANULE").iterdir())
    assert find_candidates([renamed, granule]) == [
        Candidate(renamed, True), Candidate(granule, True),
    ]  # fmt: skip


def test_a_folder_of_band_files_is_named(tmp_path: Path) -> None:
    _touched(tmp_path / "B02.jp2", tmp_path / "B03.jp2")
    assert find_candidates([tmp_path]) == [Candidate(tmp_path, True)]


def test_a_folder_without_scenes_is_said_to_be_none(tmp_path: Path) -> None:
    assert find_candidates([tmp_path]) == [Candidate(tmp_path, True)]


def test_of_what_a_program_found_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s2.tif"
    _touched(path)
    assert find_candidates([path], by_user=False) == [Candidate(path, False)]
