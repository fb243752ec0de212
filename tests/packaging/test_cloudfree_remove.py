"""The script for the toolbox of QGIS, with stand-ins for the classes of QGIS."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
import rasterio

from cloudfree.cli.remove import command as remove
from cloudfree.core.choices import FillBy
from tests.conftest import ROOT
from tests.factories import qgis_stand_in
from tests.factories.qgis_stand_in import ADVANCED, TEMPORARY, Feedback, ProcessingError
from tests.factories.rasters import write_cloudy_scene

SCRIPT = ROOT / "packaging" / "qgis" / "cloudfree_remove.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    for name, module in qgis_stand_in.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("cloudfree_remove_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module


@pytest.fixture
def algorithm(script: ModuleType) -> Any:
    one = script.CloudfreeRemove().createInstance()
    one.initAlgorithm()
    return one


def _files(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).touch()
    return [str(folder / name) for name in names]


def _parsed(command: list[str]) -> dict[str, Any]:
    """What click makes of a command line, which it refuses if an option or value is none."""
    assert command[1] == "remove"
    return remove.make_context("remove", command[2:]).params


def test_parameters_are_declared_and_the_seldom_ones_are_folded_away(algorithm: Any) -> None:
    assert list(algorithm.declared) == [
        "S2", "S1", "REFERENCES", "MASK", "FILL_BY", "UNCERTAINTY", "WRITE_MASK", "ADAPT", "QML",
        "MORE", "PROGRAM", "OUTPUT",
    ]  # fmt: skip
    advanced = [name for name, one in algorithm.declared.items() if one.flags() & ADVANCED]
    assert advanced == ["MORE", "PROGRAM"]
    optional = [name for name, one in algorithm.declared.items() if one.more.get("optional")]
    assert optional == ["S1", "REFERENCES", "MASK", "MORE"]
    assert list(algorithm.outputs) == ["FILLED", "MASK_USED", "DEVIATION"]
    assert (algorithm.name(), algorithm.groupId()) == ("cloudfree_remove", "cloudfree")


def test_a_scene_and_an_output_are_enough(algorithm: Any, tmp_path: Path) -> None:
    (scene,) = _files(tmp_path, "s2.tif")
    words = algorithm.command_line({"S2": scene}, None, "out.tif")
    parsed = _parsed(words)
    assert words[0] == "cloudfree"
    assert (parsed["s2"], parsed["output"]) == (Path(scene), Path("out.tif"))
    assert (parsed["s1"], parsed["mask"], parsed["references"]) == ((), None, ())
    assert parsed["fill_by"] == "auto"
    assert parsed["qml"]
    assert parsed["overwrite"]
    assert not (parsed["uncertainty"] or parsed["write_mask"] or parsed["adapt"])


def test_every_field_of_the_form_arrives(algorithm: Any, tmp_path: Path) -> None:
    s2, s1, mask, *dates = _files(tmp_path, "s 2.tif", "s1.tif", "mask.tif", "a.tif", "b.zip")
    parsed = _parsed(algorithm.command_line({
        "S2": s2, "S1": s1, "MASK": mask, "REFERENCES": dates, "FILL_BY": 1, "UNCERTAINTY": True,
        "WRITE_MASK": True, "ADAPT": True, "QML": False, "MORE": "--tile 128 --dilate '20m'",
        "PROGRAM": "/opt/cloudfree",
    }, None, "o.tif"))  # fmt: skip
    assert (parsed["s2"], parsed["s1"], parsed["mask"]) == (Path(s2), (Path(s1),), Path(mask))
    assert parsed["references"] == tuple(map(Path, dates))
    assert parsed["fill_by"] == "scene"
    assert parsed["uncertainty"]
    assert parsed["write_mask"]
    assert parsed["adapt"]
    assert not parsed["qml"]
    assert (parsed["tile"], parsed["dilate"]) == (128, "20m")


def test_what_fills_clouds_are_the_choices_of_the_command(script: ModuleType) -> None:
    assert set(script.FILL_BY) == set(get_args(FillBy))


def _program(folder: Path, text: str) -> str:
    """A program that a shell runs."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_scene_is_filled_and_what_was_written_is_returned(
    algorithm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = write_cloudy_scene(tmp_path / "s2.tif")
    # Another Python than that of QGIS, whose variables would break it.
    program = _program(tmp_path, f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m cloudfree "$@"')
    monkeypatch.setenv("PYTHONHOME", str(tmp_path / "none"))
    monkeypatch.setenv("PROJ_DATA", str(tmp_path / "none"))
    feedback = Feedback()
    given = {"S2": scene, "FILL_BY": 1, "PROGRAM": program, "OUTPUT": tmp_path / "out.tif"}
    written = algorithm.processAlgorithm(given, None, feedback)
    assert written == {
        "OUTPUT": str(tmp_path / "out.tif"), "FILLED": str(tmp_path / "out_filled.tif"),
    }  # fmt: skip
    assert (tmp_path / "out_filled.qml").exists()
    assert any("of the pixels filled" in line for line in feedback.lines)
    assert feedback.commands[0].startswith(f"{program} remove --s2 {scene}")
    with rasterio.open(written["OUTPUT"]) as dataset:
        assert dataset.count == 13


def test_a_temporary_layer_is_the_file_that_was_written(algorithm: Any, tmp_path: Path) -> None:
    program = _program(tmp_path, 'while [ "$1" != -o ]; do shift; done; echo "$2"')
    feedback = Feedback()
    given = {"S2": "s2.tif", "PROGRAM": program, "OUTPUT": TEMPORARY}
    assert [algorithm.processAlgorithm(given, None, feedback)["OUTPUT"]] == feedback.lines


def test_the_last_line_of_a_failure_is_shown(script: ModuleType, tmp_path: Path) -> None:
    program = _program(tmp_path, "echo reading; echo 'Error: no scene' >&2; exit 1")
    feedback = Feedback()
    with pytest.raises(ProcessingError, match=r"^Error: no scene$"):
        script.run([program], feedback)
    assert feedback.lines == ["reading", "Error: no scene"]


def test_a_missing_program_says_what_to_give(script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ProcessingError, match="give the path of cloudfree as Program"):
        script.run([str(tmp_path / "none")], Feedback())


@pytest.mark.parametrize("program", ["exec sleep 60", "while true; do echo busy; done"])
def test_a_run_that_is_cancelled_ends_without_an_error_or_output(
    algorithm: Any, tmp_path: Path, program: str
) -> None:
    feedback = Feedback(cancel_at=3)
    given = {"S2": "s2.tif", "PROGRAM": _program(tmp_path, program), "OUTPUT": "out.tif"}
    assert algorithm.processAlgorithm(given, None, feedback) == {}
