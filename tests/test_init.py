"""The Python API: a light import, names that type checkers know, a document that runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cloudfree
from tests.conftest import ROOT

HEAVY = {"numpy", "torch", "rasterio", "cv2", "click", "affine", "pyproj"}


def _printed(code: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    return ran.stdout


def test_the_import_loads_no_library_and_changes_nothing() -> None:
    code = (
        "import os, sys; before = dict(os.environ)\n"
        "import cloudfree; dir(cloudfree)\n"
        "assert dict(os.environ) == before\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = set(_printed(code).split())
    assert not loaded & (HEAVY | {"ctypes"}), "nor could malloc be changed without ctypes"


def test_the_functions_set_no_variable_of_the_libraries() -> None:
    names = ("GDAL_CACHEMAX", "GDAL_NUM_THREADS", "OMP_WAIT_POLICY", "OMP_NUM_THREADS")
    code = (
        f"import os; names = {names!r}\n"
        "for name in names: os.environ.pop(name, None)\n"
        "import cloudfree; cloudfree.remove_clouds, cloudfree.mask\n"
        "import cloudfree.commands.remove.run, cloudfree.commands.evaluate.run\n"
        "print([name for name in names if name in os.environ])"
    )
    assert _printed(code) == "[]\n"


def test_the_functions_on_paths_are_there_before_torch_is() -> None:
    code = "import sys, cloudfree; cloudfree.remove; print('torch' in sys.modules)"
    assert _printed(code) == "False\n"


def test_every_name_that_is_offered_is_there_and_no_other() -> None:
    assert all(getattr(cloudfree, name) is not None for name in cloudfree.__all__)
    assert set(cloudfree.__all__) <= set(dir(cloudfree))
    with pytest.raises(AttributeError, match="has no attribute 'reconstruct'"):
        _ = cloudfree.reconstruct  # type: ignore[attr-defined]


def test_type_checkers_see_names_signatures_and_keywords(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "right.py").write_text(
        "import cloudfree\n"
        "result: cloudfree.RemoveResult = cloudfree.remove('a', 'b', tile=256, shift='none')\n"
        "masked: cloudfree.MaskResult = cloudfree.mask('a', dilate='40m')\n"
    )
    (tmp_path / "wrong.py").write_text(
        "import cloudfree\n"
        "cloudfree.mask('a', dilated='40m')\n"
        "cloudfree.remove('a', 'b', shift='off')\n"
        "cloudfree.reconstruct\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "right.py", "wrong.py"]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    reported = [line.split(":")[:2] for line in ran.stdout.splitlines() if ": error:" in line]
    assert reported == [["wrong.py", "2"], ["wrong.py", "3"], ["wrong.py", "4"]], ran.stdout


def test_the_examples_of_the_document_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(sh|python)\n(.*?)```", document, flags=re.DOTALL)
    script = "\n".join(text for language, text in blocks if language == "python")
    simulated = "\n".join(text for language, text in blocks if language == "sh")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for words in (["bash", "-euc", simulated], [sys.executable, "-c", script]):
        ran = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
    assert "s2_cloudy_mask.tif exists already" in ran.stdout
    assert "cloud mask: 100%" in ran.stderr
    assert (tmp_path / "play" / "clear_uncertainty.tif").exists()
    rows = re.findall(r"^\| `(\w+)\(", document, flags=re.MULTILINE)
    assert {*rows, "cloud_mask", "remove_clouds"} == {
        name for name in cloudfree.__all__ if name.islower() and not name.startswith("_")
    }
