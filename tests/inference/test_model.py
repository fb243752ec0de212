"""What a network is fed: scaling, padding, missing pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ModelError
from cloudfree.inference.date_series import OtherDate
from cloudfree.inference.model import GPU_BATCH, VARIANCE, Arrays, Model, TileInputs
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.scaling import Scaling
from tests.factories.readiness import OneAtATime

CARD = ModelCard(
    name="toy", network="none", weights="", weights_sha256="",
    description="", license="", levels=("L1C",), inputs=("optical", "sar"),
    optical_bands=OPTICAL_BANDS,
    optical_scaling=Scaling(((0.0, 1.0),) * 13, (0.0, 2.0)), sar_bands=SAR_BANDS,
    sar_scaling=Scaling(((-25.0, 0.0), (-32.5, 0.0)), (-1.0, 1.0)), output_bands=OPTICAL_BANDS,
    tile=32, overlap=8, multiple=8,
)  # fmt: skip


class Recording(OneAtATime):
    """A runtime that keeps what it was fed and applies a function to the optical input."""

    description = "recording"
    batch = 2

    def __init__(self, network: Callable[[Float32], Float32]) -> None:
        self.network = network

    def run(self, inputs: Arrays) -> Arrays:
        self.optical, self.sar = inputs["optical"], inputs["sar"]
        self.shadow, self.dates = inputs.get("shadow"), inputs.get("dates")
        return {"image": self.network(self.optical)}


def _tile(height: int, width: int, seed: int = 0) -> TileInputs:
    rng = np.random.default_rng(seed)
    return TileInputs(
        rng.random((13, height, width), dtype=np.float32),
        rng.uniform(-25, 0, (2, height, width)).astype(np.float32),
    )


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 3))
def test_an_identity_network_returns_the_reflectance(height: int, width: int, count: int) -> None:
    runtime = Recording(lambda x: x)
    tiles = [_tile(height, width, seed) for seed in range(count)]
    for tile, prediction in zip(tiles, Model(CARD, runtime).predict(tiles), strict=True):
        assert np.allclose(prediction, tile.optical, atol=1e-6)
    assert [side % CARD.multiple for side in runtime.optical.shape[-2:]] == [0, 0]
    assert runtime.optical.shape[-2:] == runtime.sar.shape[-2:]


def test_the_network_sees_the_scales_of_the_card() -> None:
    runtime = Recording(lambda x: x)
    optical = np.full((13, 8, 8), 0.25, np.float32)
    sar = np.stack([np.full((8, 8), -12.5), np.full((8, 8), -40.0)]).astype(np.float32)
    Model(CARD, runtime).predict([TileInputs(optical, sar)])
    assert runtime.optical.min() == runtime.optical.max() == pytest.approx(0.5)
    assert runtime.sar[0, 0].max() == pytest.approx(0.0)
    assert runtime.sar[0, 1].max() == pytest.approx(-1.0), "clipped at the card's interval"


def test_a_network_sees_no_missing_pixel_and_predicts_none_without_sar() -> None:
    runtime, tile = Recording(lambda x: x), _tile(16, 16)
    tile.optical[:, :4] = np.nan
    tile.sar[1, :, :4] = np.nan
    (prediction,) = Model(CARD, runtime).predict([tile])
    assert np.isfinite(runtime.optical).all()
    assert np.isfinite(runtime.sar).all()
    assert np.isnan(prediction[:, :, :4]).all()
    assert np.isfinite(prediction[:, :, 4:]).all()


def test_a_network_that_takes_shadows_gets_their_mask() -> None:
    """And without shadows if none are known; a network without that input gets none."""
    card = replace(CARD, inputs=("optical", "sar", "shadow"))
    runtime, tile = Recording(lambda x: x), _tile(16, 12)
    known = np.zeros((16, 12), np.bool_)
    known[4:8, :6] = True
    Model(card, runtime).predict([replace(tile, shadow=known), tile])
    assert runtime.shadow is not None
    assert runtime.shadow.shape == (2, 1, 16, 16), "padded like the bands"
    assert np.array_equal(runtime.shadow[0, 0, :, :12], known)
    assert not runtime.shadow[1].any()
    Model(CARD, runtime).predict([replace(tile, shadow=known)])
    assert runtime.shadow is None


@given(st.floats(0, 1), st.integers(0, 1))
def test_scaling_and_its_inverse_agree(value: float, band: int) -> None:
    low, high = CARD.sar_scaling.clip[band]
    pixels = np.full((2, 1, 1), low + value * (high - low), np.float32)
    back = CARD.sar_scaling.inverse(CARD.sar_scaling.forward(pixels))
    assert back[band].item() == pytest.approx(pixels[band].item(), abs=1e-4)


def test_bands_of_the_output_are_scaled_back_by_their_own_limits() -> None:
    clip = tuple((0.0, 1.0 + band) for band in range(13))
    card = replace(
        CARD,
        optical_scaling=Scaling(clip, (-1.0, 1.0)),
        output_bands=(OPTICAL_BANDS[7], OPTICAL_BANDS[2]),
    )
    tile = _tile(8, 8)
    model = Model(card, Recording(lambda x: x[:, [7, 2]]))
    (prediction,) = model.predict([tile])
    assert np.allclose(prediction, tile.optical[[7, 2]], atol=1e-6)


@pytest.mark.parametrize("none", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("output", ["image", VARIANCE])
def test_what_a_network_makes_of_numbers_is_a_number(output: str, none: float) -> None:
    """Half precision overflows: that is no fault of the scene, and no hole in its radar."""

    class Overflowing(Recording):
        def run(self, inputs: Arrays) -> Arrays:
            outputs = {name: inputs["optical"].copy() for name in ("image", VARIANCE)}
            outputs[output][1, 3, 2:4, 5] = none
            return outputs

    tiles = [_tile(8, 8, seed) for seed in range(2)]
    text = (
        f"{output} of model toy is not finite on 2 pixels .*wanted finite numbers.*precision fp32"
    )
    with pytest.raises(ModelError, match=text):
        Model(CARD, Overflowing(lambda x: x)).predict(tiles)


def test_a_gpu_is_kept_busy_by_as_many_pixels_whatever_the_tile_and_its_dates() -> None:
    runtime = Recording(lambda x: x)
    runtime.batch = GPU_BATCH
    model = Model(CARD, runtime)
    assert [model.batch(side) for side in (128, 256, 512, 4096)] == [32, 8, 2, 1]
    assert [model.batch(128, dates) for dates in (1, 3, 100)] == [32, 10, 1]
    runtime.batch = 1
    assert [model.batch(side) for side in (128, 4096)] == [1, 1]


SEVERAL = replace(CARD, dates="one or several")


class TestSeveralDates:
    def _tile(self, count: int = 2, height: int = 8, width: int = 8) -> TileInputs:
        shown = [_tile(height, width, seed) for seed in range(count)]
        others = [
            OtherDate(one.optical, 5.0 * number, one.sar) for number, one in enumerate(shown[1:], 1)
        ]
        return shown[0].with_others(date(2014, 4, 5), others)

    def test_the_tile_comes_first_and_all_are_padded(self) -> None:
        runtime, tile = Recording(lambda x: x[:, 0]), self._tile(3, height=7)
        (prediction,) = Model(SEVERAL, runtime).predict([tile])
        assert runtime.optical.shape == (1, 3, 13, 8, 8)
        assert runtime.sar.shape == (1, 3, 2, 8, 8)
        assert runtime.dates.tolist() == [[2.0, 7.0, 12.0]]
        assert np.allclose(prediction, tile.optical, atol=1e-6)

    def test_a_date_without_radar_is_shown_with_that_of_the_tile(self) -> None:
        tile = self._tile()
        without = replace(tile, others=(replace(tile.others[0], sar=None),))
        assert without.dates[1].sar is tile.sar
        assert tile.dates[1].sar is tile.others[0].sar

    def test_without_other_dates_nothing_changes(self) -> None:
        runtime = Recording(lambda x: x)
        Model(SEVERAL, runtime).predict([_tile(8, 8)])
        assert runtime.optical.shape == (1, 13, 8, 8)
        assert runtime.dates is None

    def test_a_network_of_one_date_refuses_others(self) -> None:
        text = "2 other dates for model toy; wanted one date, .*leave the other dates out"
        with pytest.raises(ModelError, match=text):
            Model(CARD, Recording(lambda x: x)).predict([self._tile(3)])

    def test_a_day_that_is_not_known_is_refused(self) -> None:
        tile = replace(self._tile(), day=None)
        with pytest.raises(ModelError, match="other dates of a tile whose own day is not known"):
            Model(SEVERAL, Recording(lambda x: x[:, 0])).predict([tile])

    def test_tiles_of_one_batch_have_as_many_dates(self) -> None:
        tiles = [self._tile(2), self._tile(3)]
        text = "tiles of 2, 3 dates at once; wanted as many dates of every tile"
        with pytest.raises(ModelError, match=text):
            Model(SEVERAL, Recording(lambda x: x[:, 0])).predict(tiles)
