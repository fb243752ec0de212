"""SEN12MS-CR: how its files are named, and its official split.

Layout: `ROIs1158_spring_s1/s1_106/ROIs1158_spring_s1_106_p30.tif`, the same with `s2` and
`s2_cloudy`; patches of 256 x 256 pixels of 10 m. The file names alone identify a patch, so the
folders do not matter.

Source: Ebel et al., IEEE TGRS 59(7), 2021, doi:10.1109/TGRS.2020.3024744; the split is that of
UnCRtainTS, data/dataLoader.py (Ebel et al., CVPR Workshops 2023), in `splits/uncrtaints.csv`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from cloudfree.datasets.split_file import Split, SplitList, read_split

# The name of the official split among the split files.
OFFICIAL = "uncrtaints"

SampleRole = Literal["cloudy", "clear", "s1"]

# Side of a patch of SEN12MS-CR in pixels; scenes are cut into patches of the same side.
PATCH_PX = 256

# All products are older than the offset of -1000, which came in January 2022.
OFFSET_DN = 0.0

_NAME = re.compile(
    r"(?P<collection>ROIs\d+_(?P<season>spring|summer|fall|winter))"
    r"_(?P<kind>s1|s2_cloudy|s2)_(?P<roi>\d+)_(?P<patch>p\d+)"
)
_KINDS: Mapping[str, SampleRole] = {"s1": "s1", "s2_cloudy": "cloudy", "s2": "clear"}


@dataclass(frozen=True)
class FileName:
    """The parts of the name of a file of the data set."""

    place: str
    season: str
    patch: str
    kind: SampleRole


def parse_name(stem: str) -> FileName | None:
    """The parts of a name such as `ROIs1158_spring_s2_cloudy_106_p30`; None for any other name."""
    found = _NAME.fullmatch(stem)
    if found is None:
        return None
    place = f"{found['collection']}_{found['roi']}"
    return FileName(place, found["season"], found["patch"], _KINDS[found["kind"]])


def split_of(place: str) -> Split | None:
    """The split that a place such as `ROIs1158_spring_106` belongs to, by its whole name.

    The published loader keeps a patch if any entry of a split is part of its path. There `s1_1`
    finds `s1_106` too, and six of the ten test places are trained on.
    """
    return _official().get(place)


@cache
def _official() -> Mapping[str, Split]:
    found = read_split(OFFICIAL)
    assert isinstance(found, SplitList)
    return found.part_of
