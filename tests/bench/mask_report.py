"""The tables of mask quality: a summary first, then every figure by region, worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.mask_counts import (
    ABSENT,
    Count,
    above,
    by,
    form_of,
    group_of,
    image_of,
    means,
    percent,
    region_of,
    table,
    text,
)

CLOUD_ON_CLEAR = "clear ground taken for cloud"
SHADOW_ON_CLEAR = "clear ground taken for shadow"
THICK, THIN = "thick cloud found", "thin cloud found"
FAINT, HAZE = "faint cloud found", "haze found"
FALSE_BESIDE = "ground beside simulated clouds taken for cloud"
IOU = "real clouds, intersection over union"
SNOW = "snow taken for cloud"
SHADOW_PRECISION = "shadows, precision"
SHADOW_RECALL = "shadows, recall"

LIMIT = 0.03  # share of a clear image from which it is counted as badly wrong
WORST_IMAGES = 15
MEANS = ("mean over regions", "mean over images")


@dataclass(frozen=True)
class Figure:
    """A figure: its name, whether much is good, and whether images above the limit are counted."""

    name: str
    much_is_good: bool = False
    limited: bool = False

    @property
    def worst(self) -> Callable[[Iterable[float]], float]:
        """Picks the worst of several detectors."""
        return min if self.much_is_good else max


FIGURES = (
    Figure(CLOUD_ON_CLEAR, limited=True),
    Figure(f"{CLOUD_ON_CLEAR}, 10 bands", limited=True),
    Figure(f"{CLOUD_ON_CLEAR}, 4 bands", limited=True),
    Figure(SHADOW_ON_CLEAR, limited=True),
    Figure(THICK, much_is_good=True),
    Figure(THIN, much_is_good=True),
    Figure(FAINT, much_is_good=True),
    Figure(HAZE, much_is_good=True),
    Figure(FALSE_BESIDE),
    Figure(IOU, much_is_good=True),
    Figure(SNOW),
    Figure(SHADOW_PRECISION, much_is_good=True),
    Figure(SHADOW_RECALL, much_is_good=True),
)


def report(counts: Sequence[Count], detectors: Sequence[str], speed: Mapping[str, float]) -> str:
    """All tables as text; `speed` is in seconds of CPU per million pixels."""
    rows = [[figure.name, *_line(counts, figure, detectors, MEANS[0])] for figure in FIGURES]
    seconds = [f"{speed[name]:.1f}" if name in speed else ABSENT for name in detectors]
    rows.append(["CPU seconds per megapixel", *seconds])
    parts = [text("Means over regions, percent", detectors, rows)]
    parts += [_figure(counts, figure, detectors) for figure in FIGURES]
    return "\n".join(parts)


def summary(
    counts: Sequence[Count], detectors: Sequence[str]
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Means of every figure by detector, as ratios."""
    found = {}
    for figure in FIGURES:
        own = [count for count in counts if count.figure == figure.name]
        found[figure.name] = means(own, detectors)
        if figure.limited:
            found[figure.name]["images above 3 %"] = _above(own, detectors)
    return found


def _line(
    counts: Sequence[Count], figure: Figure, detectors: Sequence[str], kind: str
) -> list[str]:
    own = [count for count in counts if count.figure == figure.name]
    return [percent(means(own, detectors)[kind][name]) for name in detectors]


def _above(own: Sequence[Count], detectors: Sequence[str]) -> dict[str, float | None]:
    return {
        name: above([count for count in own if count.detector == name], LIMIT) for name in detectors
    }


def _figure(counts: Sequence[Count], figure: Figure, detectors: Sequence[str]) -> str:
    own = [count for count in counts if count.figure == figure.name]
    rows = table(own, detectors, region_of, worst=figure.worst)
    if not rows:
        return f"{figure.name}: {ABSENT}\n"
    found = means(own, detectors)
    rows += [[kind, *map(percent, found[kind].values())] for kind in MEANS]
    rows.append(["images", *map(_number, found["images"].values())])
    if not figure.limited:
        return text(f"{figure.name}, percent", detectors, rows)
    rows.append(["images above 3 %", *map(_number, _above(own, detectors).values())])
    rows += _parts(own, detectors, group_of) + _parts(own, detectors, form_of)
    worst = table(own, detectors, image_of, worst=figure.worst, rows=WORST_IMAGES)
    return "\n".join(
        (
            text(f"{figure.name}, percent", detectors, rows),
            text(f"{figure.name}, worst images", detectors, worst),
        )
    )


def _parts(
    own: Sequence[Count], detectors: Sequence[str], key: Callable[[Count], str]
) -> list[list[str]]:
    """Means over the regions of each part of the images."""
    return [
        [f"  {name}", *map(percent, means(part, detectors)[MEANS[0]].values())]
        for name, part in by(own, key).items()
    ]


def _number(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.0f}"
