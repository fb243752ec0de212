from __future__ import annotations

import numpy as np

from cloudfree.commands.coregister.quicklook import LEGEND_PX, OUTLIER, USED, ArrowField, arrows

SCENE = np.full((300, 400, 4), 200, np.uint8)


def _field(weights: np.ndarray, offset: tuple[float, float] = (0.0, 1.0)) -> ArrowField:
    places = np.arange(20.0, 300, 40)[: len(weights)]
    return ArrowField(places, places, np.tile(offset, (len(weights), 1)), weights)


def _shown(picture: np.ndarray, colour: tuple[int, ...]) -> np.ndarray:
    return np.argwhere((picture[:-LEGEND_PX, :, :3] == colour[:3]).all(axis=-1))


def test_a_small_scene_is_enlarged_dimmed_and_given_a_legend() -> None:
    picture = arrows(SCENE, _field(np.ones(0)), 1.0)
    assert picture.shape == (600 + LEGEND_PX, 800, 4)
    assert (picture[:600, :, :3] == 120).all()
    assert (picture[-LEGEND_PX:, :, :3] == 255).all(axis=-1).any()
    assert not len(_shown(picture, USED))


def test_matches_and_outliers_have_their_colours() -> None:
    weights = np.array([1.0, 1.0, 0.0, 1.0])
    picture = arrows(SCENE, _field(weights), 1.0)
    assert len(_shown(picture, USED)) > 30
    assert len(_shown(picture, OUTLIER)) > 10


def test_an_arrow_starts_at_its_match_and_points_where_the_radar_shows_it() -> None:
    # One match at row and column 20, at 2 picture pixels each, whose offset is a row downwards.
    rows, cols = _shown(arrows(SCENE, _field(np.ones(1), (1.0, 0.0)), 1.0), USED).T
    assert abs(cols.mean() - 40) < 2
    assert abs(rows.min() - 40) < 6
    assert rows.max() > 70


def test_a_reduced_picture_puts_matches_where_they_lie_in_the_scene() -> None:
    rows, _ = _shown(arrows(SCENE, _field(np.ones(1), (1.0, 0.0)), 2.0), USED).T
    assert abs(rows.min() - 20) < 6
