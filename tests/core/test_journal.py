"""A set of files is published in one step, wherever its process is killed."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from cloudfree.core import drafts, journal
from cloudfree.core.drafts import new_draft_folder
from cloudfree.core.journal import Journal, complete, journal_of, rename_new, settle, tidy
from cloudfree.errors import OutputError

FILES = ("a_filled.tif", "a.qml", "a.tif")


class Killed(BaseException):
    """Ends a run in the middle of it, like a signal that runs no handler."""


def _set(folder: Path, replaces: bool = True, text: str = "new") -> Journal:
    """Three drafts, and files of an earlier result; the last of them goes."""
    folder.mkdir(exist_ok=True)
    if replaces:
        for name in (*FILES, "a.tif.aux.xml"):
            (folder / name).write_text("old")
    own = new_draft_folder(folder / "a.tif")
    for name in FILES:
        (own / name).write_text(text)
    return Journal(own.name, FILES, ("a.tif.aux.xml",) if replaces else (), replaces)


def _contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


NEW, OLD = dict.fromkeys(FILES, "new"), dict.fromkeys((*FILES, "a.tif.aux.xml"), "old")


def _killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the process ends before the step-th call that changes a folder."""
    left = [step]

    def counted(real):
        def call(*arguments, **options):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return real(*arguments, **options)

        return call

    for owner, name in ((os, "link"), (Path, "unlink"), (Path, "replace")):
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))


def _killed_before(step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish a set as a process that is killed before a step."""
    files = _set(tmp_path)
    _killed_at(step, monkeypatch)
    with pytest.raises(Killed):
        files.publish(tmp_path)


def _the_process_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(drafts, "_RUN", "another")


@pytest.mark.parametrize("replaces", [True, False], ids=["replaced", "new"])
@pytest.mark.parametrize("step", range(12))
def test_a_kill_before_any_step_leaves_the_old_files_or_the_next_run_makes_all_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, replaces: bool
) -> None:
    files = _set(tmp_path, replaces)
    _killed_at(step, monkeypatch)
    try:
        files.publish(tmp_path)
        killed = False
    except Killed:
        killed = True
    began = journal_of(tmp_path / "a.tif").exists() or not killed
    _the_process_is_gone(monkeypatch)
    tidy(tmp_path)
    assert _contents(tmp_path) == (NEW if began else OLD if replaces else {})
    assert not list(tmp_path.glob(".*"))


def test_every_step_of_publishing_is_among_those_moments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two for the journal, one for what is old, three names, and the journal goes."""
    files = _set(tmp_path)
    _killed_at(7, monkeypatch)
    files.publish(tmp_path)
    assert _contents(tmp_path) == NEW


def test_the_next_run_may_be_killed_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed_before(4, tmp_path, monkeypatch)
    for number in range(3):
        _the_process_is_gone(monkeypatch)
        _killed_at(number, monkeypatch)
        monkeypatch.setattr(drafts, "_RUN", "another")
        with pytest.raises(Killed):
            complete(tmp_path / "a.tif")
    _the_process_is_gone(monkeypatch)
    settle(tmp_path / "a.tif")
    assert _contents(tmp_path) == NEW


def test_a_reader_of_the_main_file_completes_its_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed_before(3, tmp_path, monkeypatch)
    _the_process_is_gone(monkeypatch)
    settle(tmp_path / "a.tif")
    assert _contents(tmp_path) == NEW


def test_the_journal_of_a_process_at_work_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed_before(3, tmp_path, monkeypatch)
    monkeypatch.undo()
    before = _contents(tmp_path)
    tidy(tmp_path)
    assert _contents(tmp_path) == before
    monkeypatch.setattr(journal, "PATIENCE_S", 0.1)
    with pytest.raises(OutputError, match=r"a\.tif is being written by another process") as refusal:
        _set(tmp_path, text="other").publish(tmp_path)
    assert refusal.value.code == "output_exists"


def test_a_file_that_came_between_a_kill_and_the_next_run_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    files = _set(tmp_path, replaces=False)
    _killed_at(4, monkeypatch)
    with pytest.raises(Killed):
        files.publish(tmp_path)
    _the_process_is_gone(monkeypatch)
    (tmp_path / "a.tif").write_text("foreign")
    tidy(tmp_path)
    assert _contents(tmp_path) == {"a.tif": "foreign"}
    assert "of the run that was killed nothing is kept" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"drafts": 1}',
        '{"drafts": ".a.part.m.1.r.x", "files": [], "outdated": [], "replaces": true}',
        json.dumps(asdict(Journal(".a.part.m.1.r.x", ("../b.tif", "a.tif"), (), True))),
        json.dumps(asdict(Journal(".a.part.m.1.r.x", ("a.tif",), ("../../b.tif",), True))),
    ],
    ids=["empty", "list", "other keys", "no file", "a file above", "an old file above"],
)
def test_what_is_no_journal_of_this_folder_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(journal, "is_left", lambda _: True)
    (tmp_path / "b.tif").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".a.tif.journal").write_text(text)
    tidy(folder)
    assert (tmp_path / "b.tif").exists()
    assert [path.name for path in folder.iterdir()] == [".a.tif.journal"]


def test_a_new_name_is_never_taken_from_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft, path = tmp_path / "draft", tmp_path / "a"
    draft.write_text("new")
    rename_new(draft, path)
    assert _contents(tmp_path) == {"a": "new"}
    draft.write_text("newer")
    with pytest.raises(FileExistsError):
        rename_new(draft, path)

    def unknown(*_: object) -> None:
        raise PermissionError(1, "no hard links here")

    monkeypatch.setattr(os, "link", unknown)
    with pytest.raises(FileExistsError):
        rename_new(draft, path)
    rename_new(draft, tmp_path / "b")
    assert _contents(tmp_path) == {"a": "new", "b": "newer"}


def test_a_folder_that_does_not_exist_has_nothing_to_tidy(tmp_path: Path) -> None:
    tidy(tmp_path / "none")
    settle(tmp_path / "none" / "a.tif")
    assert not list(tmp_path.iterdir()), "nothing is made either"
    shutil.rmtree(tmp_path)
    settle(tmp_path)
