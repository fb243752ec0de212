"""Which date of a time series is the target, and which dates are shown.

The target is the least cloudy date, of equal ones the earliest. Shown are the first of the other
dates; the one nearest in time to the target counts as the cloudy image that is filled.

Source: Ebel et al., SEN12MS-CR-TS, IEEE TGRS 60, 2022, and the loader in its repository. That
loader measures clouds with s2cloudless, and may show the target itself; here it is never shown.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from cloudfree.datasets.patch import Sample, SampleDate
from cloudfree.datasets.real_clouds import cloud_share
from cloudfree.sentinel2.optical_scene import OpticalScene


@cache  # a training asks for every patch in every epoch
def choose_dates(sample: Sample) -> Sample:
    """The sample with cloudy, clear and other images chosen from its time series, if it has one.

    All its dates are read.

    Raises
    ------
    InputError
        A date cannot be read, or lacks bands that the cloud mask needs.
    """
    if not sample.series:
        return sample
    clouds = [_cloud_share(one, sample.offset_dn) for one in sample.series]
    target = sample.series[int(np.argmin(clouds))]
    shown = [one for one in sample.series if one is not target][: sample.shown]
    filled = min(shown, key=lambda one: abs(one.day - target.day))
    return replace(
        sample,
        cloudy=filled.optical,
        clear=target.optical,
        sar=filled.sar,
        day=filled.day,
        others=tuple(one for one in shown if one is not filled),
        series=(),
    )


def _cloud_share(one: SampleDate, offset_dn: float | None) -> float:
    """Share of cloud of a date; an image without data counts as fully cloudy."""
    with OpticalScene(one.optical, offset_dn) as scene:
        if np.isnan(scene.reflectance(scene.bands[:1], scene.grid.window)).all():
            return 1.0
        return cloud_share(scene)
