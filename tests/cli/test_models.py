"""The command line of `cloudfree models`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from cloudfree.cli.models import command
from cloudfree.inference.registry import network_names
from tests.factories.toy_network import plant


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return plant(monkeypatch, tmp_path)


def test_list_is_one_json_object_if_asked() -> None:
    printed = json.loads(invoke("list", "--json").stdout)
    assert "cloudfree-s" in [model["name"] for model in printed["models"]]
    assert [network["name"] for network in printed["networks"]] == network_names()
    assert printed["networks"][0]["halo_px"] is None


def test_show_prints_the_card(toy: Path) -> None:
    ran = invoke("show", toy)
    assert ran.exit_code == 0
    assert "licence     CC0-1.0" in ran.stdout
    assert "levels      L1C; others with a warning" in ran.stdout
    assert json.loads(invoke("show", toy, "--json").stdout)["card"]["network"] == "toy"


def test_check_exits_0_only_within_tolerance(toy: Path) -> None:
    optical, sar = np.zeros((1, 13, 4, 4), np.float32), np.zeros((1, 2, 4, 4), np.float32)
    for level, code in ((0.1234, 0), (0.1233, 0), (0.1230, 1)):
        np.savez(toy / "golden.npz", opt=optical, sar=sar, out=optical + np.float32(level))
        ran = invoke("check", toy, "--atol", "2e-4")
        assert ran.exit_code == code, ran.output
    assert ran.stderr.startswith("Error: out of toy-one differs by 4.00e-04; wanted at most 0.0002")
    assert len(ran.stderr.splitlines()) == 1


def test_convert_writes_a_model_that_is_listed(toy: Path) -> None:
    ran = invoke("convert", toy, toy.parent / "copy")
    assert ran.exit_code == 0, ran.output
    assert "toy, 13 parameters, licence of the weights: CC0-1.0" in ran.stdout
    listed = json.loads(invoke("list", "--json").stdout)["models"]
    assert "copy" in [model["name"] for model in listed]
    assert invoke("convert", toy, toy.parent / "copy").exit_code == 1


@pytest.mark.parametrize("arguments", [["show"], ["check"], ["convert", "in"], ["sing"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert invoke(*arguments).exit_code == 2
