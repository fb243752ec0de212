"""Every command line that is written down runs as written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

import pytest

from cloudfree.cli.group import COMMANDS
from cloudfree.cli.search import API_VARIABLE
from cloudfree.core.mask_classes import FILL_COLOURS, MASK_COLOURS
from cloudfree.inference.model_card import _CardFile
from cloudfree.simulation.add_clouds import KINDS
from cloudfree.training.ablations import ablations
from tests.conftest import ROOT
from tests.factories.stac_items import cloudy_item, radar_item
from tests.factories.stac_schemas import read_valid_item
from tests.factories.stac_server import stac_server

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)


def _run(folder: Path, *words: str, api: str = "") -> subprocess.CompletedProcess[str]:
    """Run words; `api` is the address of the STAC API that searches ask."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        words, cwd=folder, env={**os.environ, "PATH": path, API_VARIABLE: api},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def stac_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a STAC API with a scene and its radar where the documents search."""
    folder = tmp_path_factory.mktemp("served")
    day, place = "2022-06-05T10:50:31Z", {"eo:cloud_cover": 20, "level": "l2a"}
    items = [
        cloudy_item(folder, "S2A_MSIL2A_20220605T105031_T31TCG", day, **place),
        radar_item(folder, "S1A_IW_GRDH_1SDV_20220606T174000_rtc", "2022-06-06T17:40:00Z"),
    ]
    with stac_server(folder, items) as server:
        yield server.address


def _without_searches(script: str) -> str:
    """A script as it runs where pystac-client is not installed."""
    return "\n".join(line for line in script.splitlines() if "found" not in line)


def _run_commands(
    folder: Path, name: str, api: str = ""
) -> tuple[str, subprocess.CompletedProcess[str]]:
    """Run all commands of a document in a folder; its text, and how the run ended: well."""
    document = (ROOT / "docs" / name).read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", document, flags=re.DOTALL))
    ran = _run(folder, "bash", "-euc", script, api=api)
    assert ran.returncode == 0, ran.stderr
    return document, ran


def test_the_commands_of_the_readme_run_one_after_the_other(tmp_path: Path, stac_api: str) -> None:
    script = "\n".join(block for block in BLOCKS if "make " not in block)
    assert set(re.findall(r"^cloudfree (\w+)", script, flags=re.MULTILINE)) == set(COMMANDS)
    if find_spec("pystac_client") is None:
        script = _without_searches(script)
    ran = _run(tmp_path, "bash", "-euc", script, api=stac_api)
    assert ran.returncode == 0, ran.stderr
    written = {path.name for path in (tmp_path / "play").iterdir()}
    assert {
        "mask.tif", "score.tif", "s1_coregistered.tif", "s2_cloudy_cloudfree.tif",
        "s2_cloudy_cloudfree_filled.tif", "sure_uncertainty.tif", "report.html",
        "cloudfree-s.onnx",
    } <= written  # fmt: skip
    assert (tmp_path / "filled" / "index.html").exists()


def test_the_commands_of_the_document_on_scoring_run(tmp_path: Path) -> None:
    document, ran = _run_commands(tmp_path, "evaluate.md")
    assert "2 patches of 1 places\nprotocol uncrtaints" in ran.stdout
    written = {path.name for path in (tmp_path / "play" / "scores").iterdir()}
    named = set(re.findall(r"^\| `(\w+\.\w+)` \|", document, flags=re.MULTILINE))
    assert written == named
    assert "filled from earlier and later dates" in ran.stdout
    assert (tmp_path / "months" / "scores" / "series.json").exists()


def test_the_commands_of_the_document_on_comparing_run(tmp_path: Path) -> None:
    document, ran = _run_commands(tmp_path, "compare.md")
    table = document.split("| in the folder of `-o` |")[1].split("\n\n")[0]
    first = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    named = {name for cell in first for name in re.findall(r"`(\w+\.\w+)`", cell)}
    written = {path.name for path in (tmp_path / "tables").iterdir()}
    assert written == named - {"shown.png"}, "the second comparison shows no patch"
    assert "8-14 days" not in ran.stdout
    assert "By the days between cloudy and clear image" in ran.stdout
    assert re.search(r"dsen2_cr +2 +2 +\d+\.\d\d ± \d", ran.stdout)


def test_the_commands_of_the_document_on_uncertainty_run(tmp_path: Path) -> None:
    _, ran = _run_commands(tmp_path, "uncertainty.md")
    assert '[uncertainty]\nsource = "flips"\nfloor = [' in ran.stdout
    assert (tmp_path / "doubt" / "one" / "s2_cloudy_cloudfree_uncertainty.tif").exists()


