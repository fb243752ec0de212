"""Work in processes that take one item after another: a crash ends one item only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from cloudfree.commands.batch.processes import _Workers, in_processes
from tests.factories import work
from tests.factories.patience import PATIENCE_S


@contextmanager
def _processes(
    task: Callable[[Any], Any], items: Sequence[Any], at_once: int, died: Callable[[Any, int], Any]
) -> Iterator[Iterator[Any]]:
    """The processes, of which none is spent before it dies."""
    with in_processes(task, items, at_once, died, lambda _: False) as results:
        yield results


def _exit_code(number: int, code: int) -> tuple[int, int]:
    return number, code


def test_a_process_takes_one_item_after_another() -> None:
    with _processes(work.doubled, [1, 2, 3], 1, _exit_code) as results:
        found = list(results)
    assert [result for result, _ in found] == [2, 4, 6]
    (process,) = {process for _, process in found}
    assert process != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_process_that_ends_without_a_result_is_reported(at_once: int) -> None:
    with _processes(work.doubled, [1, -9, 2], at_once, _exit_code) as results:
        found = list(results)
    assert sorted(result for result, _ in found) == [-9, 2, 4]
    assert dict(found)[-9] == 9, "the exit code"


def test_a_process_that_is_killed_ends_its_item_and_the_next_has_a_new_one() -> None:
    with _processes(work.killed_or_doubled, [1, -1, 2], 1, _exit_code) as results:
        (one, first), killed, (two, second) = results
    assert (one, two) == (2, 4)
    assert killed == (-1, -signal.SIGKILL)
    assert first != second


def test_a_process_that_dies_while_it_waits_ends_no_item() -> None:
    workers = _Workers(work.doubled, _exit_code, lambda _: False)
    try:
        _, first = workers.run(1)
        os.kill(first, signal.SIGKILL)
        while any(one.pid == first for one in active_children()):
            time.sleep(0.01)
        four, second = workers.run(2)
    finally:
        workers.stop()
    assert four == 4
    assert second != first


def test_a_process_is_replaced_after_a_result_that_spends_it() -> None:
    with in_processes(
        work.doubled, [1, 2, 3], 1, _exit_code, lambda found: found[0] == 4
    ) as results:
        (_, first), (_, second), (_, third) = results
    assert first == second != third


def _none_dies(place: object, code: int) -> int:
    raise AssertionError(place, code)


def test_as_many_as_asked_for_are_at_work_at_once(tmp_path: Path) -> None:
    with _processes(work.meet, [(tmp_path, 2)] * 2, 2, _none_dies) as results:
        assert list(results) == [2, 2]


def test_no_more_than_asked_for_are_at_work_at_once(tmp_path: Path) -> None:
    with _processes(work.meet, [(tmp_path, 1)] * 3, 1, _none_dies) as results:
        assert list(results) == [1, 2, 3], "each comes when the one before has ended"


def _ended(file: Path, code: int) -> None:
    file.with_suffix(".ended").write_text(str(code))


def test_exiting_ends_running_items_and_starts_none(tmp_path: Path) -> None:
    files, start = [tmp_path / name for name in "abc"], time.monotonic()
    with (
        pytest.raises(RuntimeError, match="enough"),
        _processes(work.work_on, files, 2, _ended),
    ):
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() - start < PATIENCE_S:
            time.sleep(0.01)
        raise RuntimeError("enough")
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"a", "b", "a.gone", "b.gone", "a.ended", "b.ended"}
    assert (tmp_path / "a.ended").read_text() == "143"


PARENT = """
import sys
from cloudfree.commands.batch.processes import in_processes
from tests.factories import work

if __name__ == "__main__":
    with in_processes(work.waiting, [sys.argv[1]], 1, lambda *_: None, lambda _: False) as results:
        list(results)
"""


def test_a_process_ends_with_the_parent_that_is_killed(tmp_path: Path) -> None:
    """Else it goes on writing what the next run writes, too."""
    (tmp_path / "parent.py").write_text(PARENT)
    mark = tmp_path / "pid"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py", mark], env=environment)
    end = time.monotonic() + PATIENCE_S
    while not (mark.exists() and mark.read_text()) and time.monotonic() < end:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    while Path(f"/proc/{mark.read_text()}").exists() and time.monotonic() < end:
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
