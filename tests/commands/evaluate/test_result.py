"""The result of an evaluation as text and as files, from figures that are known."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from cloudfree.commands.evaluate.calibration import Calibration
from cloudfree.commands.evaluate.result import FILES, Evaluation, check_outputs, write_files
from cloudfree.commands.evaluate.summary import ScoredPatch, summarise
from cloudfree.datasets.patch import Skipped
from cloudfree.errors import OutputError
from cloudfree.metrics.image_metrics import Metrics
from cloudfree.metrics.protocol import PatchMetrics


def _patch(name: str, place: str, psnr: float) -> ScoredPatch:
    figures = Metrics(100, psnr, 0.5, 3.0, 0.1, 0.2)
    clear = Metrics(0, None, None, None, None, None)
    whole = PatchMetrics(figures, figures, clear, (figures,))
    return ScoredPatch(name, place, "spring", 0.3, 0.4, {"do nothing": whole, "m, raw": whole})


PATCHES = (_patch("a", "one", 20.0), _patch("b", "two", 30.0))
FOUND = Evaluation(
    version="1.2.3",
    data=Path("data"),
    split="test",
    protocol="native",
    definition="whole patches",
    models={"m": "0" * 64},
    bands=("B02",),
    rows=summarise(PATCHES, ("B02",)),
    calibration={"m": Calibration(10, 0.0123, 0.0234, 0.7, 0.95)},
    patches=PATCHES,
    skipped=(Skipped("c", "broken"),),
    output=None,
)


def test_the_summary_has_means_calibration_and_what_was_skipped() -> None:
    text = FOUND.summary()
    assert text.startswith("data, split test: 2 patches of 2 places\nprotocol native: whole patche")
    assert "bands B02" in text
    assert "25.00" in text
    assert "m: UCE 0.0123, AUCE 0.0234; 70.0% of the errors within one standard dev" in text
    assert "1 patches skipped:\n  c: broken" in text
    assert "index.html" not in text


def test_the_bands_are_named_only_if_some_are_missing() -> None:
    assert "\nbands" not in replace(FOUND, bands=tuple("abcdefghijklm")).summary()


def test_of_many_skipped_patches_five_are_named() -> None:
    many = replace(FOUND, skipped=tuple(Skipped(f"p{n}", "broken") for n in range(9)))
    assert "9 patches skipped:" in many.summary()
    assert many.summary().count(": broken") == 5


def test_the_files_hold_the_figures(tmp_path: Path) -> None:
    write_files(tmp_path / "out", FOUND, (), overwrite=False)
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FILES)
    with (tmp_path / "out" / "patches.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 3
    assert (rows[0]["patch"], rows[0]["method"], rows[0]["region"]) == ("a", "do nothing", "all")
    assert float(rows[0]["psnr"]) == 20.0
    assert rows[2]["psnr"] == "", "no clear pixel has no figure"
    with (tmp_path / "out" / "summary.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["kind"], first["group"], float(first["psnr"])) == ("pixels", "all", 25.0)
    assert float(first["psnr_low"]) <= 25.0 <= float(first["psnr_high"])


def test_equal_images_have_no_number_in_json(tmp_path: Path) -> None:
    patches = (_patch("a", "one", math.inf),)
    found = replace(FOUND, patches=patches, rows=summarise(patches, ("B02",)))
    write_files(tmp_path, found, (), overwrite=False)
    told = json.loads((tmp_path / "evaluation.json").read_text())
    assert told["patches"][0]["figures"]["m, raw"]["all"]["psnr"] is None
    assert told["data"] == "data"


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_an_earlier_evaluation_is_kept_unless_told_otherwise(
    tmp_path: Path, name: str
) -> None:
    check_outputs(None, overwrite=False)
    check_outputs(tmp_path / "new", overwrite=False)
    check_outputs(tmp_path, overwrite=False)
    (tmp_path / name).touch()
    with pytest.raises(OutputError, match=f"{name} exists already"):
        check_outputs(tmp_path, overwrite=False)
    check_outputs(tmp_path, overwrite=True)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file is a file; wanted a folder"):
        check_outputs(tmp_path / "file", overwrite=True)
