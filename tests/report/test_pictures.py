"""What reflectance, radar, masks and errors look like: laws and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.mask_classes import (
    FILE_CLASSES,
    FILL_COLOURS,
    MASK_COLOURS,
    FillClass,
)
from cloudfree.report.pictures import (
    ERROR_COLOURS,
    LARGEST_ERROR,
    LEAST_SPAN,
    SMALL_PX,
    THIN_PX,
    Picture,
    Stretch,
    error_colours,
    fill_colours,
    fill_legend,
    mask_colours,
    outline,
    radar_colours,
    stretch_of,
)

reflectances = st.floats(-0.5, 3.0, width=32)


def ground(seed: int, height: int = 30, width: int = 40) -> np.ndarray:
    low, high = np.float32([[0.03, 0.05, 0.08], [0.3, 0.25, 0.2]])[:, :, None, None]
    noise = np.random.default_rng(seed).uniform(0, 1, (3, height, width))
    return (low + noise * (high - low)).astype(np.float32)


def pixel(red: float, green: float, blue: float) -> np.ndarray:
    return np.reshape(np.float32([red, green, blue]), (3, 1, 1))


@given(darker=reflectances, brighter=reflectances)
def test_brighter_ground_is_never_shown_darker(darker, brighter):
    darker, brighter = sorted((darker, brighter))
    stretch = stretch_of(ground(0))
    dark, bright = (stretch.colours(pixel(v, v, v))[0, 0, :3] for v in (darker, brighter))
    assert (dark.astype(int) <= bright).all()


def test_the_ends_of_a_stretch_are_black_and_white_and_gamma_lifts_the_middle():
    stretch = Stretch((0.1,) * 3, (0.3,) * 3, gamma=1.3)
    levels = [stretch.colours(pixel(v, v, v))[0, 0, 0] for v in (0.0, 0.1, 0.2, 0.3, 9.0)]
    assert levels == [0, 0, round(255 * 0.5 ** (1 / 1.3)), 255, 255]


@given(band=st.integers(0, 2))
def test_a_pixel_without_data_in_any_band_is_black_and_transparent(band):
    image = ground(1)
    image[band, 3, 5] = np.nan
    picture = stretch_of(image).colours(image)
    assert picture[3, 5].tolist() == [0, 0, 0, 0]
    assert (np.delete(picture[..., 3].ravel(), 3 * 40 + 5) == 255).all()


def test_clouds_do_not_move_a_stretch_that_is_taken_from_clear_pixels():
    image = ground(2)
    clear = np.ones(image.shape[1:], bool)
    clear[:10] = False
    clouded = image.copy()
    clouded[:, :10] = 0.9
    assert stretch_of(clouded, clear) == stretch_of(image, clear)
    assert stretch_of(clouded) != stretch_of(image)


def test_a_scene_with_hardly_a_clear_pixel_is_stretched_by_all():
    image, clear = ground(3), np.zeros((30, 40), bool)
    clear[0, :5] = True
    assert stretch_of(image, clear) == stretch_of(image)


def test_the_stretch_begins_at_the_darkest_ground_of_each_colour():
    image = ground(4)
    assert stretch_of(image).low == pytest.approx(np.percentile(image, 2, axis=(1, 2)), rel=1e-5)


def test_even_ground_is_not_stretched_to_noise():
    stretch = stretch_of(np.full((3, 8, 8), 0.05, np.float32))
    assert np.subtract(stretch.high, stretch.low) == pytest.approx([LEAST_SPAN] * 3)


def test_a_scene_without_data_still_has_a_picture():
    nothing = np.full((3, 4, 4), np.nan, np.float32)
    assert not stretch_of(nothing).colours(nothing).any()


def test_radar_of_one_polarisation_is_grey_from_its_own_low_end_to_its_high_end():
    for bands, (low, high) in ((("VV",), (-22, 0)), (("VH",), (-28, -6))):
        pixels = radar_colours(np.float32([[[low, (low + high) / 2, high]]]), bands)[0]
        assert pixels[:, :3].tolist() == [[0] * 3, [128] * 3, [255] * 3]


def test_radar_shows_water_dark_and_a_town_bright():
    water, town = (
        radar_colours(np.float32([[[vv]], [[vh]]]))[0, 0] for vv, vh in ((-21, -27), (-1, -7))
    )
    assert water[:2].max() < 20
    assert town[:2].min() > 235
    assert radar_colours(np.full((2, 1, 1), np.nan, np.float32)).tolist() == [[[0, 0, 0, 0]]]


@pytest.mark.parametrize("value", FILE_CLASSES)
def test_a_mask_has_the_colours_of_its_classes(value):
    picture = mask_colours(np.full((1, 1), value, np.uint8))
    assert picture.tolist() == [[[*MASK_COLOURS[value], 255]]]


def test_the_mask_of_filled_pixels_shows_them():
    picture = fill_colours(np.uint8([[0, 1, 2, 255]]))
    assert picture[0, 1].tolist() == [*FILL_COLOURS[FillClass.FILLED], 255]
    assert picture[0, 2].tolist() == [*FILL_COLOURS[FillClass.UNFILLED], 255]
    assert picture[0, :, 3].tolist() == [255, 255, 255, 0]


@pytest.mark.parametrize(("error", "colour"), [(0, ERROR_COLOURS[0]), (0.5, ERROR_COLOURS[-1])])
def test_the_ends_of_the_error_colours(error, colour):
    truth = np.full((4, 1, 1), 0.2, np.float32)
    assert error_colours(truth, truth + np.float32(error))[0, 0].tolist() == [*colour, 255]


@given(first=st.floats(0, LARGEST_ERROR), second=st.floats(0, LARGEST_ERROR))
def test_a_larger_error_is_never_less_red(first, second):
    small, large = sorted((first, second))
    truth = np.zeros((2, 1, 1), np.float32)
    red = [int(error_colours(truth, truth - np.float32(e))[0, 0, 0]) for e in (small, large)]
    assert red[0] <= red[1]


def test_an_error_without_truth_is_transparent():
    truth = np.full((2, 1, 1), np.nan, np.float32)
    assert error_colours(truth, np.zeros_like(truth)).tolist() == [[[0, 0, 0, 0]]]


def test_the_outline_is_the_rim_of_the_region():
    region = np.zeros((7, 7), bool)
    region[1:6, 1:6] = True
    drawn = outline(region)[..., 3] == 255
    assert drawn.sum() == 16
    assert not drawn[2:5, 2:5].any()


def test_the_edge_of_the_picture_is_no_border():
    assert not outline(np.ones((5, 5), bool)).any()


def test_a_large_picture_has_a_thicker_line():
    region = np.zeros((3, THIN_PX + 1), bool)
    region[:, 100:200] = True
    assert (outline(region)[1, :, 3] == 255).sum() == 4


@pytest.mark.parametrize(("height", "small"), [(1, True), (SMALL_PX // 512, True), (513, False)])
def test_a_picture_is_small_while_its_pixels_can_be_seen(height: int, small: bool) -> None:
    assert Picture("after", "After", "", np.zeros((height, 512, 4), np.uint8)).small is small


@pytest.mark.parametrize(
    ("other", "network"),
    [
        (FillClass.UNFILLED, "filled"),
        (FillClass.FILLED_BY_SCENE, "filled by the network"),
        (FillClass.REFERENCE_8, "filled by the network"),
    ],
)
def test_the_legend_names_the_network_where_something_else_fills(
    other: FillClass, network: str
) -> None:
    mask = np.array([[FillClass.ORIGINAL, FillClass.FILLED, other, FillClass.NODATA]], np.uint8)
    legend = fill_legend(mask)
    assert list(legend) == ["original", network, other.label]
    assert legend[other.label] == FILL_COLOURS[other]