def test_the_commands_of_the_document_on_training_run(tmp_path: Path) -> None:
    _, ran = _run_commands(tmp_path, "train.md")
    assert "1 patches" in ran.stdout, "one of two is held out"
    written = {path.name for path in (tmp_path / "runs" / "small").iterdir()}
    assert {"settings.toml", "card.toml", "checkpoint.pt", "losses.csv", "samples"} <= written
    assert (tmp_path / "runs" / "fold" / "best" / "card.toml").exists()


def test_the_commands_of_the_document_on_models_run(tmp_path: Path) -> None:
    _, ran = _run_commands(tmp_path, "models.md")
    assert "plugin      brighten.py" in ran.stdout
    assert {path.name for path in tmp_path.iterdir()} >= {"brighten.py", "run", "brighten.onnx"}
    written = {path.name for path in (tmp_path / "play").iterdir()}
    assert {"own.tif", "onnx.tif", "s2_cloudy_cloudfree.tif"} <= written


def test_the_commands_of_the_document_on_networks_run(tmp_path: Path) -> None:
    document, ran = _run_commands(tmp_path, "networks.md")
    assert "glf_cr           without-sar " in ran.stdout
    written = {path.suffix for path in tmp_path.glob("complexity.*")}
    assert written == {".csv", ".md", ".tex"}
    table = document.split("| network | ablation |")[1].split("\n\n")[0]
    listed = set(re.findall(r"`([\w-]+)`", table))
    assert listed == {word for one in ablations() for word in (one.network, one.name)}


def test_the_commands_of_the_document_on_batches_run(tmp_path: Path) -> None:
    document, _ = _run_commands(tmp_path, "batch.md")
    written = {path.name for path in (tmp_path / "filled").iterdir()}
    results = {
        f"{name}_cloudfree{more}.tif" for name in ("april", "may") for more in ("", "_filled")
    }
    pages = {f"{name}_cloudfree.html" for name in ("april", "may")}
    assert written == {*results, *pages, "batch.jsonl", "index.html"}
    assert (tmp_path / "listed" / "spring_cloudfree.tif").exists()
    assert {path.name for path in (tmp_path / "shared").iterdir()} == {
        *results, "batch-1-of-2.jsonl", "batch-2-of-2.jsonl",
    }  # fmt: skip
    line = json.loads((tmp_path / "filled" / "batch.jsonl").read_text().splitlines()[0])
    rows = re.findall(r"^\| (`.+?`) \| [^|]+ \|$", document, flags=re.MULTILINE)
    documented = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert set(line) <= documented


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("index", "report.html"),
        ("remove", "s2_cloudy_cloudfree_mask.tif"),
        ("report", "report.html"),
        ("qgis", "s2_cloudy_cloudfree_uncertainty.qml"),
        ("first-scene", "s2_cloudy_cloudfree_uncertainty.tif"),
        ("l2a", "four_cloudfree.tif"),
        ("troubleshooting", "part.tif"),
    ],
)
def test_the_commands_of_the_documents_on_a_scene_run(tmp_path: Path, name: str, made: str) -> None:
    _run_commands(tmp_path, f"{name}.md")
    assert (tmp_path / "play" / made).exists()


def test_the_document_on_qgis_has_the_classes_and_colours_of_the_styles() -> None:
    document = (ROOT / "docs" / "qgis.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \| `(#\w+)` \|$", document, flags=re.MULTILINE)
    assert rows == [
        (one.label, str(one.value), "#{:02x}{:02x}{:02x}".format(*colour))
        for colours in (MASK_COLOURS, FILL_COLOURS)
        for one, colour in colours.items()
        if one.name != "NODATA"
    ]


def test_every_figure_of_the_document_on_accuracy_stands_where_it_was_measured() -> None:
    """None is made up or outdated: each is in experiments or on the page of its task."""
    pages = ("experiments", "mask", "references", "remove", "uncertainty", "coregister", "products")
    sources = [ROOT / "models" / "README.md", *(ROOT / "docs" / f"{page}.md" for page in pages)]
    measured = "".join(source.read_text(encoding="utf-8") for source in sources)
    for name in ("accuracy", "l2a"):
        document = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        figures = set(re.findall(r"(?<![\w.])\d+\.\d+\b", document))
        assert len(figures) > 10
        assert {one for one in figures if not re.search(rf"(?<!\d){one}(?!\d)", measured)} <= {
            "3.11"  # a version of Python
        }


