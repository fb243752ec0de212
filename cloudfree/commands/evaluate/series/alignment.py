"""Other dates of a case moved onto its truth, as `remove` moves references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cloudfree.commands.evaluate.series.cases import Case, Date
from cloudfree.commands.options import RadarOptions
from cloudfree.commands.remove.references.at_translation import AtTranslation
from cloudfree.commands.remove.references.clear_sampling import sample_clear
from cloudfree.core.displacement import NO_SHIFT
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.coregistration.between_dates import shift_between


@dataclass(frozen=True)
class _ClearDate:
    """Clear ground, (band, y, x) with NaN elsewhere, by the names of its bands."""

    clear_ground: Float32
    bands: tuple[str, ...]

    def clear(self, bands: Sequence[str], window: Window) -> Float32:
        """Some bands of a window."""
        places = [self.bands.index(band) for band in bands]
        return self.clear_ground[places][:, *window.slices]


def aligned(case: Case, bands: tuple[str, ...]) -> Case:
    """The case with its other dates where they lie on what is clear today."""
    today = _ClearDate(case.today, bands)
    return replace(case, others=tuple(_aligned(other, today) for other in case.others))


def _aligned(date: Date, today: _ClearDate) -> Date:
    height, width = date.hidden.shape
    other = _ClearDate(date.clear, today.bands)
    size, most = (height, width), RadarOptions.max_shift
    shift = shift_between(today, other, today.bands, size, most).shift
    if shift == NO_SHIFT:
        return date
    moved = sample_clear(date.clear, AtTranslation(shift.row, shift.col, height, width))
    return replace(date, image=moved, hidden=np.zeros_like(date.hidden))
