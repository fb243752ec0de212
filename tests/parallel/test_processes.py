"""Worker processes: a crash ends one item only, and no process remains."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cloudfree.parallel.processes import in_processes
from tests.factories.patience import PATIENCE_S


def _doubled_here(number: int) -> tuple[int, int]:
    if number < 0:
        os._exit(-number)
    return 2 * number, os.getpid()


def _died(number: int, code: int) -> tuple[int, int]:
    return number, code


def test_each_item_has_a_process_of_its_own() -> None:
    with in_processes(_doubled_here, [1, 2, 3], 2, _died) as results:
        found = list(results)
    assert sorted(result for result, _ in found) == [2, 4, 6]
    assert len({process for _, process in found} | {os.getpid()}) == 4


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_process_that_ends_without_a_result_is_reported(at_once: int) -> None:
    with in_processes(_doubled_here, [1, -9, 2], at_once, _died) as results:
        found = list(results)
    assert sorted(result for result, _ in found) == [-9, 2, 4]
    assert dict(found)[-9] == 9, "the exit code"


def _meet(place: tuple[Path, int]) -> int:
    """Wait until as many are at work at the same time; how many were there."""
    folder, number = place
    (folder / str(os.getpid())).touch()
    start = time.monotonic()
    while len(list(folder.iterdir())) < number and time.monotonic() - start < PATIENCE_S:
        time.sleep(0.01)
    return len(list(folder.iterdir()))


def _none_dies(place: object, code: int) -> int:
    raise AssertionError(place, code)


def test_as_many_as_asked_for_are_at_work_at_once(tmp_path: Path) -> None:
    with in_processes(_meet, [(tmp_path, 2)] * 2, 2, _none_dies) as results:
        assert list(results) == [2, 2]


def test_no_more_than_asked_for_are_at_work_at_once(tmp_path: Path) -> None:
    with in_processes(_meet, [(tmp_path, 1)] * 3, 1, _none_dies) as results:
        assert list(results) == [1, 2, 3], "each comes when the one before has ended"


def _work_on(file: Path) -> None:
    try:
        file.write_text(str(os.getpid()))
        time.sleep(600)
    finally:
        file.with_suffix(".gone").touch()


def _ended(file: Path, code: int) -> None:
    file.with_suffix(".ended").write_text(str(code))


def test_exiting_ends_running_items_and_starts_none(tmp_path: Path) -> None:
    files, start = [tmp_path / name for name in "abc"], time.monotonic()
    with (
        pytest.raises(RuntimeError, match="enough"),
        in_processes(_work_on, files, 2, _ended),
    ):
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() - start < PATIENCE_S:
            time.sleep(0.01)
        raise RuntimeError("enough")
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"a", "b", "a.gone", "b.gone", "a.ended", "b.ended"}
    assert (tmp_path / "a.ended").read_text() == "143"
