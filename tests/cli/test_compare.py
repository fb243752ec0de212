"""The command line of `cloudfree compare`."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from cloudfree.cli.compare import command
from tests.factories.evaluations import write_evaluation


def test_tables_are_printed_and_one_object_with_json(tmp_path: Path) -> None:
    folder = str(write_evaluation(tmp_path / "one", "m", {"a_1": 30.0, "b_1": 28.0}))
    ran = CliRunner().invoke(command, [f"mine={folder}"])
    assert ran.exit_code == 0, ran.output
    assert "mine        2        29.00" in ran.stdout
    printed = json.loads(CliRunner().invoke(command, [folder, "--json"]).stdout)
    assert printed["overall"][1]["metrics"]["psnr"] == {"mean": 29.0, "deviation": None}


def test_something_else_is_one_line_and_exits_with_1(tmp_path: Path) -> None:
    ran = CliRunner().invoke(command, [str(tmp_path)])
    assert ran.exit_code == 1
    assert ran.stderr.startswith(f"Error: {tmp_path} is no result of cloudfree evaluate (No such")
    assert ran.stderr.count("\n") == 1
