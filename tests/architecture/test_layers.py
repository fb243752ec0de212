"""Promises about imports: arrows point down, libraries have one door, start-up is quick."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudfree.cli.group import COMMANDS
from cloudfree.cli.models import command as models
from tests.factories.rasters import write_cloudy_scene

PACKAGE = Path(__file__).resolve().parents[2] / "cloudfree"

# From the ground up. A room imports itself and rooms of lower floors; rooms of one floor do not
# know each other.
FLOORS = (
    {"errors"},
    {"core", "parallel"},
    {"raster", "networks", "losses", "metrics"},
    {"sentinel1", "sentinel2", "cloudmask", "gapfilling", "inference"},
    {"coregistration", "simulation"},
    {"datasets", "report"},
    {"training"},
    {"commands"},
    {"cli", "api"},
    {"__main__"},
)
DOORS = {
    "rasterio": {"raster", "sentinel1", "sentinel2"},
    "click": {"cli"},
    "torch": {"networks", "losses", "inference", "training"},
    "h5py": {"inference/keras.py"},
    "onnxruntime": {"inference/onnx_runtime.py", "core/onnx_session.py"},
    "cattrs": {"core/typed_entries.py"},
    "tomli_w": {"inference/model_card.py"},
    "onnx": {"inference/export.py", "core/onnx_files.py"},
    "pystac": {"raster", "sentinel1", "sentinel2", "commands/search/stac_api.py"},
    "pystac_client": {"commands/search/stac_api.py"},
    "tqdm": {"cli", "commands/models/child_process.py"},
    "distributed": {"commands/batch/workers.py"},
    "filelock": {"commands/remove/made_masks.py"},
    "jinja2": {"report/page.py"},
    "cv2": {
        "core/pixel_distance.py",
        "cloudmask",
        "training",
        "coregistration",
        "gapfilling",
        "inference",
        "simulation",
        "metrics",
        "commands",
        "report",
    },
}


def _modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _room(place: Path) -> str:
    return place.parts[0].removesuffix(".py")


def _floor(room: str) -> int:
    (floor,) = [number for number, rooms in enumerate(FLOORS) if room in rooms]
    return floor


@pytest.mark.parametrize("path", _modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    room = _room(path.relative_to(PACKAGE))
    if room == "__init__":
        return
    inner = [name.split(".")[1] for name in _imports(path) if name.startswith("cloudfree.")]
    upwards = [name for name in inner if name != room and _floor(name) >= _floor(room)]
    assert not upwards, f"{path.relative_to(PACKAGE)} imports {upwards}, not below {room}"


@pytest.mark.parametrize("path", _modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_library_has_one_door(path: Path) -> None:
    place = path.relative_to(PACKAGE)
    for name in _imports(path):
        doors = DOORS.get(name.split(".")[0])
        assert doors is None or {place.parts[0], place.as_posix()} & doors, name


def _loaded_by(*arguments: str, printed: str = "Usage") -> set[str]:
    code = (
        "import sys; from cloudfree.cli.group import group\n"
        f"try: group.main({list(arguments)!r}, standalone_mode=False)\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed in ran.stdout
    return {name.split(".")[0] for name in ran.stderr.split()}


@pytest.mark.parametrize(
    "command",
    [[], *([name] for name in COMMANDS), *(["models", name] for name in models.commands)],
    ids=str,
)
def test_help_loads_no_heavy_library(command: list[str]) -> None:
    assert not _loaded_by(*command, "--help") & {"numpy", "rasterio", "torch", "cv2", "pyproj"}


def test_models_are_listed_without_loading_what_runs_them() -> None:
    loaded = _loaded_by("models", "list", printed="cloudfree-s")
    assert not loaded & {"torch", "onnx", "onnxruntime", "safetensors", "h5py", "rasterio", "cv2"}


def test_a_scene_is_described_without_loading_what_runs_models(tmp_path: Path) -> None:
    write_cloudy_scene(tmp_path / "s2.tif", 64, 64)
    loaded = _loaded_by("info", str(tmp_path / "s2.tif"), printed="with cloudfree-s")
    assert not loaded & {"torch", "onnx", "onnxruntime", "safetensors", "h5py"}


def test_help_takes_a_fifth_of_a_second_of_processor_time() -> None:
    # Processor time, best of five: a busy machine makes the clock on the wall say anything.
    code = "import time; import cloudfree.cli.group as g; g.group.main(['--help'], standalone_mode=False); print(time.process_time())"  # noqa: E501
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    assert min(float(run.stdout.split()[-1]) for run in runs) < 0.2
