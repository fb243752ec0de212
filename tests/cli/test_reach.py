"""`--allow-remote` at the command line: a refusal names it, and with it the input is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import rasterio.shutil
from click.testing import CliRunner, Result

from cloudfree.cli.group import COMMANDS, group
from tests.factories.dates_of_a_place import write_date
from tests.factories.results import write_result
from tests.factories.sample_folders import write_triplet
from tests.factories.training_runs import small

_TRAIN = ("train", "dsen2_cr", "--data", "data", "-o", "run", "--s2-offset", "0", "--steps", "1",
          "--crop", "16", "--batch-size", "1", "--device", "cpu")  # fmt: skip
CASES = {
    "train": (*_TRAIN, *(word for one in small("dsen2_cr") for word in ("--network-setting", one))),
    "evaluate": ("evaluate", "--data", "data", "--model", "cloudfree-s", "--s2-offset", "0"),
    "evaluate --per-bin": ("evaluate", "--data", "data", "--model", "cloudfree-s", "--s2-offset",
                           "0", "--per-bin", "1", "--bins", "1"),
    "evaluate --series": ("evaluate", "--series", "place", "--s2-offset", "0", "--limit", "1"),
    "simulate": ("simulate", "sky", "--over", "data/p0_s2_clear.tif", "--s2-offset", "0"),
    "report": ("report", "result/l1c_cloudfree.tif", "-o", "page.html", "--truth", "truth.tif"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs whose files are all VRTs under the name of a GeoTIFF, of files elsewhere."""
    folder = tmp_path_factory.mktemp("inputs")
    far = folder / "far"
    write_triplet(far / "data", "p0")
    for day in ("0301", "0310"):
        write_date(far / "place" / f"s2_2018{day}.tif", bands=_FOUR)
    write_date(far / "place" / "s2_20180401.tif", (slice(0, 64), slice(0, 64)), bands=_FOUR)
    write_result(folder / "result").truth.rename(far / "truth.tif")
    for path in far.rglob("*.tif"):
        here = folder / path.relative_to(far)
        here.parent.mkdir(exist_ok=True)
        rasterio.shutil.copy(path, here, driver="VRT")
    return folder


_FOUR = ("B02", "B03", "B04", "B08")


def _run(words: tuple[str, ...]) -> Result:
    return CliRunner().invoke(group, [*words, "-q"])


@pytest.mark.parametrize("case", CASES)
def test_what_is_refused_is_read_with_the_option_that_the_refusal_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(folder)
    refused = _run(CASES[case])
    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[-1].startswith("Error: ")
    assert "--allow-remote" in refused.stderr.splitlines()[-1]
    read = _run((*CASES[case], "--allow-remote"))
    assert read.exit_code == 0, read.stderr


def test_every_command_that_reads_rasters_of_others_has_the_option() -> None:
    without = {"compare", "export", "models", "search"}
    for name in set(COMMANDS) - without:
        assert "--allow-remote" in CliRunner().invoke(group, [name, "--help"]).stdout, name
