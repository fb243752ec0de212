"""The test of a module is found by its name."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.measure import ROOT, Structure


def test_every_module_has_a_test_of_its_name() -> None:
    assert Structure(ROOT).untested() == []


def _package(root: Path, *modules: str, lines: int = 13) -> Structure:
    for name in modules:
        path = root / "cloudfree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n" * lines)
    return Structure(root)


def test_a_module_without_one_is_named(tmp_path: Path) -> None:
    structure = _package(tmp_path, "core/grid.py", "commands/mask/run.py")
    (tmp_path / "tests" / "core").mkdir(parents=True)
    (tmp_path / "tests" / "core" / "test_run.py").touch()
    assert structure.untested() == ["commands.mask.run", "core.grid"]
    (tmp_path / "tests" / "core" / "test_grid.py").touch()
    assert structure.untested() == ["commands.mask.run"]


def test_a_module_of_a_few_lines_needs_none(tmp_path: Path) -> None:
    assert _package(tmp_path, "core/grid.py", lines=12).untested() == []


def test_the_package_itself_is_tested_as_init(tmp_path: Path) -> None:
    structure = _package(tmp_path, "__init__.py")
    assert structure.untested() == ["__init__"]
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_init.py").touch()
    assert structure.untested() == []
