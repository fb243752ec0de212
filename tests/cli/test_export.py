"""The command line of `cloudfree export`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cloudfree.cli.export import command
from tests.factories.checkpoints import save_checkpoint


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_difference_to_torch_is_printed(tmp_path: Path) -> None:
    model, output = save_checkpoint(tmp_path, "dsen2_cr"), tmp_path / "small.onnx"
    ran = invoke(model, "-o", output, "--json", "-q")
    assert ran.exit_code == 0, ran.output
    printed = json.loads(ran.stdout)
    assert printed["output"] == str(output)
    assert printed["difference"] < 1e-4
    assert printed["dynamic"] == ["batch", "height", "width"]
    assert ran.stderr == ""
    again = invoke(model, "-o", output)
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    ran = invoke(model, "-o", output, "--overwrite", "--opset", "20")
    assert ran.exit_code == 0, ran.output
    assert "opset 20" in ran.stdout
    assert "largest difference to torch" in ran.stdout


@pytest.mark.parametrize("arguments", [[], ["m"], ["m", "-o", "a.onnx", "--opset", "17"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert invoke(*arguments).exit_code == 2
