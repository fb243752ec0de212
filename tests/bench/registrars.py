"""Other ways to register radar to an optical image, as their documentation shows them."""

from __future__ import annotations

import numpy as np

from cloudfree.core.displacement import Displacement, PolynomialDisplacement, Shift
from cloudfree.coregistration.clear_windows import BANDS
from tests.factories.displaced_scenes import RealPair, estimate, measured

NEAR_INFRARED = BANDS.index("B08")


def cloudfree(pair: RealPair) -> Displacement | None:
    """This package; None if the result is not reliable."""
    found = measured(pair)
    return found.shift if found.reliable else None


def cloudfree_ungated(pair: RealPair) -> Displacement | None:
    """This package, with unreliable results."""
    found, fit = estimate(pair.reflectance, pair.decibels, pair.usable)
    return fit.displacement if fit else found.shift


def masked_phase_correlation(pair: RealPair) -> Displacement | None:
    """scikit-image: Padfield 2012, doi:10.1109/TIP.2011.2181402; whole pixels."""
    from skimage.registration import phase_cross_correlation

    optical, radar = _images(pair)
    masks = np.isfinite(optical) & pair.usable, np.isfinite(radar)
    moved = phase_cross_correlation(
        np.nan_to_num(optical),
        np.nan_to_num(radar, nan=-20.0),
        reference_mask=masks[0],
        moving_mask=masks[1],
        overlap_ratio=0.5,
    )[0]
    return Shift(-float(moved[0]), -float(moved[1]))


def mutual_information(pair: RealPair, affine: bool) -> Displacement | None:
    """SimpleITK: Mattes mutual information, three resolutions, gradient descent."""
    import SimpleITK

    optical, radar = _images(pair)
    fixed = SimpleITK.GetImageFromArray(np.nan_to_num(optical).astype(np.float32))
    moving = SimpleITK.GetImageFromArray(np.nan_to_num(radar, nan=-20.0).astype(np.float32))
    method = SimpleITK.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricFixedMask(_mask(np.isfinite(optical) & pair.usable))
    method.SetMetricMovingMask(_mask(np.isfinite(radar)))
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    transform = SimpleITK.AffineTransform(2) if affine else SimpleITK.TranslationTransform(2)
    if affine:
        transform.SetCenter([(pair.side - 1) / 2] * 2)
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError:
        return None
    return _displacement(transform, pair.side)


def _mask(inside: np.ndarray) -> object:
    import SimpleITK

    return SimpleITK.GetImageFromArray(inside.astype(np.uint8))


def _displacement(transform: object, side: int) -> PolynomialDisplacement:
    """What a transform of points (column, row) does to three of them."""
    half = (side - 1) / 2

    def moved(col: float, row: float) -> np.ndarray:
        there = transform.TransformPoint((col, row))
        return np.array([there[1] - row, there[0] - col])

    middle = moved(half, half)
    terms = middle, moved(half, 2 * half) - middle, moved(2 * half, half) - middle
    pairs = tuple((float(row), float(col)) for row, col in terms)
    return PolynomialDisplacement(1, pairs, side, side)


def _images(pair: RealPair) -> tuple[np.ndarray, np.ndarray]:
    """Near infrared, and VV in dB."""
    return pair.reflectance[NEAR_INFRARED], pair.decibels[0]
