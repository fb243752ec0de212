"""Spectral angle mapper: how far two spectra point in different directions."""

from __future__ import annotations

import numpy as np

from cloudfree.core.radiometry import Float32


def spectral_angle_deg(truth: Float32, image: Float32) -> Float32:
    """Angle between the spectra of two images, (band, y, x), in degrees; shape (y, x).

    There is no epsilon: a pixel that is zero in all bands of either image has no direction and
    gives NaN. Computed in single precision and in the published order, so identical spectra give
    some 0.006 degrees rather than 0.

    Source: UnCRtainTS, learning/metrics.py, `img_metrics` (Ebel et al., CVPRW 2023); the angle is
    that of Kruse et al., Remote Sensing of Environment 44, 1993.
    """
    product = (truth * image).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = product / np.sqrt((truth**2).sum(axis=0)) / np.sqrt((image**2).sum(axis=0))
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))), dtype=np.float32)
