"""The command line of `cloudfree evaluate`, with the model that comes with the tool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cloudfree.cli.evaluate import command
from tests.factories.sample_folders import TEST, write_tree, write_triplet


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("data") / "SEN12MSCR")


def test_a_miniature_sen12mscr_is_scored_and_shown(tree: Path, tmp_path: Path) -> None:
    ran = invoke("--data", tree, "--model", "cloudfree-s", "-o", tmp_path / "out", "--pictures", 1)
    assert ran.exit_code == 0, ran.output
    assert f"{tree}, split test: 3 patches of 2 places\nprotocol native: " in ran.stdout
    for words in ("all     do nothing", "cloudy  cloudfree-s, raw", "clear   cloudfree-s, written"):
        assert words in ran.stdout
    assert "method                0-20 % (" in ran.stdout
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"index.html", "evaluation.json", "summary.csv", "patches.csv"}


def test_json_is_one_object_with_every_figure(tree: Path) -> None:
    ran = invoke("--data", tree, "--model", "cloudfree-s", "--limit", 1, "--json", "-q")
    printed = json.loads(ran.stdout)
    assert [patch["name"] for patch in printed["patches"]] == [f"{TEST}_p30"]
    assert printed["rows"][0]["means"]["figures"]["psnr"] > 5
    assert printed["protocol"] == "native"


def test_a_folder_without_patches_is_one_line_and_exits_with_1(tmp_path: Path) -> None:
    ran = invoke("--data", tmp_path, "--model", "cloudfree-s")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("Error: no patch with a cloudy and a clear image in")
    assert ran.stderr.count("\n") == 1


def test_skipped_patches_do_not_fail_the_rest(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_triplet(tmp_path, name)
    (tmp_path / "a_s2_clear.tif").write_text("broken")
    ran = invoke("--data", tmp_path, "--model", "cloudfree-s", "--s2-offset", 0)
    assert ran.exit_code == 0
    assert "1 patches skipped, such as a: " in ran.stderr
    assert "1 patches skipped:\n  a: " in ran.stdout
