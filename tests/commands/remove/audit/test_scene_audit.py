"""Results that are damaged on purpose: broken ones are not written, doubtful ones are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.commands.remove import run as remove
from cloudfree.commands.remove import written_scene
from cloudfree.commands.remove.audit.finding import AUDIT
from cloudfree.commands.remove.audit.scene_audit import SceneAudit
from cloudfree.commands.remove.filling import OutputRows, finish
from cloudfree.commands.remove.run import RemoveOptions, RemoveResult, run
from cloudfree.commands.simulate.options import SimulateOptions
from cloudfree.commands.simulate.run import run as simulate
from cloudfree.core.grid import Window
from cloudfree.core.terminal import silent
from cloudfree.errors import BrokenResultError, ErrorCode
from cloudfree.inference.model import Arrays, Model
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.readiness import OneAtATime

Damage = Callable[[OutputRows], object]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit") / "scene"
    simulate(SimulateOptions(folder, size=256, seed=3), silent)
    return folder


def _remove(place: Path, output: Path, **options: Any) -> RemoveResult:
    """By the scene itself, which takes least time, unless something else is said."""
    given: dict[str, Any] = {
        "s1": (place / "s1.tif",), "s2": place / "s2_cloudy.tif", "output": output,
        "mask": place / "truth_mask.tif", "fill_by": "scene", **options,
    }  # fmt: skip
    return run(RemoveOptions(**given), silent)


def _codes(result: RemoveResult) -> list[str]:
    return [one.code.value for one in result.findings]


@pytest.fixture
def damaged(monkeypatch: pytest.MonkeyPatch) -> Callable[[Damage], None]:
    """Makes a damage happen to all rows as they are finished."""

    def install(damage: Damage) -> None:
        def broken(*given: Any) -> OutputRows:
            rows = finish(*given)
            damage(rows)
            return rows

        monkeypatch.setattr(written_scene, "finish", broken)

    return install


def test_a_good_result_passes(place: Path, tmp_path: Path) -> None:
    result = _remove(place, tmp_path / "a.tif")
    assert (_codes(result), result.exit_code) == ([], 0)
    with rasterio.open(result.output) as dataset:
        assert dataset.tags()[AUDIT] == "passed"


def _change_clear(rows: OutputRows) -> None:
    row, col = (int(one[0]) for one in np.nonzero(~rows.filled))
    rows.pixels[0, row, col] += 1


def _lose_filled(rows: OutputRows) -> None:
    rows.pixels[:, rows.filled] = 0


def _saturate(rows: OutputRows) -> None:
    rows.pixels[:, rows.filled] = 65535


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (_change_clear, "1 pixels changed that are not filled"),
        (_lose_filled, "filled pixels are no reflectance or nodata"),
        (_saturate, "filled pixels are no reflectance or nodata"),
    ],
)
def test_a_broken_result_is_not_written(
    place: Path, tmp_path: Path, damaged: Callable[[Damage], None], damage: Damage, text: str
) -> None:
    damaged(damage)
    with pytest.raises(BrokenResultError, match=text) as error:
        _remove(place, tmp_path / "a.tif")
    assert error.value.code is ErrorCode.BROKEN_RESULT
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lost", ["first", "last"])
def test_rows_that_do_not_come_are_missed(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    def some(audit: SceneAudit, before: Any, fill: Any, rows: OutputRows) -> None:
        height = audit.optical.grid.height
        if (rows.window.row == 0) if lost == "first" else (rows.window.row_stop == height):
            return
        whole(audit, before, fill, rows)

    whole = SceneAudit.add
    monkeypatch.setattr(SceneAudit, "add", some)
    with pytest.raises(BrokenResultError, match=r"rows \d+ to|\d+ of 256 rows"):
        _remove(place, tmp_path / "a.tif")


def test_rows_that_come_twice_are_noticed(place: Path, tmp_path: Path) -> None:
    result = _remove(place, tmp_path / "a.tif")
    with OpticalScene(result.output) as optical:
        audit = SceneAudit.of_scene(optical)
        audit.next_row = 128
        with pytest.raises(BrokenResultError, match="rows 0 to 128 after row 128"):
            audit._check_rows(Window(0, 0, 128, 256))


class Shining(OneAtATime):
    """A network that adds so much to what it sees."""

    description = "shining"
    batch = 1

    def run(self, inputs: Arrays) -> Arrays:
        return {"image": inputs["optical"] + np.float32(1e5)}


@pytest.fixture
def shining(monkeypatch: pytest.MonkeyPatch) -> None:
    card = read_card(find_model(DEFAULT_MODEL))
    monkeypatch.setattr(remove, "load_model", lambda *_: Model(card, Shining()))


def _command(place: Path, output: Path, *more: str) -> list[str]:
    given = {"--s1": place / "s1.tif", "--s2": place / "s2_cloudy.tif", "-o": output,
             "--mask": place / "truth_mask.tif"}  # fmt: skip
    return ["remove", *(str(word) for pair in given.items() for word in pair), *more]


@pytest.mark.usefixtures("shining")
def test_a_model_that_adds_100000_gives_no_result(place: Path, tmp_path: Path) -> None:
    words = _command(place, tmp_path / "a.tif", "--fill-by", "network", "--json")
    ran = CliRunner().invoke(group, words)
    assert ran.exit_code == 4
    assert json.loads(ran.stdout)["error"]["code"] == "broken_result"
    assert not list(tmp_path.iterdir())


def _alternate(rows: OutputRows) -> None:
    height, width = rows.filled.shape
    parity = np.add.outer(np.arange(height), np.arange(width)) % 2 == 1
    rows.pixels[:, rows.filled & parity] += 300


def _step(rows: OutputRows) -> None:
    if rows.window.row >= 128:
        rows.pixels[:, rows.filled] += 800


def _swap(rows: OutputRows) -> None:
    order = [0, 7, 2, 11, 4, 5, 6, 1, 8, 9, 10, 3, 12]
    rows.pixels[:, rows.filled] = rows.pixels[order][:, rows.filled]


def _brighten(rows: OutputRows) -> None:
    rows.pixels[:, rows.filled] += 2000


@pytest.mark.parametrize(
    ("damage", "code"),
    [(_alternate, "weave"), (_step, "seam"), (_swap, "colour_cast"), (_brighten, "unlike_radar")],
)
def test_a_doubtful_result_is_written_and_told(
    place: Path,
    tmp_path: Path,
    damaged: Callable[[Damage], None],
    damage: Damage,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    damaged(damage)
    result = _remove(place, tmp_path / "a.tif")
    assert code in _codes(result)
    assert result.exit_code == 0
    for one in result.findings:
        assert one.measured > one.limit
        assert one.message in caplog.messages
        assert one.message in result.warnings
    with rasterio.open(result.output) as dataset:
        tags = dataset.tags()
    assert tags[AUDIT].split() == _codes(result)
    assert result.findings[0].message in tags["CLOUDFREE_WARNINGS"]


def test_a_mask_of_clear_ground_that_takes_most_of_a_scene_is_doubted(
    place: Path, tmp_path: Path
) -> None:
    """What it hides is filled well, and is no cloud."""
    with rasterio.open(place / "truth_mask.tif") as dataset:
        mask, profile = np.zeros_like(dataset.read()), dataset.profile
    mask[:, 40:, 60:] = 1
    with rasterio.open(tmp_path / "mask.tif", "w", **profile) as dataset:
        dataset.write(mask)
    result = _remove(
        place, tmp_path / "a.tif", s2=place / "s2_clear.tif", mask=tmp_path / "mask.tif"
    )
    assert "large_mask" in _codes(result)
    assert result.findings[0].measured > 0.6


def test_strict_has_an_exit_code_of_its_own(
    place: Path, tmp_path: Path, damaged: Callable[[Damage], None]
) -> None:
    damaged(_alternate)
    words = _command(place, tmp_path / "a.tif", "--fill-by", "scene", "--json")
    ran = CliRunner().invoke(group, [*words, "--strict"])
    assert ran.exit_code == 5
    found = json.loads(ran.stdout)["findings"]
    assert "weave" in [one["code"] for one in found]
    assert found[0].keys() == {"code", "message", "measured", "limit"}
    assert (tmp_path / "a.tif").exists()
