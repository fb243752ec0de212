"""What the windows of a scene justify: no more freedom than that, and not less."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cloudfree.core.displacement import Displacement, PolynomialDisplacement, Shift, kind
from cloudfree.coregistration.displacement_model import (
    MAX_DOUBT_PX,
    DisplacementFit,
    Refinement,
    fit_displacement,
)
from cloudfree.coregistration.tie_points import REACH_PX, TiePointMatching, TiePointWindows
from tests.factories.displaced_scenes import error_px, estimate, rotation, scaling
from tests.factories.scene_pairs import field_pair

SIDE = 256
SHIFT = Shift(2.4, -3.1)


def _fit(by: Displacement, seed: int = 0) -> DisplacementFit | None:
    optical, decibels = field_pair(SIDE, by, seed)
    return estimate(optical, decibels, np.ones((SIDE, SIDE), bool))[1]


@pytest.mark.parametrize("seed", range(4))
def test_where_only_a_shift_is_there_a_shift_is_found(seed: int) -> None:
    fit = _fit(SHIFT, seed)
    assert fit is not None
    assert kind(fit.displacement) == "translation"
    assert error_px(fit.displacement, Shift(), SHIFT, SIDE)[1] < 0.1


@pytest.mark.parametrize(
    "by",
    [rotation(SIDE, 0.2, SHIFT), rotation(SIDE, -0.1, SHIFT), scaling(SIDE, 0.01, -0.01, SHIFT)],
    ids=["0.2 degrees", "-0.1 degrees", "1 %"],
)
def test_rotations_and_scales_are_found(by: Displacement) -> None:
    fit = _fit(by)
    assert fit is not None
    assert kind(fit.displacement) == "affine"
    assert error_px(fit.displacement, Shift(), by, SIDE)[0] < 0.1


# Windows made by hand ----------------------------------------------------------------------------


def _windows(by: Displacement, side: int, noise: float = 0.0, seed: int = 0) -> TiePointWindows:
    """Windows with a round peak each where a displacement says, expected without a shift."""
    places = np.arange(16, side, 32.0)
    rows, cols = (part.ravel() for part in np.meshgrid(places, places, indexing="ij"))
    there = by.locate(rows, cols)
    rng = np.random.default_rng(seed)
    jitter = rng.normal(0, noise, (2, len(rows)))
    steps = np.arange(-REACH_PX, REACH_PX + 1)
    down = steps[None, :, None] - (there[0] - rows + jitter[0])[:, None, None]
    right = steps[None, None, :] - (there[1] - cols + jitter[1])[:, None, None]
    agreement = np.exp(-(down**2 + right**2) / 8)
    return TiePointWindows(rows, cols, agreement, np.zeros((len(rows), 2)), np.ones(len(rows)))


BEND = PolynomialDisplacement(
    2, ((0.5, -0.2), (0.1, 0.0), (0.0, 0.2), (1.2, 0.0), (0.0, 0.0), (0.0, -1.0)), 1024, 1024
)


def test_a_bent_scene_becomes_a_field() -> None:
    fit = fit_displacement(_windows(BEND, 1024, 0.3), Shift(0.9, -0.53), 1024, 1024)
    assert fit is not None
    assert kind(fit.displacement) == "field"
    assert error_px(fit.displacement, Shift(), BEND, 1024)[0] < 0.1


def test_a_small_scene_never_becomes_a_field() -> None:
    bend = dataclasses.replace(BEND, height=256, width=256)
    fit = fit_displacement(_windows(bend, 256, 0.3), Shift(0.9, -0.53), 256, 256)
    assert fit is not None
    assert kind(fit.displacement) != "field"


@pytest.mark.parametrize("seed", range(5))
def test_noise_justifies_nothing_but_the_shift(seed: int) -> None:
    fit = fit_displacement(_windows(Shift(0.5, 0), 1024, 0.5, seed), Shift(0.5, 0), 1024, 1024)
    assert fit is not None
    assert fit.displacement == Shift(0.5, 0)
    assert fit.step is None


def test_matches_that_are_far_off_are_outliers() -> None:
    by = rotation(512, 0.2, Shift())
    windows = _windows(by, 512, 0.1)
    wrong = np.zeros(len(windows.rows), bool)
    wrong[::9] = True
    agreement = windows.agreement.copy()
    agreement[wrong] = np.roll(agreement[wrong], 3, axis=1)
    fit = fit_displacement(dataclasses.replace(windows, agreement=agreement), Shift(), 512, 512)
    assert fit is not None
    assert fit.tie_points.used[~wrong].mean() > 0.95
    assert fit.tie_points.used[wrong].mean() < 0.1
    assert error_px(fit.displacement, Shift(), by, 512)[0] < 0.1


@pytest.mark.parametrize(
    ("moved", "noise", "share"),
    [
        (2.0, 0.0, 1.0),
        (0.6, 0.3, 0.75 * 0.9804),
        (0.6, 0.5, 0.3056),
        (3.0, 0.5, 0.5),
        (0.3, 0.5, 0),
    ],
    ids=["no noise", "little noise", "by chance", "more than expected", "nothing but chance"],
)
def test_a_step_is_gone_as_far_as_errors_shrink(moved: float, noise: float, share: float) -> None:
    step = Refinement(moved, noise)
    assert step.share == pytest.approx(share, abs=0.02)
    assert step.left_px + step.share * moved == pytest.approx(moved)


def test_matches_on_one_side_do_not_decide_about_the_other() -> None:
    windows = _windows(rotation(256, 1.5, Shift()), 256, 0.8)
    corner = (windows.rows < 140) & (windows.cols < 140)
    structure = np.where(corner, 1.0, 0.0)
    fit = fit_displacement(dataclasses.replace(windows, structure=structure), Shift(), 256, 256)
    assert fit is not None
    assert kind(fit.displacement) == "translation"


def test_a_change_that_is_large_and_badly_known_makes_the_whole_unreliable() -> None:
    windows = _windows(rotation(256, 1.2, Shift()), 256, 1.2)
    keep = windows.cols < 200
    structure = np.where(keep, 1.0, 0.0)
    fit = fit_displacement(dataclasses.replace(windows, structure=structure), Shift(), 256, 256)
    assert fit is not None
    assert fit.doubt_px > MAX_DOUBT_PX
    assert not fit.reliable


def test_windows_without_a_common_peak_have_no_match() -> None:
    windows = _windows(Shift(), 256)
    valley = dataclasses.replace(windows, agreement=-windows.agreement)
    assert TiePointMatching(valley).tie_points_at(np.zeros((64, 2))) is None
    assert fit_displacement(valley, Shift(), 256, 256) is None


def test_agreement_between_whole_shifts_is_smooth_and_exact_on_them() -> None:
    windows = _windows(Shift(0.3, -0.4), 128)
    for row, col in ((0, 0), (2, -3), (-4, 4)):
        at = np.tile([float(row), float(col)], (16, 1))
        assert np.allclose(windows.value(at), windows.agreement[:, REACH_PX + row, REACH_PX + col])
    between = np.tile([0.3, -0.4], (16, 1))
    assert windows.value(between) == pytest.approx(np.ones(16), abs=0.01)
    slope, curvature = windows.slope(between)
    assert np.abs(slope).max() < 0.01
    assert (curvature > 0.2).all()
