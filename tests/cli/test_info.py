"""`cloudfree info` on the command line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.commands.info import run as info_installation
from cloudfree.commands.info.run import InstallationResult, installation


def test_the_command_exits_with_one_where_something_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(info_installation, "_runtime_packages", list)
    ran = CliRunner().invoke(group, ["info", "--json"])
    assert ran.exit_code == 1
    assert json.loads(ran.stdout)["problems"][0]["found"] == "ONNX Runtime is not installed"
    assert isinstance(installation(), InstallationResult)
