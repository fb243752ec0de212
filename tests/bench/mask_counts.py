"""Counts of pixels by which masks are judged, and their ratios by region and in the mean.

Every figure is a ratio of two counts: found of what there is, wrong of what is clear, the
intersection of a union. Counts of a region are summed before they are divided, so that a small
image counts little there; in the mean over images every image counts the same, in the mean over
regions every region.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.terminal import text_table

Where = NDArray[np.bool_]
ABSENT = "n/a"


@dataclass(frozen=True)
class Count:
    """`hit` of `total` pixels of an image, for one figure and one detector.

    `group` is the kind of region, `form` level and bands of the image.
    """

    figure: str
    detector: str
    region: str
    image: str
    group: str
    form: str
    hit: int
    total: int


def share(where: Where, among: Where) -> tuple[int, int]:
    """How many of the pixels `among` are `where`, and how many there are."""
    return int((where & among).sum()), int(among.sum())


def overlap(one: Where, other: Where, among: Where) -> tuple[int, int]:
    """Pixels `among` in both, and in either: intersection and union."""
    return int((one & other & among).sum()), int(((one | other) & among).sum())


def is_class(mask: Mask, value: MaskClass) -> Where:
    """True where a mask, (y, x), has a class."""
    return np.asarray(mask == value)


def ratio(counts: Iterable[Count]) -> float | None:
    """Sum of the hits by sum of the totals; None without a pixel."""
    hit, total = 0, 0
    for count in counts:
        hit, total = hit + count.hit, total + count.total
    return hit / total if total else None


def by(counts: Iterable[Count], key: Callable[[Count], str]) -> dict[str, list[Count]]:
    """Counts that have one key together, in the order in which they come."""
    groups: dict[str, list[Count]] = {}
    for count in counts:
        groups.setdefault(key(count), []).append(count)
    return groups


def mean_over(counts: Sequence[Count], key: Callable[[Count], str]) -> float | None:
    """Mean of the ratios of all groups of one key, such as regions; None without any."""
    ratios = [value for one in by(counts, key).values() if (value := ratio(one)) is not None]
    return sum(ratios) / len(ratios) if ratios else None


def region_of(count: Count) -> str:
    """Key of the mean over regions."""
    return count.region


def image_of(count: Count) -> str:
    """Key of the mean over images."""
    return f"{count.region}/{count.image}"


def group_of(count: Count) -> str:
    """Key of the groups of regions."""
    return count.group


def form_of(count: Count) -> str:
    """Key of the levels and numbers of bands."""
    return count.form


def above(counts: Sequence[Count], limit: float) -> int:
    """How many images have a ratio above a limit."""
    ratios = (ratio(one) for one in by(counts, image_of).values())
    return sum(value is not None and value > limit for value in ratios)


def table(
    counts: Sequence[Count],
    detectors: Sequence[str],
    key: Callable[[Count], str],
    *,
    worst: Callable[[Iterable[float]], float] = max,
    rows: int | None = None,
) -> list[list[str]]:
    """A row for each group of one key: its name and its ratio by each detector, in percent.

    Worst first by the worst of the detectors: `worst` is max where little is good, min where much
    is. At most `rows` of them.
    """
    found = {
        name: [ratio(c for c in group if c.detector == detector) for detector in detectors]
        for name, group in by(counts, key).items()
    }
    known = {
        name: [value for value in values if value is not None] for name, values in found.items()
    }
    names = sorted(
        (name for name in found if known[name]),
        key=lambda name: worst(known[name]),
        reverse=worst is max,
    )
    return [[name, *map(percent, found[name])] for name in names[:rows]]


def percent(value: float | None) -> str:
    """A ratio as text."""
    return ABSENT if value is None else f"{100 * value:.2f}"


def means(counts: Sequence[Count], detectors: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Means over images and regions, the median over images, and how many images there are."""
    own = {name: [count for count in counts if count.detector == name] for name in detectors}
    return {
        "mean over regions": {name: mean_over(one, region_of) for name, one in own.items()},
        "mean over images": {name: mean_over(one, image_of) for name, one in own.items()},
        "images": {name: _images(one) for name, one in own.items()},
    }


def _images(counts: Sequence[Count]) -> int:
    return len({image_of(count) for count in counts if count.total})


def text(title: str, detectors: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with its title, a column for each detector."""
    return f"{title}\n{text_table(['', *detectors], rows)}\n"
