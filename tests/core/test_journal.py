"""A set of files is published in one step, wherever its process is killed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from cloudfree.core import drafts, journal
from cloudfree.core.drafts import new_draft_folder
from cloudfree.core.journal import (
    Journal,
    check_journal,
    complete,
    journal_of,
    rename_new,
    settle,
    tidy,
)
from cloudfree.core.output_set import OutputSet
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
    _killed_before(3, tmp_path, monkeypatch)
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


FOREIGN = {"thesis.txt": "ours", "b.tif": "ours"}


def _left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, dict[str, Any]]:
    """A folder with the journal of a killed process, files of others there and above, and its text.

    The process had renamed nothing.
    """
    folder = tmp_path / "folder"
    files = _set(folder)
    files.begin(folder)
    for name, text in FOREIGN.items():
        (folder / name).write_text(text)
        (tmp_path / name).write_text(text)
    _the_process_is_gone(monkeypatch)
    return folder, json.loads(journal_of(folder / "a.tif").read_text())


@pytest.mark.parametrize(
    "text",
    ["", "\0", "[]", "{}", "null", '"a.tif"', "[" * 100_000, '{"drafts": 1}', "9" * 5000, "\ud800"],
    ids=["empty", "zero", "list", "no entries", "null", "text", "deep", "type", "number", "letter"],
)
def test_a_damaged_journal_is_left_alone_and_refused_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    folder, _ = _left(tmp_path, monkeypatch)
    journal_of(folder / "a.tif").write_bytes(text.encode("utf-8", "surrogatepass"))
    settle(folder / "a.tif")
    tidy(folder)
    whole = {**OLD, **FOREIGN}
    assert {name: (folder / name).read_text() for name in whole} == whole
    with pytest.raises(
        OutputError, match=r"a\.tif\.journal is no journal \(.*; wanted "
    ) as refused:
        OutputSet(folder / "a.tif").draft(folder / "a.tif")
    assert refused.value.code == "output_exists"
    journal_of(folder / "a.tif").unlink()  # as the refusal says
    with OutputSet(folder / "a.tif") as outputs:
        outputs.write(folder / "a.tif", "new")
    assert (folder / "a.tif").read_text() == "new"


HOSTILE = (
    "../thesis.txt", "../../thesis.txt", "{above}/thesis.txt", "..", ".", "", "a/../b.tif", "~",
    "thesis.txt", "b.tif", "sub", "link", "a\0b", "x" * 300, ".a.tif.journal", "a\nb",
)  # fmt: skip


@pytest.mark.parametrize("entry", ["drafts", "files", "outdated"])
@pytest.mark.parametrize("replaces", [True, False])
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_no_name_in_a_journal_leads_to_a_file_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, replaces: bool, name: str
) -> None:
    """Not even if the names of the files in the way make the run give all of its files up."""
    folder, entries = _left(tmp_path, monkeypatch)
    (folder / "sub").mkdir()
    (folder / "sub" / "thesis.txt").write_text("ours")
    (folder / "link").symlink_to(tmp_path / "thesis.txt")
    hostile = name.format(above=tmp_path)
    given = hostile if entry == "drafts" else [hostile, *entries[entry]]
    text = json.dumps({**entries, entry: given, "replaces": replaces})
    journal_of(folder / "a.tif").write_text(text)
    settle(folder / "a.tif")
    tidy(folder)
    for where in (folder, tmp_path):
        assert {one: (where / one).read_text() for one in FOREIGN} == FOREIGN
    assert (folder / "sub" / "thesis.txt").read_text() == "ours"
    assert (folder / "link").readlink() == tmp_path / "thesis.txt"


@pytest.mark.parametrize("replaces", [True, False])
def test_a_file_that_is_another_by_now_is_neither_removed_nor_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaces: bool
) -> None:
    folder, entries = _left(tmp_path, monkeypatch)
    journal_of(folder / "a.tif").write_text(json.dumps({**entries, "replaces": replaces}))
    (folder / "a.tif.aux.xml").write_text("of another program")
    tidy(folder)
    assert (folder / "a.tif.aux.xml").read_text() == "of another program"
    assert (folder / "a.tif").read_text() == ("new" if replaces else "old")


def test_a_draft_that_is_another_file_makes_the_journal_one_of_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, entries = _left(tmp_path, monkeypatch)
    (folder / entries["drafts"] / "a.qml").write_text("another")
    complete(folder / "a.tif")
    assert {name: (folder / name).read_text() for name in OLD} == OLD
    with pytest.raises(OutputError, match="of other files than there are"):
        check_journal(folder / "a.tif")


def test_drafts_that_are_a_link_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, entries = _left(tmp_path, monkeypatch)
    (folder / entries["drafts"]).rename(tmp_path / "elsewhere")
    (folder / entries["drafts"]).symlink_to(tmp_path / "elsewhere")
    complete(folder / "a.tif")
    assert set(_contents(tmp_path / "elsewhere")) == set(FILES)


def test_a_pipe_or_a_link_in_place_of_a_journal_is_not_read(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "a.tif")
    os.mkfifo(path)
    settle(tmp_path / "a.tif")
    with pytest.raises(OutputError, match="no file, or a large one"):
        check_journal(tmp_path / "a.tif")
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(OutputError, match="no file, or a large one"):
        check_journal(tmp_path / "a.tif")


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
