"""Known holes in pinned libraries are found, and what could not be asked is said."""

from __future__ import annotations

import importlib.util
import json
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "packaging" / "audit.py"
LIST = tomllib.loads((ROOT / "packaging" / "advisories.toml").read_text(encoding="utf-8"))
PINNED = "jinja2==3.1.2\nnumpy==2.4.6 ; python_full_version < '3.12'\n# torch==1.0\n"


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module
    spec.loader.exec_module(module)
    return module


def _pip_audit(folder: Path, answer: object) -> Path:
    """A program that answers as pip-audit does."""
    path = folder / "pip-audit"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\n")
    path.chmod(0o755)
    return path


def _main(audit: ModuleType, folder: Path, pins: str, answer: object = None) -> int:
    (folder / "constraints.txt").write_text(pins)
    program = folder / "none" if answer is None else _pip_audit(folder, answer)
    given = ["--constraints", str(folder / "constraints.txt"), "--pip-audit", str(program)]
    code: int = audit.main(given)
    return code


def test_the_pins_of_this_project_are_above_the_list(audit: ModuleType) -> None:
    pins = audit.read_pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert len(pins) > 100
    assert list(audit.below_the_list(pins, LIST)) == []


def test_the_list_is_of_libraries_that_are_pinned(audit: ModuleType) -> None:
    pins = audit.read_pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert set(LIST["fixed"]) <= {pin.name for pin in pins}


def test_a_pin_below_the_list_is_found_without_a_network(
    audit: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _main(audit, tmp_path, PINNED) == 1
    printed = capsys.readouterr().out
    assert "2 pins" in printed
    assert "PyPI was asked for 0 of them" in printed
    assert "jinja2 3.1.2: CVE-2025-27516, fixed in 3.1.6" in printed


def test_a_service_that_does_not_answer_is_no_all_clear(
    audit: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _main(audit, tmp_path, "jinja2==3.1.6\n") == 3
    assert "not all could be asked" in capsys.readouterr().err
    skipped = {"dependencies": [{"name": "jinja2", "skip_reason": "not found"}], "fixes": []}
    assert _main(audit, tmp_path, "jinja2==3.1.6\n", skipped) == 3


def test_what_the_service_knows_decides(audit: ModuleType, tmp_path: Path) -> None:
    hole = {"id": "CVE-1", "fix_versions": ["9"], "aliases": [], "description": ""}
    for holes, code in (([], 0), ([hole], 1)):
        known = {"name": "Jinja2", "version": "3.1.6", "vulns": holes}
        answer = {"dependencies": [known], "fixes": []}
        assert _main(audit, tmp_path, "jinja2==3.1.6\n", answer) == code


def test_an_accepted_advisory_is_no_finding(audit: ModuleType, tmp_path: Path) -> None:
    text = 'checked = 2026-11-25\n[accepted]\nCVE-1 = "not used"\n[fixed]\na = {CVE-1 = "2"}\n'
    (tmp_path / "list.toml").write_text(text)
    (tmp_path / "constraints.txt").write_text("a==1\n")
    lists = [
        "--constraints",
        str(tmp_path / "constraints.txt"),
        "--list",
        str(tmp_path / "list.toml"),
    ]
    assert audit.main([*lists, "--pip-audit", str(tmp_path / "none")]) == 3
