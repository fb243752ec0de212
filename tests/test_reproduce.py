"""The tables of the papers: every command runs on a miniature SEN12MS-CR."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.datasets.split_file import shipped_names
from cloudfree.training.ablations import ablation_names
from tests.conftest import ROOT
from tests.factories.sample_folders import TEST, TRAIN, VAL, write_patch, write_triplet
from tests.factories.service_clients import Client
from tests.factories.training_runs import words
from tests.inference.test_checkpoint import SMALL
from tests.test_get_data import SERVICES, _names

DOCUMENT = (ROOT / "docs" / "reproduce.md").read_text(encoding="utf-8")
SECTIONS = dict(
    re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
)
BEFORE = DOCUMENT.split("\n## ")[0]

SIDE = 64
PLACES = (
    TEST, "ROIs1158_spring_31", VAL, TRAIN, "ROIs1158_spring_6", "ROIs1158_spring_8",
    "ROIs2017_winter_63", "ROIs2017_winter_8",
)  # fmt: skip
# The two sizes of a trial that the document names, on one processor.
TRIAL = "--steps 2 --batch-size 1 --crop 64"


def _blocks(text: str, language: str) -> str:
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL))


def _options(network: str) -> str:
    return " ".join(f"--network-setting {shlex.quote(one)}" for one in words(SMALL[network]))


@pytest.fixture(scope="module")
def small_networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `cloudfree` that trains each network in its small form."""
    folder = tmp_path_factory.mktemp("bin")
    cases = "\n".join(f"    {name}) own=({_options(name)});;" for name in SMALL)
    program = folder / "cloudfree"
    program.write_text(
        f'#!/bin/bash\nown=()\n[ "$1" = train ] && case $2 in\n{cases}\nesac\n'
        f'exec {sys.executable} -m cloudfree "$@" "${{own[@]}}"\n'
    )
    program.chmod(0o755)
    return folder


