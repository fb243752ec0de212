"""What the command line sets for GDAL and OpenMP."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.parallel.environment import set_library_defaults

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
        "workers._restored = lambda job: job.outcome()\n"
        "workers.restore(workers.SceneJob('x', RemoveOptions(s2=Path('s2.tif'))))\n"
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

    monkeypatch.setattr("cloudfree.parallel.malloc.limit_malloc_arenas", lambda: done.append("set"))
    monkeypatch.setattr("cloudfree.commands.remove.run.run", run)
    CliRunner().invoke(group, ["remove", "--s2", str(tmp_path)])
    assert done == ["set", "run"]
