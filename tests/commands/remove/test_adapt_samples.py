"""The clouds of a scene that are cut to be transplanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.cloudmask.shadow import ShadowProjection
from cloudfree.cloudmask.sun_geometry import NO_SUN, Sun
from cloudfree.commands.remove.adapt import (
    CLEAR_BANDS,
    MAX_HIDDEN,
    MIN_HIDDEN,
    WINDOW_PX,
    CloudMargin,
    _cloud_margin,
    far_from_clouds,
    find_transplants,
    is_haze_free,
)
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.displacement import NO_SHIFT
from cloudfree.core.mask_classes import MaskClass, is_cloud_or_shadow
from cloudfree.inference.model import Model
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.torch_runtime import TorchRuntime
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.paint import Paint
from tests.factories.rasters import CLOUD, FIELD, write_radar, write_raster


def _mask_with(value: MaskClass) -> np.ndarray:
    mask = np.zeros((41, 41), dtype=np.uint8)
    mask[20, 20] = value
    return mask


def _planes(spectrum: tuple[float, ...] = FIELD) -> dict[str, np.ndarray]:
    return {
        band: np.full((21, 21), value, dtype=np.float32)
        for band, value in zip(OPTICAL_BANDS, spectrum, strict=True)
    }


@given(st.integers(0, 8), st.sampled_from([MaskClass.CLOUD, MaskClass.SHADOW]))
def test_clouds_and_shadows_keep_all_within_the_margin_away(margin: int, what: MaskClass) -> None:
    kept = far_from_clouds(_mask_with(what), CloudMargin(margin, ShadowProjection()))
    rows, cols = np.mgrid[:41, :41]
    distance = np.hypot(rows - 20, cols - 20)
    assert not kept[distance <= margin - 0.5].any()
    assert kept[distance > margin + 1].all()


@given(st.integers(-12, 12), st.integers(-12, 12))
def test_all_the_way_of_a_shadow_is_kept_away_from(row: int, col: int) -> None:
    around = CloudMargin(1, ShadowProjection.between((0.0, 0.0), (row, col)))
    kept = far_from_clouds(_mask_with(MaskClass.CLOUD), around)
    for part in np.linspace(0, 1, 25):
        assert not kept[round(20 + part * row), round(20 + part * col)]
    assert kept.sum() > 41 * 41 - 150, "and the rest is left"


def test_a_shadow_throws_no_shadow() -> None:
    around = CloudMargin(0, ShadowProjection.between((0.0, 0.0), (0.0, 10.0)))
    assert far_from_clouds(_mask_with(MaskClass.SHADOW), around).sum() == 41 * 41 - 1


@pytest.mark.parametrize("value", [MaskClass.SNOW, MaskClass.NODATA])
def test_snow_and_nodata_are_not_known_but_disturb_nothing(value: MaskClass) -> None:
    assert (
        far_from_clouds(_mask_with(value), CloudMargin(5, ShadowProjection())).sum() == 41 * 41 - 1
    )


@given(st.integers(0, 9), st.integers(-30, 30), st.integers(-30, 30))
def test_the_halo_reaches_whatever_decides(margin: int, row: int, col: int) -> None:
    cast = ShadowProjection.between((0.0, 0.0), (row, col))
    assert CloudMargin(margin, cast).halo_px >= max(abs(row), abs(col)) + margin


@pytest.mark.parametrize(
    ("sun", "margin_px", "reach_px"),
    [
        (Sun(90.0, "fitted", (200.0, 500.0)), 10, 60),
        (Sun(90.0, "metadata", None), 10, 200),
        (NO_SUN, 10, 0),
        (None, 80, 0),
    ],
    ids=["known distance", "no distance", "no shadow shows", "unknown sun"],
)
def test_the_sun_of_the_mask_decides_how_far_clouds_reach(
    tmp_path: Path, sun: Sun | None, margin_px: int, reach_px: int
) -> None:
    path = write_raster(tmp_path / "l1c.tif", np.ones((13, 8, 8), np.uint16), OPTICAL_BANDS)
    with OpticalScene(path) as optical:
        around = _cloud_margin(sun, optical)
    moved = np.sum([around.projection.start, *around.projection.shifts], axis=0)
    assert around.margin_px == margin_px
    assert np.hypot(*moved) == pytest.approx(reach_px, abs=1.5)


def test_clear_ground_is_hazeless() -> None:
    assert is_haze_free(_planes()).all()


def test_cloud_is_not() -> None:
    assert not is_haze_free(_planes(CLOUD)).any()


@pytest.mark.parametrize(("band", "value"), [("B02", 0.15), ("B10", 0.006)], ids=["haze", "cirrus"])
def test_haze_shows_in_blue_and_cirrus_in_its_band(band: str, value: float) -> None:
    planes = _planes()
    planes[band][:, 10:] = value
    clean = is_haze_free(planes)
    assert clean[:, :6].all()
    assert not clean[:, 14:].any()


def test_without_a_cirrus_band_there_is_no_cirrus_test() -> None:
    planes = _planes()
    planes["B10"][:] = 0.006
    assert is_haze_free({band: planes[band] for band in CLEAR_BANDS}).all()


def test_pixels_without_data_are_not_hazeless() -> None:
    planes = _planes()
    for plane in planes.values():
        plane[:5] = np.nan
    clean = is_haze_free(planes)
    assert not clean[:5].any()
    assert clean[9:].all(), "and those farther away are"


SIDE = WINDOW_PX + 32


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[RemovalScene]:
    """Ground of one colour whose left half is cloud, under a network that paints."""
    numbers = np.full((13, SIDE, SIDE), 1500, np.uint16)
    numbers[:, :, : SIDE // 2] = 6000
    mask = np.zeros((1, SIDE, SIDE), np.uint8)
    mask[:, :, : SIDE // 2] = 1
    card = read_card(find_model(DEFAULT_MODEL))
    runtime = TorchRuntime(Paint(), card.inputs, torch.device("cpu"), torch.float32)
    with (
        OpticalScene(write_raster(tmp_path / "s2.tif", numbers, OPTICAL_BANDS), 0.0) as optical,
        SarScene(write_radar(tmp_path / "s1.tif", SIDE, SIDE)) as sar,
        MaskFile(write_raster(tmp_path / "m.tif", mask, ["mask"]), optical.grid) as file,
    ):
        yield RemovalScene(optical, file, sar, Model(card, runtime), NO_SHIFT)


def test_transplants_are_partly_cloud_and_the_same_for_a_seed(scene: RemovalScene) -> None:
    first, again = (find_transplants(scene, seed=3) for _ in range(2))
    assert first
    for one, other in zip(first, again, strict=True):
        assert MIN_HIDDEN <= is_cloud_or_shadow(one.mask).mean() <= MAX_HIDDEN
        assert one.mask.shape == (WINDOW_PX, WINDOW_PX)
        np.testing.assert_array_equal(one.light, other.light)


def test_without_a_mask_there_are_none(scene: RemovalScene) -> None:
    assert find_transplants(replace(scene, mask=None), seed=3) == ()


def test_a_model_that_predicts_other_bands_than_it_takes_has_none(scene: RemovalScene) -> None:
    card = replace(scene.model.card, output_bands=scene.model.card.optical_bands[:-1])
    assert find_transplants(replace(scene, model=replace(scene.model, card=card)), seed=3) == ()
