"""A researcher: scores on triplets, a network of one's own, its ONNX file, one table of all.

Follows docs/evaluate.md, docs/train.md and docs/models.md on real triplets.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from tests.factories.real_crops import write_triplet_crop
from tests.walks.commands import command, succeed

NAMES = ("2729", "4065", "5254")


@pytest.fixture(scope="module")
def triplets(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("triplets")
    for name in NAMES:
        write_triplet_crop(data, name, folder, 128)
    return folder


@pytest.fixture(scope="module")
def network(triplets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network after two steps, with a place that it never saw."""
    run = tmp_path_factory.mktemp("runs") / "small"
    line = (
        "train ib_hfn --data {} -o {} --network-setting widths=[8,16,24] --crop 64 --batch-size 1 "
        "--steps 2 --hold-out 2729 --device cpu"
    )
    done = succeed(line, triplets, run)
    assert "2 steps on 2 patches" in done.stdout, "one of three is held out"
    assert re.search(r"held out: PSNR \d+\.\d\d dB", done.stdout)
    return run


def test_the_default_model_is_scored_beside_doing_nothing(triplets: Path) -> None:
    done = succeed("evaluate --data {} --model cloudfree-s --device cpu", triplets)
    assert "3 patches of 3 places\nprotocol native" in done.stdout
    rows = dict(re.findall(r"^all +(\S.*?) {2,}(\d+\.\d\d)", done.stdout, flags=re.MULTILINE))
    assert set(rows) == {"do nothing", "cloudfree-s, raw", "cloudfree-s, written"}
    assert float(rows["cloudfree-s, raw"]) > float(rows["do nothing"]) + 2


def test_a_network_of_ones_own_resumes_and_says_how_it_was_trained(
    triplets: Path, network: Path
) -> None:
    written = {path.name for path in network.iterdir()}
    assert {"settings.toml", "card.toml", "checkpoint.pt", "losses.csv"} <= written
    with (network / "losses.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2
    shown = succeed("models show {}", network).stdout
    assert "ib_hfn" in shown
    done = command("train ib_hfn --data {} -o {} --steps 2", triplets, network)
    assert done.exit_code == 1
    assert "--resume" in done.stderr


@pytest.mark.slow
def test_its_onnx_file_scores_the_same_in_one_table_with_the_default(
    triplets: Path, network: Path, tmp_path: Path
) -> None:
    onnx, scores = tmp_path / "small.onnx", tmp_path / "scores"
    exported = succeed("export {} -o {}", network, onnx)
    assert "largest difference to torch" in exported.stdout
    line = "evaluate --data {} --model {} --model {} --model cloudfree-s -o {} --device cpu"
    succeed(line, triplets, network, onnx, scores)
    assert {path.name for path in scores.iterdir()} == {
        "evaluation.json", "index.html", "patches.csv", "summary.csv",
    }  # fmt: skip
    with (scores / "patches.csv").open() as file:
        rows = list(csv.DictReader(file))
    # A model that is named by its path is called by it.
    psnr = {
        (row["patch"], Path(row["method"]).name): float(row["psnr"])
        for row in rows
        if row["region"] == "all"
    }
    for name in NAMES:
        ours = psnr[name, "small, raw"]
        assert psnr[name, "small.onnx, raw"] == pytest.approx(ours, abs=0.01)
        assert psnr[name, "cloudfree-s, raw"] > ours, "two steps teach nothing"
    assert json.loads((scores / "evaluation.json").read_text())["protocol"]
