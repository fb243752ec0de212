"""What a network of several dates is shown of a scene's references."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine

from cloudfree.commands.input_files import InputFiles
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.made_masks import made_masks
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.references.open_references import open_references
from cloudfree.commands.remove.references.shown_dates import ShownDates, shown_dates
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.terminal import silent
from cloudfree.inference.date_series import day_number
from cloudfree.inference.model import TileInputs
from cloudfree.inference.model_card import ModelCard
from cloudfree.sentinel1.sar_source import open_sar_source
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.dates_of_a_place import SIDE, write_date
from tests.factories.rasters import TEN_METRES, write_radar
from tests.inference.test_model import CARD

MIDDLE, RIGHT = (slice(None), slice(40, 80)), (slice(None), slice(100, 128))
WHOLE, TILE = Window(0, 0, SIDE, SIDE), Window(32, 64, 64, 64)
SEVERAL = replace(CARD, dates="one or several")
Shower = Callable[..., ShownDates | None]


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Shower]:
    """What is shown beside a scene of 5 June, whose radar is of 7 June, without any shift."""
    with ExitStack() as stack:
        masks = stack.enter_context(made_masks())

        def show(
            *paths: Path, card: ModelCard = SEVERAL, today: str = "today_20220605.tif", **more: Any
        ) -> ShownDates | None:
            path = write_date(tmp_path / today, MIDDLE)
            given = {"references": paths, "shift": "none", "max_gap": 10, **more}
            options = RemoveOptions(s2=path, **given)
            optical = stack.enter_context(OpticalScene(path, 0.0))
            mask = stack.enter_context(masks.open(optical, options.mask_settings, silent))
            chosen = open_references(
                options, CloudyScene(optical, mask), masks, InputFiles(), stack, silent
            )
            radar = write_radar(tmp_path / "today_s1_20220607.tif", SIDE, SIDE)
            sar = stack.enter_context(open_sar_source(radar))
            return shown_dates(card, optical, sar, chosen.references)

        yield show


def _tile(window: Window) -> TileInputs:
    size = (window.height, window.width)
    return TileInputs(np.full((13, *size), 0.5, np.float32), np.full((2, *size), -9.0, np.float32))


def _beside(found: ShownDates | None, window: Window = WHOLE) -> TileInputs:
    assert found is not None
    return found.beside(_tile(window), window)


def test_references_are_shown_in_order_of_time_with_their_clouds(
    tmp_path: Path, shown: Shower
) -> None:
    near = write_date(tmp_path / "s2_20220604.tif", RIGHT)
    early = write_date(tmp_path / "s2_20220520.tif", (slice(None), slice(0, 10)))
    late = write_date(tmp_path / "s2_20220625.tif")
    found = shown(near, late, early)
    assert found is not None
    assert [one.path for one in found.references] == [early, near, late]
    tile = _beside(found, TILE)
    assert np.array_equal(tile.dates[0].optical, _tile(TILE).optical), "the tile itself is first"
    for other, path in zip(tile.others, (early, near, late), strict=True):
        with OpticalScene(path, 0.0) as optical:
            np.testing.assert_array_equal(other.optical, optical.reflectance(OPTICAL_BANDS, TILE))
    assert tile.others[1].optical[1, :, 40:].min() > 0.4, "cloud"


def test_days_count_from_the_tile_and_are_those_of_both_sensors(
    tmp_path: Path, shown: Shower
) -> None:
    paths = [write_date(tmp_path / f"s2_{day}.tif") for day in ("20220520", "20220604")]
    radar = write_radar(tmp_path / "s1_20220518.tif", SIDE, SIDE)
    tile = _beside(shown(*paths, reference_s1=(radar,)))
    # The mean of 5 and 7 June, of 18 and 20 May, and 4 June by itself.
    assert tile.day == day_number(date(2022, 6, 6))
    assert [one.days for one in tile.others] == [-18, -2]


def test_a_reference_has_its_own_radar_or_none(tmp_path: Path, shown: Shower) -> None:
    paths = [write_date(tmp_path / f"s2_{day}.tif") for day in ("20220520", "20220604")]
    radar = write_radar(tmp_path / "s1_20220518.tif", SIDE, SIDE)
    first, second = _beside(shown(*paths, reference_s1=(radar,)), TILE).others
    with open_sar_source(radar) as sar:
        np.testing.assert_array_equal(first.sar, sar.on_grid(sar.grid, TILE))
    assert second.sar is None


def test_where_its_radar_ends_a_reference_has_that_of_the_tile(
    tmp_path: Path, shown: Shower
) -> None:
    radar = write_radar(tmp_path / "s1_20220518.tif", SIDE, 50)
    found = shown(write_date(tmp_path / "s2_20220520.tif"), reference_s1=(radar,))
    (whole,), beyond = _beside(found).others, _beside(found, TILE)
    assert np.isnan(whole.sar[:, :, 50:]).all() and np.isfinite(whole.sar[:, :, :50]).all()
    assert beyond.others[0].sar is None
    assert beyond.dates[1].sar is beyond.sar


def test_a_network_without_radar_gets_none_and_counts_optical_days(
    tmp_path: Path, shown: Shower
) -> None:
    card = replace(SEVERAL, inputs=("optical",), sar_bands=())
    radar = write_radar(tmp_path / "s1_20220518.tif", SIDE, SIDE)
    path = write_date(tmp_path / "s2_20220520.tif")
    (other,) = _beside(shown(path, card=card, reference_s1=(radar,))).others
    assert (other.sar, other.days) == (None, -16)


def test_ground_that_a_reference_lacks_is_nan(tmp_path: Path, shown: Shower) -> None:
    east = TEN_METRES @ Affine.translation(20, 0)
    path = write_date(tmp_path / "s2_20220604.tif", transform=east)
    (other,) = _beside(shown(path)).others
    assert np.isnan(other.optical[:, :, :20]).all()
    with OpticalScene(path, 0.0) as optical:
        seen = optical.reflectance(OPTICAL_BANDS, Window(0, 0, SIDE, SIDE - 20))
    np.testing.assert_array_equal(other.optical[:, :, 20:], seen)


def test_a_shift_is_taken_back(tmp_path: Path, shown: Shower) -> None:
    moved = write_date(tmp_path / "s2_20220604.tif", moved=(2.0, -1.0))
    still = write_date(tmp_path / "still.tif")
    (other,) = _beside(shown(moved, shift="auto")).others
    inside = (slice(None), slice(6, -6), slice(6, -6))
    with OpticalScene(still, 0.0) as optical:
        expected = optical.reflectance(OPTICAL_BANDS, WHOLE)
    error = np.abs(other.optical[inside] - expected[inside]).mean()
    assert error < 0.1 * expected[inside].std(axis=(1, 2)).mean()


def test_references_without_its_bands_or_a_day_are_not_shown_and_logged(
    tmp_path: Path, shown: Shower, caplog: pytest.LogCaptureFixture
) -> None:
    good = write_date(tmp_path / "s2_20220520.tif")
    few = write_date(tmp_path / "s2_20220604.tif", bands=OPTICAL_BANDS[:-1])
    undated = write_date(tmp_path / "undated.tif")
    with caplog.at_level(logging.INFO, "cloudfree"):
        found = shown(good, few, undated)
    assert found is not None
    assert [one.path for one in found.references] == [good]
    assert "reference 1 is not shown to model toy: it has no band B12" in caplog.text
    assert "reference 3 is not shown to model toy: its days from the scene are unk" in caplog.text
    assert "model toy is shown, beside the scene, references 2" in caplog.text


def test_without_a_day_of_the_scene_none_is_shown(tmp_path: Path, shown: Shower) -> None:
    path = write_date(tmp_path / "s2_20220604.tif")
    assert shown(path, today="today.tif") is None


def test_a_network_of_one_date_is_shown_none(tmp_path: Path, shown: Shower) -> None:
    path = write_date(tmp_path / "s2_20220604.tif")
    assert shown(path, card=CARD) is None
    assert shown(path) is not None
