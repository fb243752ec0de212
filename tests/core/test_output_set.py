"""Output files that belong together: all get their names, or none does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cloudfree.core.output_set import OutputSet, draft_of, write_whole
from cloudfree.errors import OutputError
from tests.factories.damage import closed_folder, full_disk


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _write(folder: Path, text: str, overwrite: bool = True) -> None:
    """An image with two files that belong to it."""
    with OutputSet(folder / "a.tif", overwrite) as outputs:
        for name in ("a.tif", "a_filled.tif", "a_filled.qml"):
            outputs.draft(folder / name).write_text(text)


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


@pytest.mark.parametrize("failure", [KeyError, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_block_leaves_what_was_there(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with pytest.raises(failure), draft_of(path) as draft:
        draft.write_bytes(b"half")
        raise failure
    assert path.read_bytes() == b"old"
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


def test_no_file_has_its_name_before_all_are_whole(tmp_path: Path) -> None:
    with OutputSet(tmp_path / "a.tif") as outputs:
        for name in ("a.tif", "a_filled.tif"):
            outputs.draft(tmp_path / name).touch()
        assert not (tmp_path / "a.tif").exists()
        assert not (tmp_path / "a_filled.tif").exists()
    assert _names(tmp_path) == ["a.tif", "a_filled.tif"]


def test_files_of_an_earlier_result_go_with_it(tmp_path: Path) -> None:
    old = [tmp_path / name for name in ("a.tif.aux.xml", "a_uncertainty.tif", "a_filled.qml")]
    for path in old:
        path.touch()
    with OutputSet(tmp_path / "a.tif", outdated=old[:1]) as outputs:
        outputs.draft(tmp_path / "a.tif").touch()
        outputs.draft(tmp_path / "a_filled.qml").write_text("new")
        outputs.replaces(*old[1:])
        assert all(path.exists() for path in old)
    assert _names(tmp_path) == ["a.tif", "a_filled.qml"]
    assert (tmp_path / "a_filled.qml").read_text() == "new"


def test_a_file_that_was_made_meanwhile_stays_as_does_all_else(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"a_filled\.tif was made by another .*; add --overwrite"),
        OutputSet(tmp_path / "a.tif", overwrite=False, outdated=[tmp_path / "old"]) as outputs,
    ):
        for name in ("a.tif", "a_filled.tif"):
            outputs.draft(tmp_path / name).write_text("own")
        (tmp_path / "a_filled.tif").write_text("foreign")
        (tmp_path / "old").touch()
    assert _names(tmp_path) == ["a_filled.tif", "old"]
    assert (tmp_path / "a_filled.tif").read_text() == "foreign"


def test_of_two_runs_with_one_output_the_second_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="was made by another program meanwhile") as refusal:  # noqa: SIM117
        with OutputSet(tmp_path / "a.tif", overwrite=False) as outputs:
            outputs.draft(tmp_path / "a.tif").write_text("second")
            _write(tmp_path, "first", overwrite=False)
    assert refusal.value.code == "output_exists"
    assert (tmp_path / "a.tif").read_text() == "first"


def test_a_link_that_leads_nowhere_is_a_file_that_exists(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone")
    with pytest.raises(OutputError, match="was made by another program"):
        write_whole(tmp_path / "a.txt", "new", overwrite=False)
    assert (tmp_path / "a.txt").is_symlink()


def test_what_is_checked_at_the_end_may_refuse_all(tmp_path: Path) -> None:
    def refuse() -> None:
        raise ValueError("changed")

    with (
        pytest.raises(ValueError, match="changed"),
        OutputSet(tmp_path / "a.tif", check=refuse) as outputs,
    ):
        outputs.draft(tmp_path / "a.tif").touch()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_the_main_file_comes_last(tmp_path: Path) -> None:
    """Where another folder refuses, the main file stays unchanged."""
    (tmp_path / "score").mkdir()
    with (
        pytest.raises(OutputError, match=r"b\.tif was made by"),
        OutputSet(tmp_path / "a.tif", overwrite=False) as outputs,
    ):
        outputs.draft(tmp_path / "a.tif").touch()
        outputs.draft(tmp_path / "score" / "b.tif").touch()
        (tmp_path / "score" / "b.tif").touch()
    assert _names(tmp_path) == ["score"]
    assert _names(tmp_path / "score") == ["b.tif"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_file_has_the_mode_of_any_new_file(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with draft_of(tmp_path / "weights") as draft:
            draft.touch(mode=0o600)
        (tmp_path / "other").touch()
    finally:
        os.umask(before)
    assert (tmp_path / "weights").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_system_that_refuses_to_rename_leaves_what_the_next_run_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, "old")

    def refused(self: Path, target: Path) -> Path:
        raise OSError(5, f"{self.name} to {target}")

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(OutputError, match=r"a\.tif cannot be written"):
        _write(tmp_path, "new")
    assert (tmp_path / ".a.tif.journal").exists()
    assert len(list(tmp_path.glob(".a.part.*/a*"))) == 3
