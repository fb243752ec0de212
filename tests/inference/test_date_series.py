"""Several dates of a tile, as a network of several dates takes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.radiometry import QUANTIFICATION, Float32
from cloudfree.errors import InputError
from cloudfree.inference.date_series import DATES, OtherDate, day_number, scaled_dates
from cloudfree.inference.load import load_model
from cloudfree.inference.model import TileInputs
from tests.inference.test_model import CARD


def _date(seed: int, days: float = 0.0) -> OtherDate:
    rng = np.random.default_rng(seed)
    sar = rng.uniform(-25, 0, (2, 6, 5)).astype(np.float32)
    return OtherDate(rng.random((13, 6, 5), dtype=np.float32), days, sar)


@pytest.mark.parametrize(
    ("acquired", "days"),
    [(date(2014, 4, 3), 0), (date(2018, 1, 6), 1374), (datetime(2014, 4, 4, 23, tzinfo=UTC), 1)],
)
def test_days_count_from_the_launch_of_sentinel_1(acquired: date, days: float) -> None:
    assert day_number(acquired) == days


def test_the_day_of_two_sensors_is_between_theirs() -> None:
    assert day_number(date(2014, 4, 5), date(2014, 4, 8)) == 3.5
    tile = TileInputs(_date(0).optical)
    assert tile.with_others(date(2014, 4, 5), [_date(1)], date(2014, 4, 8)).day == 3.5
    assert tile.with_others(date(2014, 4, 5), [_date(1)]).day == 2.0


def test_every_date_is_scaled_as_the_card_says_and_gets_its_day() -> None:
    dates = [_date(0), _date(1, days=-12.5)]
    found = scaled_dates(dates, 1000.0, CARD)
    assert found[DATES].tolist() == [1000.0, 987.5]
    for place, one in enumerate(dates):
        assert np.array_equal(found["optical"][place], CARD.optical_scaling.forward(one.optical))
        assert np.array_equal(found["sar"][place], CARD.sar_scaling.forward(one.sar))


def test_holes_of_a_date_are_filled_from_that_date() -> None:
    one, other = _date(0), _date(1)
    other.optical[2, 3, 3] = np.nan
    found = scaled_dates([one, other], 0.0, CARD)["optical"]
    assert found[1, 2, 3, 3] == pytest.approx(2 * np.nanmedian(other.optical[2]))


def test_a_date_without_any_optical_pixel_is_no_date_whatever_its_radar_shows() -> None:
    """Zeros in all channels are what the network takes for a date that is not there."""
    gone = _date(1)
    gone.optical[:] = np.nan
    found = scaled_dates([_date(0), gone], 0.0, CARD)
    assert not found["optical"][1].any()
    assert not found["sar"][1].any()
    assert found["sar"][0].any()


def test_both_arrays_of_a_date_change_alike() -> None:
    one = _date(0, days=3.0)
    turned = one.each(np.fliplr)
    assert turned.days == 3.0
    assert np.array_equal(turned.optical, np.fliplr(one.optical))
    assert np.array_equal(turned.sar, np.fliplr(one.sar))
    assert OtherDate(one.optical, 3.0).each(np.fliplr).sar is None


def test_a_date_of_other_bands_or_pixels_is_refused() -> None:
    tile, one = TileInputs(_date(0).optical), _date(1, days=-4.0)
    refused = [
        (
            replace(one, optical=one.optical[:4]),
            r"reflectance \(4, 6, 5\) of the date -4 days from",
        ),
        (
            replace(one, sar=one.sar[:, :3]),
            r"backscatter \(2, 3, 5\) .*wanted .* = \(2, 6, 5\), as",
        ),
    ]
    for other, text in refused:
        with pytest.raises(InputError, match=text):
            tile.with_others(date(2020, 1, 1), [one, other])
    assert tile.with_others(date(2020, 1, 1), [one]).others == (one,)


def _golden_tile(arrays: dict[str, Float32], number: int) -> TileInputs:
    optical, sar = arrays["s2_raw_dn"][number] / QUANTIFICATION, arrays["s1_raw_db"][number]
    days = arrays["dates"][number]
    others = [
        OtherDate(optical[place], float(days[place] - days[0]), sar[place])
        for place in range(1, len(days))
    ]
    return TileInputs(optical[0], sar[0], others=tuple(others), day=float(days[0]))


def test_raw_dates_are_fed_and_filled_as_by_the_published_network(golden: Path) -> None:
    folder = golden / "uncrtaints" / "multi_t3"
    with np.load(folder / "inputs.npz") as file:
        arrays = dict(file)
    with np.load(folder / "outputs.npz") as file:
        wanted = file["out"][:, 0]
    model = load_model(str(folder / "weights.safetensors"), "cpu")
    tiles = [_golden_tile(arrays, number) for number in range(len(wanted))]
    fed = model.scaled(tiles)
    # In the published stack SAR comes first.
    np.testing.assert_allclose(
        np.concatenate([fed["sar"], fed["optical"]], axis=2), arrays["x"], rtol=0, atol=1e-6
    )
    assert np.array_equal(fed[DATES], arrays["dates"])
    for prediction, known in zip(model.predict_with_variance(tiles), wanted, strict=True):
        np.testing.assert_allclose(10 * prediction.mean, known[:13], rtol=0, atol=1e-4)
        np.testing.assert_allclose(100 * prediction.variance, known[13:], rtol=0, atol=1e-4)
