"""Draft folders: each names its process, and goes once that is gone."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from cloudfree.core import drafts
from cloudfree.core.drafts import is_left, new_draft_folder, remove_left_drafts, temporary_folder
from tests.factories.left_drafts import left_by_another_process


def test_a_draft_lies_hidden_beside_its_file_and_names_its_process(tmp_path: Path) -> None:
    folder = new_draft_folder(tmp_path / "scene.tif")
    assert folder.parent == tmp_path
    assert folder.name.startswith(".scene.part.")
    assert f".{os.getpid()}." in folder.name


def test_a_long_name_leaves_room_for_the_process(tmp_path: Path) -> None:
    assert new_draft_folder(tmp_path / f"{'ü' * 120}.tif").is_dir()


def test_drafts_of_processes_that_are_gone_are_removed_and_no_others(tmp_path: Path) -> None:
    gone, own = left_by_another_process(tmp_path / "a.tif"), new_draft_folder(tmp_path / "a.tif")
    of_the_user = tmp_path / ".a.part.mine"
    of_the_user.mkdir()
    assert gone.is_dir()
    remove_left_drafts(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([own, of_the_user])


def test_the_draft_of_another_machine_may_still_be_written(tmp_path: Path) -> None:
    gone = left_by_another_process(tmp_path / "a.tif")
    machine = gone.name.split(".")[3]
    assert is_left(gone.name)
    assert not is_left(gone.name.replace(machine, f"{machine}-2"))


def test_a_process_knows_the_draft_of_an_earlier_one_with_its_number(tmp_path: Path) -> None:
    own = new_draft_folder(tmp_path / "a.tif").name
    assert not is_left(own)
    assert is_left(own.replace(drafts._RUN, "0a1b2c3d"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_the_draft_of_another_user_may_still_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = left_by_another_process(tmp_path / "a.tif")

    def refused(pid: int, number: int) -> None:
        raise PermissionError(f"{pid} {number}")

    monkeypatch.setattr(os, "kill", refused)
    assert not is_left(gone.name)


@pytest.mark.parametrize("failure", [None, KeyError])
def test_a_temporary_folder_goes_with_its_block_and_with_those_left_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: type[Exception] | None
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left_by_another_process(tmp_path / "cloudfree")
    try:
        with temporary_folder() as folder:
            (folder / "mask.tif").touch()
            assert list(tmp_path.iterdir()) == [folder]
            if failure:
                raise failure
    except KeyError:
        pass
    assert list(tmp_path.iterdir()) == []
