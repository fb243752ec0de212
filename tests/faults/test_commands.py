"""Whatever breaks on the disk: one line on stderr, exit code 1, no file left."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cloudfree.cli.group import group
from tests.factories.damage import closed_folder, cut_short, half_loaded
from tests.factories.rasters import write_cloudy_scene, write_radar
from tests.factories.results import write_result
from tests.factories.sentinel1_products import level_scene
from tests.factories.sentinel1_products import write_safe as write_grd
from tests.factories.sentinel1_products import zipped as zipped_grd
from tests.factories.sentinel2_products import Safe, write_safe, write_zip

Arguments = list[str | Path]


def _s1(folder: Path) -> Path:
    return half_loaded(write_radar(folder / "vv_vh.tif"))


def _grd(folder: Path) -> Path:
    """The product with a measurement that was not loaded to its end."""
    root = write_grd(folder, level_scene(60, 60, 0.1))
    half_loaded(next((root / "measurement").glob("*-vv-*")))
    return root


def _grd_zip(folder: Path) -> Path:
    return cut_short(zipped_grd(write_grd(folder, level_scene(60, 60, 0.1))))


def _s2(folder: Path) -> Path:
    return half_loaded(write_cloudy_scene(folder / "l1c.tif"))


def _safe(folder: Path) -> Path:
    """The product with a band that was not loaded to its end."""
    root = write_safe(folder, Safe())
    cut_short(next(root.rglob("*_B04.jp2")), 0.7)
    return root


def _safe_zip(folder: Path) -> Path:
    return cut_short(write_zip(folder, Safe()))


S1 = {"raster": _s1, "product": _grd, "zip": _grd_zip}
S2 = {"raster": _s2, "product": _safe, "zip": _safe_zip}


@pytest.mark.parametrize("command", ["remove", "coregister", "info"])
@pytest.mark.parametrize("write", S1.values(), ids=list(S1))
def test_a_sentinel_1_file_that_is_cut_short(
    tmp_path: Path, write: Callable[[Path], Path], command: str
) -> None:
    scene, radar = write_cloudy_scene(tmp_path / "good.tif"), write(tmp_path)
    both: Arguments = ["--s1", radar, "--s2", scene]
    refusal = _refusal(tmp_path, [command, *(both if command != "info" else [radar])])
    assert radar.name in refusal


@pytest.mark.parametrize("command", ["remove", "coregister", "mask", "info"])
@pytest.mark.parametrize("write", S2.values(), ids=list(S2))
def test_a_sentinel_2_file_that_is_cut_short(
    tmp_path: Path, write: Callable[[Path], Path], command: str
) -> None:
    radar, scene = write_radar(tmp_path / "good.tif"), write(tmp_path)
    both: Arguments = ["--s1", radar, "--s2", scene]
    words = [command, *(both if command in ("remove", "coregister") else [scene])]
    assert scene.name in _refusal(tmp_path, words)


@pytest.mark.parametrize(
    "command",
    [
        ["mask", "l1c.tif", "-o", "{closed}/a.tif"],
        ["mask", "l1c.tif", "-o", "a.tif", "--score", "{closed}/b.tif"],
        ["coregister", "--s1", "l1c_s1.tif", "--s2", "l1c.tif", "-o", "{closed}/a.tif"],
        ["coregister", "--s1", "l1c_s1.tif", "--s2", "l1c.tif", "--quicklook", "{closed}/a.png"],
        ["remove", "--s1", "l1c_s1.tif", "--s2", "l1c.tif", "-o", "{closed}/a.tif"],
        ["evaluate", "--data", ".", "--model", "nothing", "-o", "{closed}/a"],
        ["export", "nothing", "-o", "{closed}/a.onnx"],
        ["report", "l1c_cloudfree.tif", "-o", "{closed}/a.html"],
        ["report", "l1c_cloudfree.tif", "-o", "a.html", "--quicklooks", "{closed}/pictures"],
    ],
    ids=lambda command: " ".join((command[0], command[-2])),
)
def test_a_folder_that_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    write_result(tmp_path)
    closed = closed_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    refusal = _refusal(tmp_path, [text.format(closed=closed) for text in command])
    assert "cannot be written" in refusal


def test_a_full_disk_is_reported_in_one_line(tmp_path: Path) -> None:
    """Not in the many that GDAL, its threads and libtiff have for it."""
    resource = pytest.importorskip("resource")
    ran = subprocess.run(
        [sys.executable, "-m", "cloudfree", "simulate", tmp_path / "scene", "--size", "256", "-q"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert "cannot be written" in line


def _refusal(folder: Path, arguments: Arguments) -> str:
    """The one line that a command ends with, which leaves no file behind."""
    before = sorted(folder.rglob("*"))
    result = CliRunner().invoke(group, [str(argument) for argument in arguments])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    *_, last = result.stderr.splitlines()
    assert last.startswith("Error: ")
    assert result.stderr.count("Error: ") == 1
    assert sorted(folder.rglob("*")) == before
    return last


def test_memory_that_is_out_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError("tried to allocate 40 GB")

    monkeypatch.setattr("cloudfree.commands.mask.run.plan_mask", full)
    ran = CliRunner().invoke(group, ["mask", str(write_cloudy_scene(tmp_path / "l1c.tif"))])
    assert ran.exit_code == 1
    refusal = ran.stderr.splitlines()[-1]
    assert refusal.startswith("Error: not enough memory (tried to allocate 40 GB); wanted room")
    assert not list(tmp_path.glob("*mask*"))
