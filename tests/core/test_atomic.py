"""Files that are whole where they have their name."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.core.atomic import make_folder, write_whole
from cloudfree.errors import OutputError
from tests.factories.damage import closed_folder, full_disk


@pytest.mark.parametrize(
    ("content", "written"),
    [(b"\x00\r\n", b"\x00\r\n"), ("\u03c3\n", b"\xcf\x83\n")],
    ids=["bytes", "text"],
)
def test_content_replaces_what_was_there(
    tmp_path: Path, content: bytes | str, written: bytes
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    write_whole(path, content)
    assert path.read_bytes() == written
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with full_disk(1000), pytest.raises(OutputError, match=r"a\.txt cannot be written .*too large"):
        write_whole(path, bytes(2000))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_closed_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    path = closed_folder(tmp_path) / "a.txt"
    with pytest.raises(OutputError, match=r"a\.txt cannot be written .*; wanted a folder") as error:
        write_whole(path, b"new")
    assert "\n" not in str(error.value)


def test_a_folder_below_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file/folder cannot be written"):
        make_folder(tmp_path / "file" / "folder")
