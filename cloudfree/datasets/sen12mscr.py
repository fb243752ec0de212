"""SEN12MS-CR: how its files are named, and its official split.

Layout: `ROIs1158_spring_s1/s1_106/ROIs1158_spring_s1_106_p30.tif`, the same with `s2` and
`s2_cloudy`; patches of 256 x 256 pixels of 10 m. The file names alone identify a patch, so the
folders do not matter.

Source: Ebel et al., IEEE TGRS 59(7), 2021, doi:10.1109/TGRS.2020.3024744; the split is that of
UnCRtainTS, data/dataLoader.py (Ebel et al., CVPR Workshops 2023).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "val", "test"]
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

_ROIS: Mapping[Split, Mapping[str, tuple[int, ...]]] = {
    "test": {
        "ROIs1158_spring": (31, 44, 106, 123, 140),
        "ROIs1868_summer": (73, 119),
        "ROIs1970_fall": (139,),
        "ROIs2017_winter": (63, 108),
    },
    "val": {
        "ROIs1158_spring": (17,),
        "ROIs1868_summer": (17, 19, 80, 127),
        "ROIs1970_fall": (65,),
        "ROIs2017_winter": (22, 84, 107, 130),
    },
    # Summer 100 is here, though the split of SEN12MS-CR-TS has it in its test part.
    "train": {
        "ROIs1158_spring": (
            1, 6, 8, 9, 15, 21, 26, 39, 40, 45, 58, 63, 66, 75, 77, 97, 100, 101, 109, 110, 113,
            115, 117, 119, 120, 121, 124, 126, 128, 132, 134, 141, 142, 145, 147,
        ),
        "ROIs1868_summer": (
            4, 7, 11, 15, 25, 27, 31, 36, 40, 42, 43, 47, 55, 56, 72, 76, 86, 87, 89, 90, 93, 95,
            100, 101, 102, 113, 114, 115, 120, 121, 123, 124, 125, 126, 132, 133, 135, 137, 139,
            140, 143, 146, 147,
        ),
        "ROIs1970_fall": (
            1, 3, 4, 6, 11, 14, 19, 22, 26, 27, 28, 30, 31, 33, 35, 37, 39, 40, 41, 42, 57, 64, 71,
            77, 81, 82, 83, 85, 88, 91, 93, 100, 104, 105, 107, 109, 110, 112, 114, 116, 119, 120,
            122, 125, 128, 131, 133, 134, 135, 136, 141, 142, 144, 147, 148, 149,
        ),
        "ROIs2017_winter": (
            8, 21, 25, 42, 47, 49, 55, 59, 61, 62, 64, 68, 75, 81, 94, 102, 104, 112, 116, 135, 146,
        ),
    },
}  # fmt: skip


def split_by_place(
    rois: Mapping[Split, Mapping[str, Sequence[int]]],
) -> dict[str, Split]:
    """The split of each place, such as `ROIs1158_106`, of lists of places by collection."""
    return {
        f"{collection}_{roi}": split
        for split, collections in rois.items()
        for collection, numbers in collections.items()
        for roi in numbers
    }


_SPLIT_OF = split_by_place(_ROIS)


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
    return _SPLIT_OF.get(place)
