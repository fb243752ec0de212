"""The metrics of a result against the truth, strip by strip, and how metrics are written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from cloudfree.core.grid import Window, strips
from cloudfree.core.mask_classes import is_filled
from cloudfree.core.terminal import Progress
from cloudfree.metrics.image_metrics import HALO_PX, Differences, Metrics, Scores, compare, has_data
from cloudfree.report.sources import Sources
from cloudfree.sentinel2.optical_scene import OpticalScene


@dataclass(frozen=True)
class Column:
    """One metric: the field of `Metrics`, its title and unit, and whether more is better."""

    field: str
    title: str
    unit: str
    decimals: int
    more_is_better: bool

    @property
    def short_unit(self) -> str:
        """The unit for narrow columns; none for reflectance and SSIM."""
        return {"dB": "dB", "degrees": "deg"}.get(self.unit, "")

    @property
    def arrow(self) -> str:
        """Up if more is better, else down."""
        return "\N{UPWARDS ARROW}" if self.more_is_better else "\N{DOWNWARDS ARROW}"

    def value(self, metrics: Metrics | None) -> float | None:
        """The metric; None if it is not defined."""
        value: float | None = getattr(metrics, self.field) if metrics else None
        return value

    def text(self, metrics: Metrics | None) -> str:
        """The metric with its decimals; a dash for none, the sign of infinity for no error."""
        value = self.value(metrics)
        if value is None:
            return "\N{EN DASH}"
        return "\N{INFINITY}" if math.isinf(value) else f"{value:.{self.decimals}f}"

    def improves(self, before: Metrics | None, after: Metrics | None) -> bool:
        """Whether `after` is better than `before`."""
        old, new = self.value(before), self.value(after)
        if old is None or new is None:
            return False
        return new > old if self.more_is_better else new < old


PSNR = Column("psnr", "PSNR", "dB", 2, more_is_better=True)
SSIM = Column("ssim", "SSIM", "0\N{EN DASH}1", 3, more_is_better=True)
SAM = Column("sam", "SAM", "degrees", 2, more_is_better=False)
MAE = Column("mae", "MAE", "reflectance", 4, more_is_better=False)

COLUMNS = (PSNR, SSIM, SAM, MAE)
BAND_COLUMNS = (PSNR, SSIM, MAE)


def percent(share: float) -> str:
    """A share of 0 to 1 in percent; only 0 itself is written as 0.0 %."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.1f} %"


STRIP_ROWS = 64


@dataclass(frozen=True)
class BeforeAfter:
    """Metrics of the cloudy scene, if it was found, and of the result."""

    before: Metrics | None
    after: Metrics


@dataclass(frozen=True)
class Comparison:
    """Metrics over the filled pixels and over all valid ones.

    `bands` holds those of each band over the filled pixels. Without the mask of filled pixels
    `cloudy` is None and `bands` is over all valid pixels.
    """

    cloudy: BeforeAfter | None
    all: BeforeAfter
    bands: Mapping[str, BeforeAfter]


def compare_with_truth(sources: Sources, progress: Progress) -> Comparison:
    """Score a result and the scene it was made from on the pixels where all three have data."""
    images = {"after": sources.after, "before": sources.before}
    tallies = {name: _Tally(sources) for name, scene in images.items() if scene}
    for strip, differences in _strips(sources, progress):
        for name, tally in tallies.items():
            tally.add(strip, differences[name])
    cloudy = _both(tallies, "cloudy") if sources.filled else None
    return Comparison(cloudy, _both(tallies, "all"), _bands(tallies, sources))


class _Tally:
    """The scores of one image over the filled and over all pixels."""

    def __init__(self, sources: Sources) -> None:
        count = len(sources.after.bands)
        self.filled = sources.filled
        self.scores = {"cloudy": Scores(count), "all": Scores(count)}

    def add(self, strip: Window, differences: Differences) -> None:
        self.scores["all"].add(differences)
        if self.filled:
            marked = is_filled(self.filled.classes(strip))
            self.scores["cloudy"].add(differences, marked)


def _strips(
    sources: Sources, progress: Progress
) -> Iterator[tuple[Window, dict[str, Differences]]]:
    """Differences of each image, strip by strip, valid where every image has data."""
    height, width = sources.after.grid.height, sources.after.grid.width
    plan = list(strips(height, width, STRIP_ROWS))
    for strip in progress(plan, len(plan), "scores", "strip"):
        outer = strip.buffered(HALO_PX, height, width)
        yield strip, _differences(sources, outer, strip)


def _differences(sources: Sources, outer: Window, strip: Window) -> dict[str, Differences]:
    assert sources.truth is not None
    bands = sources.after.bands
    scenes: dict[str, OpticalScene] = {"truth": sources.truth, "after": sources.after}
    if sources.before:
        scenes["before"] = sources.before
    images = {name: scene.reflectance(bands, outer) for name, scene in scenes.items()}
    missing = np.any([~has_data(image) for image in images.values()], axis=0)
    truth = images.pop("truth")
    truth[:, missing] = np.nan
    inside = strip.relative_to(outer)
    return {name: compare(truth, image).inside(inside) for name, image in images.items()}


def _both(tallies: Mapping[str, _Tally], where: str) -> BeforeAfter:
    before = tallies.get("before")
    return BeforeAfter(
        before.scores[where].figures() if before else None,
        tallies["after"].scores[where].figures(),
    )


def _bands(tallies: Mapping[str, _Tally], sources: Sources) -> dict[str, BeforeAfter]:
    where = "cloudy" if sources.filled else "all"
    bands = {name: tally.scores[where].of_bands() for name, tally in tallies.items()}
    nothing: list[Metrics | None] = [None] * len(bands["after"])
    pairs = zip(bands.get("before", nothing), bands["after"], strict=True)
    return {
        band: BeforeAfter(before, after)
        for band, (before, after) in zip(sources.after.bands, pairs, strict=True)
    }
