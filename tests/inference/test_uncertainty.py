"""Uncertainty of a model: the variance of its network, or the spread over all D4 transforms."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.core.dihedral import DIHEDRAL_TRANSFORMS
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ModelError
from cloudfree.inference import uncertainty
from cloudfree.inference.date_series import OtherDate
from cloudfree.inference.model import Arrays, Model, TileInputs
from cloudfree.inference.uncertainty import ErrorModel, uncalibrated
from tests.factories.readiness import OneAtATime
from tests.inference.test_model import CARD


def test_variances_add_up_band_by_band():
    model = ErrorModel(floor=(0.03, 0.0), share=(0.2, 0.0), scale=(0.0, 4.0))
    image, spread = np.full((2, 1, 1), 0.2, np.float32), np.full((2, 1, 1), 1e-4, np.float32)
    deviations = np.sqrt(model.variance(image, spread))[:, 0, 0]
    assert deviations == pytest.approx([0.05, 0.04])


def test_a_dark_pixel_that_is_predicted_below_zero_has_a_deviation_too():
    model = ErrorModel((0.0,), (0.5,), (0.0,))
    assert np.sqrt(model.variance(np.float32([[-0.1]]), np.zeros((1, 1), np.float32))) == (
        pytest.approx(0.05)
    )


def test_uncalibrated_means_the_bare_spread():
    spread = np.random.default_rng(0).random((3, 4, 5), dtype=np.float32)
    assert np.array_equal(uncalibrated(3).variance(spread + 1, spread), spread)


def test_what_a_card_says_is_read_back():
    model = ErrorModel((0.1, 0.2), (0.0, 0.3), (1.5, 2.0))
    assert ErrorModel.from_card(model.entries) == model


SIZES = st.integers(1, 20)


class Network(OneAtATime):
    """Applies a function to the optical input; tells a variance where it has one."""

    description = "known"
    batch = 2

    def __init__(self, function, variance: float | None = None) -> None:
        self.function, self.variance, self.runs = function, variance, 0

    def run(self, inputs: Arrays) -> Arrays:
        self.runs += 1
        image = self.function(inputs["optical"])
        variance = {} if self.variance is None else {"variance": np.full_like(image, self.variance)}
        return {"image": image, **variance}


def _tile(height: int, width: int, seed: int = 0) -> TileInputs:
    rng = np.random.default_rng(seed)
    sar = rng.uniform(-25, 0, (2, height, width)).astype(np.float32)
    return TileInputs(rng.random((13, height, width), dtype=np.float32), sar)


def _ramp(optical: Float32) -> Float32:
    """A network with a sense of direction: brighter from left to right."""
    columns = np.arange(optical.shape[-1], dtype=np.float32) / 100
    return np.broadcast_to(columns, optical.shape).copy()


@settings(max_examples=20)
@given(SIZES, SIZES)
def test_a_network_without_a_sense_of_direction_has_no_spread(height, width):
    tiles = [_tile(height, width, seed) for seed in range(2)]
    model = Model(CARD, Network(lambda optical: 1 - optical))
    for tile, prediction in zip(
        tiles, uncertainty.TestTimeAugmentation(model).predict(tiles), strict=True
    ):
        image, variance = prediction.mean, prediction.variance
        assert np.array_equal(image, model.predict([tile])[0])
        assert variance.max() < 1e-12


def test_the_spread_is_the_variance_of_eight_turns_and_the_image_that_of_none():
    card = dataclasses.replace(CARD, multiple=1)
    model, tile = Model(card, Network(_ramp)), _tile(8, 8)
    predictions = [turn.inverse(_predicted(model, tile, turn)) for turn in DIHEDRAL_TRANSFORMS]
    (found,) = uncertainty.TestTimeAugmentation(model).predict([tile])
    assert np.array_equal(found.mean, predictions[0])
    assert np.allclose(found.variance, np.var(predictions, axis=0), atol=1e-9)
    assert found.variance.max() > 1e-5


def test_the_shadows_of_a_tile_are_turned_with_it():
    card = dataclasses.replace(CARD, multiple=1, inputs=("optical", "sar", "shadow"))
    seen = []

    class Listening(Network):
        def run(self, inputs):
            seen.append((inputs["optical"][0, 0], inputs["shadow"][0, 0]))
            return super().run(inputs)

    tile = _tile(8, 8)
    bright = tile.optical[0] > 0.5
    turned = dataclasses.replace(tile, shadow=bright)
    uncertainty.TestTimeAugmentation(Model(card, Listening(_ramp))).predict([turned])
    assert len(seen) == 8
    assert all(np.array_equal(shadow, optical / 2 > 0.5) for optical, shadow in seen)


def test_the_other_dates_of_a_tile_are_turned_with_it():
    card = dataclasses.replace(CARD, multiple=1, dates="one or several")
    seen = []

    class Listening(Network):
        def run(self, inputs):
            seen.append(inputs)
            return super().run({"optical": inputs["optical"][:, 0]})

    tile = _tile(8, 8)
    dated = tile.with_others(date(2020, 1, 1), [OtherDate(tile.optical, 4.0, tile.sar)])
    uncertainty.TestTimeAugmentation(Model(card, Listening(_ramp))).predict([dated])
    assert len(seen) == 8
    for inputs in seen:
        assert np.ptp(inputs["dates"]) == 4.0
        for name in ("optical", "sar"):
            assert np.array_equal(inputs[name][:, 0], inputs[name][:, 1])


def _predicted(model, tile, turn):
    return model.predict([TileInputs(turn.apply(tile.optical), turn.apply(tile.sar))])[0]


def test_a_predicted_variance_comes_back_in_the_square_of_reflectance_and_at_one_run():
    # The scale of the card is twice the reflectance.
    network = Network(lambda optical: optical, variance=0.04)
    spread = uncertainty.TestTimeAugmentation(Model(CARD, network))
    variance = spread.predict([_tile(9, 5)])[0].variance
    assert variance.shape == (13, 9, 5)
    assert np.allclose(variance, 0.01)
    assert (network.runs, spread.source) == (1, "network")


def test_a_card_can_choose_flips_for_a_network_that_predicts_variance():
    network = Network(lambda optical: optical, variance=0.04)
    spread = uncertainty.TestTimeAugmentation(Model(CARD, network), "flips")
    assert spread.predict([_tile(8, 8)])[0].variance.max() < 1e-12
    assert (network.runs, spread.source) == (8, "flips")


def test_where_nothing_is_predicted_there_is_no_variance():
    tile = _tile(8, 8)
    tile.sar[:, 2, 3] = np.nan
    for network in (Network(lambda x: x), Network(lambda x: x, variance=0.04)):
        prediction = uncertainty.TestTimeAugmentation(Model(CARD, network)).predict([tile])[0]
        for pixels in (prediction.mean, prediction.variance):
            missing = np.isnan(pixels)
            assert missing[:, 2, 3].all()
            assert missing.sum() == 13


def test_a_network_that_lacks_its_variance_is_refused():
    spread = uncertainty.TestTimeAugmentation(
        Model(CARD, Network(lambda optical: optical)), "network"
    )
    with pytest.raises(ModelError, match="no variance from none, by which model toy is calibrated"):
        spread.predict([_tile(8, 8)])
