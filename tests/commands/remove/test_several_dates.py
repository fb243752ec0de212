"""`remove --reference` with a network that sees several dates at once, and with one that does not.

Scenes are of 5 June; the network answers one reflectance, or keeps what it is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rasterio

from cloudfree.commands.remove import run as remove
from cloudfree.commands.remove.run import RemoveOptions, RemoveResult, run
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import FillClass
from cloudfree.core.terminal import silent
from cloudfree.inference.date_series import DATES, day_number
from cloudfree.inference.model import Arrays, Model
from cloudfree.inference.model_card import ModelCard
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.checkpoints import save_checkpoint
from tests.factories.dates_of_a_place import SIDE, write_date
from tests.factories.rasters import write_radar
from tests.factories.readiness import OneAtATime
from tests.inference.test_model import CARD

MIDDLE, RIGHT = (slice(None), slice(40, 80)), (slice(None), slice(100, 128))
SEVERAL = replace(CARD, dates="one or several", tile=SIDE, overlap=0)
ONE = replace(SEVERAL, dates="one")
# What the known network answers everywhere, as a digital number.
ANSWER = 2000


class Known(OneAtATime):
    """Answers one reflectance for each tile and keeps its inputs."""

    description, batch = "known", 1

    def __init__(self) -> None:
        self.seen: list[Arrays] = []

    def run(self, inputs: Arrays) -> Arrays:
        self.seen.append(inputs)
        optical = inputs["optical"]
        tile = optical[:, 0] if optical.ndim == 5 else optical
        return {"image": np.full_like(tile, 2 * ANSWER / 10_000)}  # the scale of the card is 2


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene under a cloud with its radar, and other dates; masks are made once for all tests."""
    folder = tmp_path_factory.mktemp("place")
    write_date(folder / "s2_20220605.tif", MIDDLE)
    write_radar(folder / "s1_20220605.tif", SIDE, SIDE)
    write_date(folder / "s2_20220604.tif", RIGHT)
    write_date(folder / "s2_20220520.tif")
    for name in ("s2_20220601.tif", "undated.tif"):
        write_date(folder / name, (slice(None), slice(50, 128)))
    (folder / "masks").mkdir()
    return folder


# Together they show all that is hidden; the others leave a gap.
CLEAR = ("s2_20220604.tif", "s2_20220520.tif")
PARTLY, UNDATED = ("s2_20220601.tif",), ("undated.tif",)
Remove = Callable[..., RemoveResult]


@pytest.fixture
def removed(place: Path, tmp_path: Path) -> Remove:
    """Fills the scene from other dates."""

    def remove_clouds(*references: str, name: str = "out.tif", **options: Any) -> RemoveResult:
        given: dict[str, Any] = {
            "s1": (place / "s1_20220605.tif",), "s2": place / "s2_20220605.tif",
            "output": tmp_path / name, "masks": place / "masks", "shift": "none",
            "references": tuple(place / one for one in references),
        }  # fmt: skip
        return run(RemoveOptions(**{**given, **options}), silent)

    return remove_clouds


def _use(monkeypatch: pytest.MonkeyPatch, card: ModelCard) -> Known:
    known = Known()
    monkeypatch.setattr(remove, "find_card", lambda *_: SimpleNamespace(card=card))
    monkeypatch.setattr(remove, "load_model", lambda *_: Model(card, known))
    return known


def _read(path: Path | None) -> np.ndarray:
    assert path is not None
    with rasterio.open(path) as dataset:
        return dataset.read()