def test_the_commands_of_the_document_on_errors_run(tmp_path: Path) -> None:
    document, _ = _run_commands(tmp_path, "errors.md")
    error = json.loads((tmp_path / "answer.json").read_text())["error"]
    assert set(error) == set(re.findall(r'^    "(\w+)": ', document, flags=re.MULTILINE))
    assert f'"code": "{error["code"]}"' in document
    messages = (tmp_path / "messages.jsonl").read_text().splitlines()
    table = document.split("## Messages")[1]
    keys = set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE))
    assert {key for line in messages for key in json.loads(line)} == keys


def test_the_commands_of_the_document_on_references_run(tmp_path: Path) -> None:
    _, ran = _run_commands(tmp_path, "references.md")
    written = {path.name for path in (tmp_path / "place").iterdir()}
    assert {"without_radar.tif", "with_radar_uncertainty.tif", "report.html"} <= written
    assert "reference 1: s2_2021" in ran.stdout


def test_the_commands_of_the_document_on_stac_run(tmp_path: Path, stac_api: str) -> None:
    pytest.importorskip("pystac_client", reason="needs cloudfree[stac]")
    _run_commands(tmp_path, "stac.md", stac_api)
    for item in ("clear", "mask"):
        read_valid_item(tmp_path / "play" / f"{item}.json")
    (found,) = (tmp_path / "found").glob("*_cloudfree.json")
    assert [link["title"] for link in read_valid_item(found)["links"]] == [
        "Sentinel-2 scene", "Sentinel-1 scene", "Model cloudfree-s",
    ]  # fmt: skip


def test_an_array_job_of_slurm_fills_its_part(tmp_path: Path) -> None:
    for name in ("a", "b"):
        ran = _run(tmp_path, "cloudfree", "simulate", f"in/{name}", "--size", "96", "-q")
        assert ran.returncode == 0, ran.stderr
    script = ROOT / "examples" / "slurm_array.sh"
    (tasks,) = re.findall(r"^#SBATCH --array=1-(\d+)$", script.read_text(), flags=re.MULTILINE)
    task = f"SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_COUNT={tasks} SLURM_ARRAY_TASK_MIN=1"
    ran = _run(tmp_path, "bash", "-c", f"{task} bash {script} in out")
    assert ran.returncode == 0, ran.stderr
    assert [path.name for path in sorted((tmp_path / "out").glob("*_cloudfree.tif"))] == [
        "b_cloudfree.tif"
    ]


def test_the_commands_of_the_document_on_masks_run(tmp_path: Path) -> None:
    _, ran = _run_commands(tmp_path, "mask.md")
    assert "mask score.tif: probabilities from 0 to 1: cloud from 0.2 on" in ran.stderr
    written = {path.name for path in (tmp_path / "play").iterdir()}
    assert {"mask.tif", "own.tif", "sure.tif"} <= written


def test_the_commands_of_the_document_on_adapting_run(tmp_path: Path) -> None:
    _, ran = _run_commands(tmp_path, "adapt.md")
    assert "adapted to the scene: " in ran.stdout
    assert (tmp_path / "play" / "adapted.tif").exists()


def test_the_commands_of_the_document_on_simulated_clouds_run(tmp_path: Path) -> None:
    document, _ = _run_commands(tmp_path, "simulate.md")
    for name in ("mixed", "haze", "low", "real"):
        written = {path.name for path in (tmp_path / "clouds" / name).iterdir()}
        assert written == {"s2_cloudy.tif", "s2_clear.tif", "truth_mask.tif"}
    assert len(list((tmp_path / "months" / "earlier").rglob("*.tif"))) == 4 * 5
    named = re.findall(r"^\| `(\w+)` \|", document, flags=re.MULTILINE)
    assert tuple(named) == KINDS


def test_the_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    named = set(re.findall(r"^make (\S+)", "\n".join(BLOCKS), flags=re.MULTILINE))
    assert named
    assert named <= targets


def test_files_that_documents_point_to_exist() -> None:
    tops = (ROOT / "README.md", ROOT / "models" / "README.md", ROOT / "CHANGELOG.md")
    for document in (*tops, *(ROOT / "docs").glob("*.md")):
        links = re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
        assert [link for link in links if not (document.parent / link).exists()] == []


