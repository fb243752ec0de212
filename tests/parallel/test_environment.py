"""What the command line sets for GDAL and OpenMP."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.parallel import environment as malloc_module
from cloudfree.parallel.environment import limit_malloc_arenas, set_library_defaults, trim_malloc

NAMES = ("GDAL_CACHEMAX", "GDAL_NUM_THREADS", "OMP_WAIT_POLICY")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)


def test_what_is_not_set_is_set() -> None:
    set_library_defaults()
    threads = str(min(4, os.cpu_count() or 1))
    assert [os.environ[name] for name in NAMES] == ["256", threads, "passive"]


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(NAMES, ("32", "7", "active"), strict=True):
        monkeypatch.setenv(name, value)
    set_library_defaults()
    assert [os.environ[name] for name in NAMES] == ["32", "7", "active"]


def test_the_command_line_sets_it_before_a_library_is_loaded() -> None:
    code = (
        "import os, sys, cloudfree.cli.group as group\n"
        "def seen(**_):\n"
        f"    assert all(name in os.environ for name in {NAMES!r})\n"
        "    assert not {'rasterio', 'torch', 'numpy'} & set(sys.modules)\n"
        "    print('seen')\n"
        "group.group.main = seen\n"
        "group.main()"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "seen\n"


def test_a_scene_on_a_worker_of_a_cluster_has_it_before_torch_is_loaded() -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from cloudfree.commands.batch import workers\n"
        "from cloudfree.commands.remove.options import RemoveOptions\n"
        f"print(*(os.environ.get(name) for name in {NAMES!r}), 'torch' in sys.modules)\n"
        "limited = []\n"
        "workers.limit_malloc_arenas = lambda: limited.append(True)\n"
        "workers._run_remove = lambda job: job.outcome()\n"
        "workers.fill_scene(workers.SceneJob('x', RemoveOptions(s2=Path('s2.tif'))))\n"
        f"print(all(name in os.environ for name in {NAMES!r}), limited, 'torch' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "None None None False\nTrue [True] False\n"


def test_the_command_line_limits_the_arenas_before_it_removes_clouds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def run(*_: object) -> None:
        done.append("run")
        raise MemoryError

    monkeypatch.setattr(
        "cloudfree.parallel.environment.limit_malloc_arenas", lambda: done.append("set")
    )
    monkeypatch.setattr("cloudfree.commands.remove.run.run", run)
    CliRunner().invoke(group, ["remove", "--s2", str(tmp_path)])
    assert done == ["set", "run"]


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_freed_between_blocks_in_use_is_returned() -> None:
    if malloc_module._allocator_function("malloc_trim") is None:
        pytest.skip("not the GNU C library")
    # Below the size from which the allocator maps arrays one by one, so that they share its heap.
    arrays = [np.ones(12_000, dtype=np.float64) for _ in range(2000)]
    del arrays[::2], arrays[1::2]
    full = resident_bytes()
    trim_malloc()
    assert full - resident_bytes() > 50e6
    assert all(array.all() for array in arrays)


THREADS_WITH_ARENAS = """
import ctypes, threading
from cloudfree.parallel.environment import limit_malloc_arenas
limit_malloc_arenas()
together = threading.Barrier(6)
def work():
    ctypes.CDLL(None).malloc(1000)
    together.wait()
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of the GNU C library")
@pytest.mark.parametrize("shared", [False, True])
def test_threads_share_two_arenas(shared: bool) -> None:
    if malloc_module._allocator_function("malloc_trim") is None:
        pytest.skip("not the GNU C library")
    script = (
        THREADS_WITH_ARENAS
        if shared
        else THREADS_WITH_ARENAS.replace("limit_malloc_arenas()\n", "")
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (ran.stderr.count("Arena") <= 2) is shared


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    malloc_module._allocator_function.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert malloc_module._allocator_function("malloc_trim") is None
    trim_malloc()
    limit_malloc_arenas()
    monkeypatch.undo()
    malloc_module._allocator_function.cache_clear()
