"""How close each way to fill a case comes to the truth below its clouds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from cloudfree.commands.evaluate.series.cases import Case
from cloudfree.commands.evaluate.series.fills import GAIN, OURS, FilledCase, fill_case
from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.observation import Where
from cloudfree.metrics.image_metrics import spectral_angle_deg

# Which other dates may fill a date.
Sources = Literal["earlier", "both"]
SOURCES: tuple[Sources, ...] = get_args(Sources)

# Scored pixels of a case at least: fewer tell little.
MIN_SCORED = 50


@dataclass(frozen=True)
class Closeness:
    """PSNR in dB for a peak of 1, SAM in degrees and MAE in reflectance; None of no pixel."""

    psnr: float | None
    sam: float | None
    mae: float | None


@dataclass(frozen=True)
class ScoredCase:
    """A case, the references that `remove` would take, and how close each fill comes.

    `cover_share` is the share of the scene that is hidden, `clear_pixels` are those that are seen,
    `scored_pixels` hidden ones. `days` are those of the references, negative for earlier ones.
    `within_1` and `within_2` are shares of our errors within one and two expected deviations, and
    `over_gain_db` is our PSNR less that of the gain, on the pixels that it fills.
    """

    sources: Sources
    truth: str
    cover: str
    cover_share: float
    clear_pixels: int
    scored_pixels: int
    references: tuple[str, ...]
    days: tuple[float, ...]
    figures: Mapping[str, Closeness]
    within_1: float
    within_2: float
    over_gain_db: float

    @property
    def name(self) -> str:
        """Both dates."""
        return f"{self.truth} under {self.cover}"

    @property
    def psnr(self) -> float:
        """PSNR of what `remove` fills, dB; 0 if it fills nothing."""
        return self.figures[OURS].psnr or 0.0

    @property
    def nearest_days(self) -> float:
        """Days between the date and its nearest reference."""
        return min(map(abs, self.days), default=math.inf)


def is_scorable(case: Case) -> bool:
    """Whether enough of what is hidden is known."""
    return int(case.scored.sum()) >= MIN_SCORED


def score_case(case: Case, bands: tuple[str, ...], sources: Sources) -> ScoredCase:
    """Fill a case in each way, and compare the hidden pixels with the truth."""
    return score(fill_case(case, bands), sources)


def score(filled: FilledCase, sources: Sources) -> ScoredCase:
    """Compare the hidden pixels of each fill of a case with the truth."""
    used, where = filled.case, filled.case.scored
    truth = used.truth.image[:, where]
    images = {name: image[:, where] for name, image in filled.images.items()}
    sigmas = _known(np.abs(images[OURS] - truth) / filled.deviation[:, where])
    return ScoredCase(
        sources=sources,
        truth=used.truth.name,
        cover=used.cover.name,
        cover_share=float((used.truth.hidden | used.cover.hidden).mean()),
        clear_pixels=int((~np.isnan(used.today).any(axis=0)).sum()),
        scored_pixels=int(where.sum()),
        references=tuple(other.name for other in used.others),
        days=tuple(used.days(other) for other in used.others),
        figures={name: closeness(truth, image) for name, image in images.items()},
        within_1=float((sigmas <= 1).mean()),
        within_2=float((sigmas <= 2).mean()),
        over_gain_db=_over_db(truth, images[OURS], images[GAIN]),
    )


def closeness(truth: Float32, image: Float32) -> Closeness:
    """How close pixels come to the truth, both (band, pixel); those with NaN do not count."""
    known = _known_pixels(image)
    if not known.any():
        return Closeness(None, None, None)
    truth, image = truth[:, known], image[:, known]
    error, angles = image - truth, _known(spectral_angle_deg(truth, image))
    sam = float(angles.mean(dtype=np.float64)) if angles.size else None
    return Closeness(_psnr(error), sam, float(np.abs(error).mean(dtype=np.float64)))


def _over_db(truth: Float32, ours: Float32, other: Float32) -> float:
    """Our PSNR less another one, on the pixels that both know; 0 if they know none."""
    both = _known_pixels(ours) & _known_pixels(other)
    if not both.any():
        return 0.0
    return _psnr((ours - truth)[:, both]) - _psnr((other - truth)[:, both])


def _psnr(error: Float32) -> float:
    squared = float(np.square(error, dtype=np.float64).mean())
    return -10 * math.log10(squared) if squared else math.inf


def _known_pixels(image: Float32) -> Where:
    return np.asarray(~np.isnan(image).any(axis=0))


def _known(values: Float32) -> Float32:
    return values[~np.isnan(values)]
