"""Units are decided by a sample of the numbers, or by the user."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.errors import InputError
from cloudfree.sentinel1.sar_units import SarUnits, decide_units


@pytest.mark.parametrize(
    ("numbers", "quantity"),
    [
        ([-12.0, -20.0, 0.0, 3.0], "db"),
        ([0.02, 0.08, 0.0, 1.5], "linear"),
        ([0.02, 0.08, -1e-4, 1.5], "linear"),
        ([-9999.0, -15.0, -18.0], "db"),
        ([-32768.0, 0.08, 0.02], "linear"),
    ],
)
def test_units_are_detected(numbers: list[float], quantity: str) -> None:
    units = decide_units("auto", np.float32([numbers] * 2), None, "a.tif")
    assert units.quantity == quantity
    assert "median" in units.reason


@pytest.mark.parametrize(
    ("numbers", "asked", "text"),
    [
        (np.uint16([200, 300]), "auto", r"uncalibrated .* \(mean 250\) in a\.tif; .*SNAP, pyroSAR"),
        (np.float32([0.1, 0.2]), "dn", "uncalibrated digital numbers"),
        (
            np.float32([40, 60]),
            "auto",
            r"median 50 and minimum 40 .*say what they are with --s1-uni",
        ),
        (np.float32([np.nan, -9999]), "auto", r"no valid pixel in a\.tif"),
        (np.float32([-99, -99]), "db", r"no valid pixel in a\.tif"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(numbers: np.ndarray, asked: str, text: str) -> None:
    with pytest.raises(InputError, match=text):
        decide_units(asked, numbers.reshape(1, -1), -99.0, "a.tif")


@pytest.mark.parametrize(
    ("asked", "numbers", "seen"),
    [("linear", [100.0, 2.0, 3.0, 5.0], 20.0), ("db", [9.0, -1.0, 4.0, 5.0], 9.0)],
)
def test_given_units_are_accepted_for_ambiguous_bright_scenes(
    asked: str, numbers: list[float], seen: float
) -> None:
    bright = np.float32([[numbers]] * 2)
    with pytest.raises(InputError, match="say what they are with --s1-units"):
        decide_units("auto", bright, None, "a.tif")
    assert decide_units(asked, bright, None, "a.tif").decibels(bright)[0, 0, 0] == pytest.approx(
        seen
    )


@pytest.mark.parametrize(
    ("asked", "numbers", "text"),
    [
        ("db", np.int16([[-1293, -1800]]), r"median -1546 and minimum -1800 in a\.tif, with --s1-un"
                                           r"its db; wanted sigma-nought in dB \(median -50 to 10"),
        ("db", np.float32([[0.05, 0.2]]), r"minimum 0\.05 .*--s1-units db; .*leave --s1-units"),
        ("linear", np.float32([[-12, -20]]), r"with --s1-units linear; .*power \(median 0 to 10\)"),
        ("linear", np.float32([[200, 90]]), "median 145 .* with --s1-units linear"),
        ("linear", np.float32([[0, 0]]), "median 0 .* with --s1-units linear"),
    ],
)  # fmt: skip
def test_given_units_that_the_numbers_cannot_have_are_refused(
    asked: str, numbers: np.ndarray, text: str
) -> None:
    with pytest.raises(InputError, match=text):
        decide_units(asked, np.stack([numbers] * 2), None, "a.tif")


def test_a_zero_is_missing_in_power_and_a_bright_target_in_decibels() -> None:
    numbers = np.float32([[[0.0, -9999.0, np.nan, -12.0]], [[-15.0, -15.0, -15.0, -15.0]]])
    power = np.float32([[[0.0, -9999.0, np.nan, 0.06]], [[0.03, 0.03, 0.03, 0.03]]])
    db = decide_units("db", numbers, None, "a").decibels(numbers)
    linear = decide_units("linear", power, None, "a").decibels(power)
    assert np.isnan(db[0, 0]).tolist() == [False, True, True, False]
    assert np.isnan(linear[0, 0]).tolist() == [True, True, True, False]
    assert np.isnan(linear[:, 0, 0]).all(), "a pixel without one polarisation is missing in both"


def _speckled(vv: float, vh: float) -> np.ndarray:
    speckle = np.random.default_rng(0).gamma(4.4, 1 / 4.4, (2, 1, 4000))
    return (speckle * np.array([vv, vh])[:, None, None]).astype(np.float32)


def test_amplitudes_as_floats_are_not_taken_for_power() -> None:
    power = _speckled(0.09, 0.02)
    assert decide_units("auto", power, None, "a.tif").quantity == "linear"
    with pytest.raises(InputError, match=r"darker band of a\.tif, as of amplitudes; .*square them"):
        decide_units("auto", np.sqrt(power), None, "a.tif")
    assert decide_units("linear", np.sqrt(power), None, "a.tif").quantity == "linear"


def test_amplitudes_of_one_polarisation_are_refused_or_doubted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alone = _speckled(0.25, 0.02)[:1]
    with pytest.raises(InputError, match=r"band of a\.tif, as of amplitudes; .*in VV is below"):
        decide_units("auto", np.sqrt(alone), None, "a.tif")
    assert decide_units("auto", alone, None, "a.tif").quantity == "linear"
    assert "may be amplitudes: square them if they are" in caplog.text
    caplog.clear()
    assert decide_units("linear", np.sqrt(alone), None, "a.tif").quantity == "linear"
    assert decide_units("auto", _speckled(0.09, 0.02)[:1], None, "a.tif").quantity == "linear"
    assert not caplog.text


@pytest.mark.parametrize(
    ("quantity", "whole", "wrong"),
    [("db", (-11.0, -17.0), (1e30, -265.0, 61.0)), ("linear", (0.08, 0.02), (1e30, -2.0, 1.1e6))],
)
def test_numbers_that_no_scene_has_are_missing(quantity: str, whole, wrong) -> None:
    units = SarUnits(quantity, "as given", None)
    for number in wrong:
        numbers = np.array(whole, np.float32).repeat(2).reshape(2, 1, 2)
        numbers[0, 0, 0] = number
        found = units.decibels(numbers)
        assert np.isnan(found[:, 0, 0]).all()
        assert np.isfinite(found[:, 0, 1]).all()
