"""Long work in a child process: outcome, messages, errors, and an end at any moment."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from cloudfree.commands.models import child_process
from cloudfree.commands.models.child_process import in_child_process
from cloudfree.errors import ErrorCode, ModelError
from tests.factories.patience import PATIENCE_S
from tests.factories.staged_work import doubled, ended, failing, full_disk, waiting


def test_the_outcome_is_that_of_another_process() -> None:
    value, process = in_child_process(doubled, 21)
    assert value == 42
    assert process != os.getpid()


def test_its_messages_are_those_of_this_process(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "cloudfree")
    in_child_process(doubled, 1)
    assert [record.getMessage() for record in caplog.records] == ["doubling 1"]


def test_errors_keep_their_type_and_parts() -> None:
    with pytest.raises(ModelError, match="a; wanted b; c") as refusal:
        in_child_process(failing)
    assert refusal.value.code is ErrorCode.MISSING_BAND
    with pytest.raises(OSError, match="No space left") as full:
        in_child_process(full_disk)
    assert full.value.errno == 28


def test_a_process_that_is_ended_from_outside_is_an_error() -> None:
    with pytest.raises(ModelError, match=r"without a result \(exit code 7\)") as refusal:
        in_child_process(ended, 7)
    assert refusal.value.code is ErrorCode.WORKER_LOST


def test_lines_say_which_stage_it_is_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "cloudfree")
    monkeypatch.setattr(child_process, "FIRST_S", 0.0)
    monkeypatch.setattr(child_process, "NEXT_S", 0.05)

    def release() -> None:
        start = time.monotonic()
        while "waiting for a file, " not in caplog.text and time.monotonic() - start < PATIENCE_S:
            time.sleep(0.01)
        (tmp_path / "go").touch()

    thread = threading.Thread(target=release)
    thread.start()
    in_child_process(waiting, tmp_path / "go")
    thread.join()
    assert "waiting for a file, 0 s so far" in caplog.text