def _run(folder: Path, programs: Path, section: str, **variables: object) -> str:
    """Run the commands of a section as a trial; what they print."""
    path = f"{programs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"TRIAL": TRIAL, "SEEDS": "1 2", **{name: str(one) for name, one in variables.items()}}
    script = f"{_blocks(BEFORE, 'sh')}\n{_blocks(SECTIONS[section], 'sh')}"
    ran = subprocess.run(
        ["bash", "-euc", script], cwd=folder, env={**os.environ, "PATH": path, **own},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SEN12MS-CR of eight places, with two patches each."""
    folder = tmp_path_factory.mktemp("data") / "SEN12MSCR"
    for number, place in enumerate(PLACES):
        for patch in ("p30", "p31"):
            write_patch(folder, place, patch, seed=number, side=SIDE)
    return folder


@pytest.mark.parametrize(
    ("section", "folder", "models"),
    [
        ("GLF-CR", "glf-cr", {"glf_cr": 1, "dsen2_cr": 1}),
        ("UnCRtainTS", "uncrtaints", {"uncrtaints": 1}),
        pytest.param(
            "Cloud-Attentive Reconstruction", "cloud-attentive",
            {"cloud_attentive": 2, "glf_cr": 1}, marks=pytest.mark.slow,
        ),
        pytest.param(
            "SG-BAFM and DFIN", "sg-bafm", {"sg_bafm_dfin": 1, "uncrtaints": 1},
            marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_the_commands_of_a_paper_make_its_table(
    miniature: Path, small_networks: Path, tmp_path: Path, section: str, folder: str,
    models: dict[str, int],
) -> None:  # fmt: skip
    _run(tmp_path, small_networks, section, DATA=miniature)
    _check_table(tmp_path, folder, models)


def _check_table(tmp_path: Path, folder: str, models: dict[str, int]) -> None:
    """A row for each model, with as many seeds, and a split file beside each result."""
    with (tmp_path / "tables" / folder / "overall.csv").open(newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert {name: int(row["seeds"]) for name, row in rows.items()} == {"do nothing": 1, **models}
    assert all(np.isfinite(float(row["psnr"])) for row in rows.values())
    for result in (tmp_path / "scores" / folder).iterdir():
        assert (result / "split.csv").exists(), "what was used is written beside the results"


def test_place_and_season_of_the_test_of_ib_hfn_are_never_seen(
    miniature: Path, small_networks: Path, tmp_path: Path
) -> None:
    _run(tmp_path, small_networks, "IB-HFN", DATA=miniature)
    _check_table(tmp_path, "ib-hfn", {"ib_hfn": 1})
    with (tmp_path / "scores" / "ib-hfn" / "ib_hfn" / "patches.csv").open(newline="") as file:
        assert {row["place"] for row in csv.DictReader(file)} == {"ROIs2017_winter_63"}
    card = (tmp_path / "runs" / "ib-hfn" / "ib_hfn" / "card.toml").read_text()
    assert 'held_out = [\n    "winter",\n]' in card
    assert "places = 3" in card


@pytest.mark.slow
def test_ablations_are_compared_with_the_whole_network(
    miniature: Path, small_networks: Path, tmp_path: Path
) -> None:
    names = {"glf_cr": "without-sar", "cloud_attentive": "unweighted-loss",
             "sg_bafm_dfin": "base-dfin", "ib_hfn": "without-gate"}  # fmt: skip
    short = {network.upper().replace("_DFIN", ""): name for network, name in names.items()}
    _run(tmp_path, small_networks, "Ablations", DATA=miniature, **short)
    for network, name in names.items():
        with (tmp_path / "tables" / "ablations" / network / "overall.csv").open(newline="") as file:
            found = {row["model"] for row in csv.DictReader(file)}
        assert found == {"do nothing", "whole", name}
    card = (tmp_path / "runs" / "ablations" / "printed" / "card.toml").read_text()
    assert 'design = "printed"' in card


def test_every_ablation_of_a_paper_is_named() -> None:
    """Those of IB-HFN are ours, and left to choose from."""
    for network in ("glf_cr", "cloud_attentive", "sg_bafm_dfin"):
        assert " ".join(ablation_names(network)) in SECTIONS["Ablations"]


def test_the_snippet_exports_triplets_that_are_learned_from(
    tmp_path: Path, small_networks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = "Triplets of one's own"
    monkeypatch.chdir(tmp_path)
    ee = Client()
    monkeypatch.setitem(sys.modules, "ee", ee)
    snippet = _blocks(SECTIONS[section], "python")
    exec(compile(snippet, section, "exec"), {})
    exports = [call.named for call in ee.log if call.name == "toDrive"]
    names = sorted({export["fileNamePrefix"].split("_", 1)[0] for export in exports})
    assert [export["fileNamePrefix"] for export in exports] == [
        f"{name}_{kind}" for name in names for kind in ("s1", "s2_cloudy", "s2_clear")
    ]
    _check_grids(exports)
    for seed, name in enumerate(names):
        write_triplet(tmp_path / "triplets", name, side=SIDE, seed=seed)
    header, *rows = Path("dates.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == names
    # The days that the service would have given.
    days = [f"{name},2021-04-20,2021-04-24,2021-05-09" for name in names]
    Path("dates.csv").write_text("\n".join([header, *days]))
    printed = _run(tmp_path, small_networks, section)
    assert "By the days between cloudy and clear image\ndays        model" in printed
    assert "\n15-28 days  sg_bafm_dfin  1" in printed


def _check_grids(exports: list[dict[str, Any]]) -> None:
    """The images of a place are exported in one grid, and the bands that are read."""
    for start in range(0, len(exports), 3):
        radar, cloudy, clear = exports[start : start + 3]
        for key in ("region", "scale", "crs"):
            assert radar[key] == cloudy[key] == clear[key]
        assert radar["image"].calls("select")[-1].given == (["VV", "VH"],)
        for one in (cloudy, clear):
            (bands,) = one["image"].calls("select")[-1].given
            assert len(bands) == len(OPTICAL_BANDS)


def test_the_snippet_uses_documented_names_alone() -> None:
    """Those of the section on Earth Engine, and the filters, dates and Python's own besides."""
    more = (
        "CLOUDY_PIXEL_PERCENTAGE rangeContains sort advance day YYYY-MM-dd name s1 s2_cloudy "
        "s2_clear append writer writerows dates.csv w newline brie landes toscana"
    )
    known = {*SERVICES["earth_engine"].names.split(), *more.split()}
    assert _names(_blocks(SECTIONS["Triplets of one's own"], "python")) - known == set()


def test_every_split_of_the_literature_is_used() -> None:
    used = set(re.findall(r"--split ([a-z-]+)[ :\n`]", DOCUMENT))
    assert used | {"glf-cr-text"} == set(shipped_names())
    assert "`glf-cr-text`" in DOCUMENT


def test_published_figures_stand_under_one_protocol_each() -> None:
    """GLF-CR has one figure in its own protocol and another in that of UnCRtainTS."""
    assert "| GLF-CR (`glf_cr`) | 29.08 |" in SECTIONS["GLF-CR"]
    assert "| GLF-CR (`glf_cr`) | 28.64 |" in SECTIONS["UnCRtainTS"]
    assert "| GLF-CR (`glf_cr`) | 29.73 |" in SECTIONS["Cloud-Attentive Reconstruction"]
