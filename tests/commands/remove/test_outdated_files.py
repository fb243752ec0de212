"""What an earlier run wrote beside a result goes when a new one replaces it; inputs never do."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.outdated_files import outdated_files
from cloudfree.commands.remove.run import run
from cloudfree.core.terminal import silent
from cloudfree.errors import CloudfreeError
from tests.factories.rasters import write_cloudy_scene, write_raster


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a scene and all that a run may write beside its result."""
    write_cloudy_scene(tmp_path / "l1c.tif")
    run(_options(tmp_path, write_mask=True, uncertainty=True, qml=True), silent)
    return tmp_path


def _options(folder: Path, **given: Any) -> RemoveOptions:
    return RemoveOptions(**{"s2": folder / "l1c.tif", "fill_by": "scene", **given})


def _names(folder: Path) -> set[str]:
    return {path.name.removeprefix("l1c_cloudfree") for path in folder.glob("l1c_cloudfree*")}


RESULT = {".tif", "_filled.tif"}


def test_a_run_with_styles_has_one_beside_each_of_its_rasters(folder: Path) -> None:
    kinds = ("", "_filled", "_mask", "_uncertainty")
    assert _names(folder) == {f"{kind}{end}" for kind in kinds for end in (".tif", ".qml")}


def test_nothing_of_the_earlier_run_stays(folder: Path) -> None:
    (folder / "l1c_cloudfree_mask.tif.aux.xml").touch()
    run(_options(folder, overwrite=True), silent)
    assert _names(folder) == RESULT
    assert (folder / "l1c.tif").exists()


def test_the_mask_of_an_earlier_run_stays_where_it_is_given(folder: Path) -> None:
    run(_options(folder, overwrite=True, mask=folder / "l1c_cloudfree_mask.tif"), silent)
    assert _names(folder) == RESULT | {"_mask.tif", "_mask.qml"}


def test_inputs_of_other_runs_stay(folder: Path) -> None:
    mask = folder / "l1c_cloudfree_mask.tif"
    assert mask not in outdated_files(_options(folder, kept=(mask,)))


def test_a_file_of_such_a_name_that_cloudfree_did_not_write_stays(folder: Path) -> None:
    own = folder / "l1c_cloudfree_mask.tif"
    write_raster(own, np.zeros((1, 8, 8), np.uint8), [None])
    (folder / "l1c_cloudfree_uncertainty.tif").write_text("no raster")
    assert outdated_files(_options(folder)) == ()


def test_a_dry_run_and_a_failure_leave_all_as_it_was(folder: Path) -> None:
    before = _names(folder)
    run(_options(folder, overwrite=True, dry_run=True), silent)
    write_raster(folder / "s1.tif", np.full((2, 96, 96), np.nan, np.float32), ["VV", "VH"])
    with pytest.raises(CloudfreeError):
        run(_options(folder, overwrite=True, s1=(folder / "s1.tif",), fill_by="network"), silent)
    assert _names(folder) == before


def test_existing_styles_are_refused_without_overwrite(folder: Path) -> None:
    for path in folder.glob("l1c_cloudfree*.tif"):
        path.unlink()
    with pytest.raises(CloudfreeError, match=r"l1c_cloudfree\.qml exists already"):
        run(_options(folder, qml=True), silent)


def test_another_result_is_none_of_its_files(folder: Path) -> None:
    shutil.copy(folder / "l1c_cloudfree.tif", folder / "l1c_cloudfree_b.tif")
    assert folder / "l1c_cloudfree_b.tif" not in outdated_files(_options(folder))
    outdated = [path.name for path in outdated_files(_options(folder))]
    assert {name for name in outdated if name.endswith(".tif")} == {
        "l1c_cloudfree_uncertainty.tif", "l1c_cloudfree_mask.tif",
    }  # fmt: skip
    assert "l1c_cloudfree_mask.qml" in outdated


def test_a_folder_as_the_name_of_the_result_is_refused(folder: Path) -> None:
    with pytest.raises(CloudfreeError, match="is a folder"):
        run(_options(folder, output=Path()), silent)
