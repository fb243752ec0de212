"""Fields grow and change in the months before a scene; other ground does not."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.simulation.crop_calendar import CropCalendar, draw_calendar, land_before
from cloudfree.simulation.cropland import Cropland, cropland_of
from cloudfree.simulation.land_cover import Landscape, number
from cloudfree.simulation.scene import draw_landscape

DAYS = st.floats(0, 180)
LAYERS = tuple(field.name for field in fields(Landscape))


@pytest.fixture(scope="module")
def land() -> Landscape:
    return draw_landscape((300, 320), 40, np.random.default_rng(0))


@pytest.fixture(scope="module")
def calendar(land: Landscape) -> CropCalendar:
    return draw_calendar(cropland_of(land), np.random.default_rng(1))


def _alike(canopy: float, *, stubble: bool = False) -> Cropland:
    """A thousand fields of one canopy."""
    many = np.ones(1000, np.float32)
    return Cropland(
        field=np.arange(1000).reshape(1, -1),
        is_field=many > 0,
        canopy=canopy * many,
        stubble=np.full(1000, stubble),
        brightness=many,
        backscatter_offset_db=0 * many,
    )


# ------------------------------------------------------------------------------ what stays


@given(days=DAYS, moisture=st.floats(-3, 3))
def test_woods_towns_roads_and_water_stay_the_same(
    land: Landscape, calendar: CropCalendar, days: float, moisture: float
) -> None:
    before, other = land_before(land, calendar, days, moisture), land.parcel == 0
    assert not calendar.changed(days)[other].any()
    for name in LAYERS:
        assert np.array_equal(getattr(before, name)[other], getattr(land, name)[other]), name


@given(days=DAYS)
def test_fields_that_have_not_changed_differ_in_growth_alone(
    land: Landscape, calendar: CropCalendar, days: float
) -> None:
    before, same = land_before(land, calendar, days, 0.0), ~calendar.changed(days)
    for name in set(LAYERS) - {"green"}:
        assert np.array_equal(getattr(before, name)[same], getattr(land, name)[same]), name
    assert (before.green[same] <= land.green[same]).all()


def test_no_day_before_the_scene_is_the_scene(land: Landscape, calendar: CropCalendar) -> None:
    before = land_before(land, calendar, 0.0, 0.0)
    for name in LAYERS:
        assert np.array_equal(getattr(before, name), getattr(land, name)), name
        assert getattr(before, name).dtype == getattr(land, name).dtype, name


# ------------------------------------------------------------------------------ what changes


@given(one=DAYS, other=DAYS)
def test_what_has_changed_since_a_day_has_changed_since_earlier_days(
    calendar: CropCalendar, one: float, other: float
) -> None:
    late, early = sorted((one, other))
    assert (calendar.changed(early) | ~calendar.changed(late)).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_tenth_to_a_fifth_of_the_fields_change_in_a_month(land: Landscape, seed: int) -> None:
    calendar = draw_calendar(cropland_of(land), np.random.default_rng(seed))
    assert 0.10 < calendar.changed(30)[land.parcel > 0].mean() < 0.20
    assert calendar.changed(175)[land.parcel > 0].mean() < 0.70


@given(days=DAYS)
def test_earlier_ground_is_possible(land: Landscape, calendar: CropCalendar, days: float) -> None:
    before = land_before(land, calendar, days, 1.0)
    assert before.green.min() >= 0
    assert before.green.max() <= 1
    assert before.brightness.min() > 0
    assert np.isfinite(before.backscatter_offset_db).all()


def test_a_changed_field_looks_other_than_in_the_scene(
    land: Landscape, calendar: CropCalendar
) -> None:
    before, changed = land_before(land, calendar, 60.0, 0.0), calendar.changed(60)
    assert np.abs(before.green - land.green)[changed].mean() > 0.3
    assert np.abs(before.backscatter_offset_db - land.backscatter_offset_db)[changed].mean() > 1.0


def test_moist_soil_is_darker_and_louder(land: Landscape, calendar: CropCalendar) -> None:
    dry, wet = (land_before(land, calendar, 20.0, moisture) for moisture in (-1.0, 1.0))
    bare = (land.parcel > 0) & (dry.green < 0.1)
    assert (wet.brightness < dry.brightness)[bare].all()
    assert (wet.backscatter_offset_db > dry.backscatter_offset_db)[bare].all()
    assert np.array_equal(wet.green, dry.green)


# ------------------------------------------------------------------------------ the rules


def test_stubble_was_a_tall_crop() -> None:
    calendar = draw_calendar(_alike(0.0, stubble=True), np.random.default_rng(0))
    assert np.isfinite(calendar.changed_days).all()
    assert (calendar.canopy > 0.7).all()
    assert not calendar.stubble.any()


def test_other_bare_soil_was_stubble_or_a_crop() -> None:
    calendar = draw_calendar(_alike(0.0), np.random.default_rng(0))
    assert np.isfinite(calendar.changed_days).all()
    assert 0.4 < calendar.stubble.mean() < 0.6
    assert ((calendar.canopy > 0.7) == ~calendar.stubble).all()


def test_a_tall_crop_was_sown_long_ago_or_not_at_all() -> None:
    calendar = draw_calendar(_alike(0.9), np.random.default_rng(0))
    changes = np.isfinite(calendar.changed_days)
    assert np.array_equal(changes, calendar.sown)
    assert 0 < changes.mean() < 0.6
    assert (calendar.changed_days > 90).all()
    assert (calendar.canopy[changes] == 0).all()


def test_a_low_crop_was_mown_of_late_or_sown_before() -> None:
    calendar = draw_calendar(_alike(0.4), np.random.default_rng(0))
    assert np.isfinite(calendar.changed_days).all()
    mown = ~calendar.sown
    assert 0 < mown.mean() < 1
    assert calendar.changed_days[mown].max() < calendar.changed_days[calendar.sown].min()
    assert (calendar.canopy[mown] > 0.7).all()
    assert (calendar.canopy[calendar.sown] == 0).all()


@given(late=DAYS, days=st.floats(0, 30))
def test_crops_only_grow_and_begin_with_their_sowing(late: float, days: float) -> None:
    calendar = draw_calendar(_alike(0.3), np.random.default_rng(0))
    growth, before = calendar.growth(late), calendar.growth(late + days)
    assert (before <= growth).all()
    assert growth.min() >= 0
    assert growth.max() <= 1
    assert (growth[calendar.sown & (calendar.changed_days < late)] == 0).all()


def test_ploughed_stubble_comes_back_in_the_landscape(
    land: Landscape, calendar: CropCalendar
) -> None:
    at_once = replace(calendar, changed_days=np.zeros_like(calendar.changed_days) + 1)
    stubble = at_once.stubble[at_once.cropland.field] & (land.parcel > 0)
    before = land_before(land, at_once, 2.0, 0.0)
    assert stubble.any()
    assert (before.material[stubble] == number("stubble")).all()
    assert (before.green[stubble] == 0).all()