def _braces_expanded(path: str) -> list[str]:
    """`a/{b,c}.py` as `a/b.py` and `a/c.py`."""
    if not (found := re.search(r"\{([^}]*)\}", path)):
        return [path]
    start, end = path[: found.start()], path[found.end() :]
    return [start + word + rest for word in found[1].split(",") for rest in _braces_expanded(end)]


# Names that stand for a name that the reader chooses.
PLACEHOLDERS = re.compile(r"\bNAME\b|^cloudfree/a/b\.py$")


def test_paths_of_the_package_in_documents_exist() -> None:
    named = set()
    for document in (
        *ROOT.glob("*.md"),
        ROOT / "models" / "README.md",
        *(ROOT / "docs").glob("*.md"),
    ):
        text = document.read_text(encoding="utf-8")
        for path in re.findall(r"(?<![\w/.-])cloudfree/[\w./{},-]*[\w}/]", text):
            named |= {(document.name, each) for each in _braces_expanded(path)}
    assert len(named) > 10
    assert [
        (document, path)
        for document, path in sorted(named)
        if not PLACEHOLDERS.search(path) and not (ROOT / path).exists()
    ] == []


def test_the_document_on_models_lists_the_entries_of_a_card() -> None:
    document = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    table = document.split("| entry of the card | content |")[1].split("\n\n")[0]
    entries = re.findall(r"^\| (.+?) \|", table, flags=re.MULTILINE)
    listed = {name for entry in entries for name in re.findall(r"`\[?(\w+)\]?`", entry)}
    assert listed == {field.name for field in fields(_CardFile)}


def test_the_demo_runs_every_command_that_works_on_a_scene() -> None:
    demo = (ROOT / "examples" / "demo.sh").read_text(encoding="utf-8")
    used = set(re.findall(r"^cloudfree (\w+)", demo, flags=re.MULTILINE))
    assert used == {"simulate", "mask", "coregister", "remove", "report"}


@pytest.mark.slow
def test_the_demo_runs(tmp_path: Path) -> None:
    ran = _run(tmp_path, "bash", str(ROOT / "examples" / "demo.sh"), "demo")
    assert ran.returncode == 0, ran.stderr
    assert "cloudy pixels before" in ran.stdout
    assert (tmp_path / "demo" / "report.html").exists()


def test_the_folder_of_scenes_may_have_any_name(tmp_path: Path) -> None:
    """A leading dash is no option, and spaces, quotes and line ends are part of the name."""
    folder = "-a 'b' \"c\"\n$(touch hacked)"
    ran = _run(tmp_path, "cloudfree", "simulate", "--size", "96", "-q", "--", f"{folder}/one")
    assert ran.returncode == 0, ran.stderr
    (tmp_path / folder / "one" / "s2_cloudy.tif").rename(tmp_path / folder / "one" / "s2.tif")
    ran = _run(tmp_path, "bash", str(ROOT / "examples" / "folder_of_scenes.sh"), folder)
    assert ran.returncode == 0, ran.stderr
    task = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "1", "SLURM_ARRAY_TASK_MIN": "1"}
    given = [f"{name}={value}" for name, value in task.items()]
    script = str(ROOT / "examples" / "slurm_array.sh")
    ran = _run(tmp_path, "env", *given, "bash", script, folder, "-out")
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / folder / "one" / "s2_cloudfree.tif").exists()
    assert (tmp_path / "-out" / "one_cloudfree.tif").exists()
    assert not (tmp_path / "hacked").exists()


def test_a_folder_of_scenes_is_worked_through_and_failures_are_counted(tmp_path: Path) -> None:
    for name in ("good", "bad"):
        ran = _run(tmp_path, "cloudfree", "simulate", name, "--size", "96", "--seed", "3", "-q")
        assert ran.returncode == 0, ran.stderr
        (tmp_path / name / "s2_cloudy.tif").rename(tmp_path / name / "s2.tif")
    (tmp_path / "bad" / "s1.tif").write_text("broken")
    script = str(ROOT / "examples" / "folder_of_scenes.sh")
    ran = _run(tmp_path, "bash", script, ".")
    assert ran.returncode == 3
    assert "failed: ./bad" in ran.stderr
    assert (tmp_path / "good" / "s2_cloudfree.tif").exists()
    first = (tmp_path / "good" / "s2_cloudfree.tif").stat().st_mtime_ns
    _run(tmp_path, "bash", script, ".")
    assert (tmp_path / "good" / "s2_cloudfree.tif").stat().st_mtime_ns == first, "it was skipped"
