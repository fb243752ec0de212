"""Output files: checked before any work is done, written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloudfree.core.output_files import (
    cannot_be_written,
    check_output_names,
    folders_of,
    make_folder,
    require_absent,
    require_writable,
    side_files,
)
from cloudfree.errors import OutputError
from tests.factories.damage import closed_folder


def test_a_folder_below_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file/folder cannot be written"):
        make_folder(tmp_path / "file" / "folder")


def test_folders_of_outputs_are_made_with_those_above_them(tmp_path: Path) -> None:
    path = tmp_path / "new" / "newer" / "a.tif"
    with folders_of([path, tmp_path / "b.tif"]):
        path.touch()
    assert path.exists()


def test_no_folder_is_made_for_a_name_of_gdal() -> None:
    with folders_of([Path("/vsicurl/https:/nowhere.example/a_cloudfree.tif")]):
        assert not Path("/vsicurl").exists()


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_folders_that_were_made_go_again_when_nothing_is_in_them(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    outputs = [old / "a.tif", tmp_path / "new" / "newer" / "a.tif", tmp_path / "kept" / "a.tif"]
    with pytest.raises(failure), folders_of(outputs):
        outputs[2].touch()
        raise failure
    assert sorted(tmp_path.iterdir()) == [tmp_path / "kept", old]
    assert outputs[2].exists()


def test_a_folder_of_an_output_that_cannot_be_made_leaves_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outputs = [tmp_path / "new" / "a.tif", tmp_path / "file" / "folder" / "a.tif"]
    with pytest.raises(OutputError, match="file/folder cannot be written"), folders_of(outputs):
        pass
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file"]


def test_an_output_that_exists_or_has_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.touch()
    with pytest.raises(OutputError, match=r"exists already; wanted a new name; add --overwrite"):
        require_absent(path, overwrite=False)
    require_absent(path, overwrite=True)
    with pytest.raises(OutputError, match="is a folder; wanted the name of a file"):
        require_absent(tmp_path, overwrite=True)
    with pytest.raises(OutputError, match="no folder"):
        require_absent(tmp_path / "none" / "a.tif", overwrite=True)
    assert list(tmp_path.iterdir()) == [path]


def test_an_output_in_a_folder_that_is_closed(tmp_path: Path) -> None:
    closed = closed_folder(tmp_path)
    with pytest.raises(OutputError, match=r"a\.tif cannot be written .*may be written to"):
        require_absent(closed / "a.tif", overwrite=True)
    with pytest.raises(OutputError, match=r"index\.html cannot be written"):
        require_writable(closed / "new" / "newer" / "index.html")
    require_writable(tmp_path / "new" / "newer" / "index.html")
    assert not (tmp_path / "new").exists()


def test_outputs_with_the_name_of_an_input_or_of_each_other(tmp_path: Path) -> None:
    a, b = tmp_path / "a.tif", tmp_path / "b.tif"
    check_output_names([a], [b])
    for outputs, inputs in (([a], [a]), ([a, a], [b]), ([tmp_path / "x" / ".." / "b.tif"], [b])):
        with pytest.raises(OutputError, match=r"\.tif is an input or another output; wanted a"):
            check_output_names(outputs, inputs)


def _with_side_files(raster: Path) -> Path:
    """A raster with all files that GDAL and QGIS keep beside one."""
    raster.write_bytes(b"old")
    for path in side_files(raster):
        path.touch()
    return raster


def test_side_files_are_those_of_gdal_and_the_style_of_qgis(tmp_path: Path) -> None:
    raster = _with_side_files(tmp_path / "a.b.tif")
    assert {path.name for path in side_files(raster)} == {
        "a.b.tif.aux.xml", "a.b.tif.msk", "a.b.tif.ovr", "a.b.qml",
    }  # fmt: skip


def test_a_style_without_its_raster_may_belong_to_another_file(tmp_path: Path) -> None:
    assert tmp_path / "a.qml" not in side_files(tmp_path / "a.tif")


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_device_or_a_pipe_is_no_output(tmp_path: Path, overwrite: bool) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (Path(os.devnull), pipe):
        with pytest.raises(OutputError, match="is a device or pipe; wanted the name of a file"):
            require_absent(path, overwrite)


def test_a_link_that_leads_nowhere_exists(tmp_path: Path) -> None:
    (tmp_path / "a.tif").symlink_to(tmp_path / "gone")
    with pytest.raises(OutputError, match="exists already"):
        require_absent(tmp_path / "a.tif", overwrite=False)


@pytest.mark.parametrize("folder", [".", "..", "/"])
def test_the_name_of_a_folder_is_refused_as_one(folder: str) -> None:
    check_output_names([Path(folder)], [Path("a.tif")])
    with pytest.raises(OutputError, match="is a folder; wanted the name of a file"):
        require_absent(Path(folder), overwrite=True)


def test_an_input_that_would_be_removed_as_a_side_file_is_refused(tmp_path: Path) -> None:
    mask = tmp_path / "a.tif.msk"
    with pytest.raises(
        OutputError, match=r"a\.tif\.msk is an input, and would be removed as a file"
    ):
        check_output_names([tmp_path / "a.tif"], [mask])
    check_output_names([tmp_path / "b.tif"], [mask])


@pytest.mark.parametrize(
    ("free", "fault", "code"),
    [
        (0, SystemError("GDAL fails without a message"), "no_space"),
        (1 << 30, SystemError("GDAL fails without a message"), "io"),
        (1 << 30, PermissionError(errno.EACCES, "closed"), "not_writable"),
    ],
    ids=["full", "failing", "closed"],
)
def test_a_full_disk_is_known_though_a_library_does_not_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, fault: Exception, code: str
) -> None:
    room = SimpleNamespace(total=1 << 40, used=0, free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room)
    assert cannot_be_written(tmp_path / "a.tif", fault).code == code


def test_a_folder_that_is_gone_is_not_writable(tmp_path: Path) -> None:
    gone = FileNotFoundError(errno.ENOENT, "gone")
    assert cannot_be_written(tmp_path / "none" / "a.tif", gone).code == "not_writable"