def test_the_network_sees_the_scene_and_then_its_references_in_order_of_time(
    place: Path, removed: Remove, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = _use(monkeypatch, SEVERAL)
    removed(*CLEAR)
    (inputs,) = known.seen
    first = day_number(date(2022, 6, 5))
    assert inputs[DATES].tolist() == [[first, first - 16, first - 1]]
    for number, day in enumerate(("20220605", "20220520", "20220604")):
        with OpticalScene(place / f"s2_{day}.tif", 0.0) as optical:
            acquired = optical.reflectance(OPTICAL_BANDS, optical.grid.window)
        expected = SEVERAL.optical_scaling.forward(acquired)
        np.testing.assert_array_equal(inputs["optical"][0, number], expected)
        np.testing.assert_array_equal(inputs["sar"][0, number], inputs["sar"][0, 0])


def test_every_tile_with_a_cloud_sees_as_many_dates(
    removed: Remove, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = _use(monkeypatch, SEVERAL)
    removed(*CLEAR, tile=32)
    assert {inputs["optical"].shape for inputs in known.seen} == {(1, 3, 13, 32, 32)}
    assert 8 <= len(known.seen) < 16, "the cloud reaches over two or three columns of four"


@pytest.mark.parametrize(("psnr", "share"), [(90.0, 1.0), (5.0, 0.0)])
def test_it_is_weighed_by_the_score_of_its_card(
    place: Path, removed: Remove, monkeypatch: pytest.MonkeyPatch, psnr: float, share: float
) -> None:
    _use(monkeypatch, replace(SEVERAL, scores={"psnr": psnr}))
    result = removed(*CLEAR)
    filled, truth = (
        _read(path)[7, :, 50:70].astype(float) for path in (result.output, place / CLEAR[1])
    )
    assert np.abs(filled - (share * ANSWER + (1 - share) * truth)).mean() < 60
    by = _read(result.filled)[0, :, 50:70]
    assert (by == FillClass.FILLED).all() == (share == 1.0)


def test_a_network_of_one_date_is_shown_no_reference(
    removed: Remove, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = _use(monkeypatch, ONE)
    assert removed(*CLEAR).model is None
    assert not known.seen, "references leave no gap"
    removed(*PARTLY, name="gaps.tif")
    assert {inputs["optical"].ndim for inputs in known.seen} == {4}
    assert all(DATES not in inputs for inputs in known.seen)


def test_without_a_date_to_show_it_fills_as_a_network_of_one_date(
    removed: Remove, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for name, card in (("one.tif", ONE), ("several.tif", SEVERAL)):
        known = _use(monkeypatch, card)
        results.append(removed(*UNDATED, name=name, uncertainty=True))
        assert {inputs["optical"].ndim for inputs in known.seen} == {4}
    one, several = results
    assert np.array_equal(_read(one.output), _read(several.output))
    assert np.array_equal(_read(one.filled), _read(several.filled))
    assert np.array_equal(_read(one.uncertainty), _read(several.uncertainty))


@pytest.mark.parametrize(("references", "which"), [(PARTLY, "all"), ((), "clouds")], ids=str)
def test_where_all_is_replaced_and_without_references_it_sees_one_date(
    removed: Remove, monkeypatch: pytest.MonkeyPatch, references: tuple[str, ...], which: str
) -> None:
    known = _use(monkeypatch, SEVERAL)
    removed(*references, replace=which)
    assert {inputs["optical"].ndim for inputs in known.seen} == {4}


def test_a_network_that_does_not_fill_all_bands_is_not_used(
    removed: Remove, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = _use(monkeypatch, replace(SEVERAL, output_bands=OPTICAL_BANDS[:-1]))
    assert removed(*CLEAR).model is None
    assert not known.seen


def test_a_published_network_of_several_dates_fills_and_says_how_sure_it_is(
    removed: Remove, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = save_checkpoint(tmp_path, "uncrtaints", width=128, blocks=1, multi_date=True)
    with caplog.at_level(logging.INFO, "cloudfree"):
        result = removed(*CLEAR, model=str(weights), tile=64, overlap=16, uncertainty=True)
    assert "model uncrtaints is shown, beside the scene, references 2, 1" in caplog.text
    hidden = _read(result.filled)[0] != FillClass.ORIGINAL
    assert result.model == "uncrtaints"
    assert result.unfilled_fraction == 0
    assert (_read(result.uncertainty)[:, hidden] > 0).all()
