"""SEN12MS-CR-TS: how its files are named, and its official split.

Layout: `ROIs1868/100/S2/3/s2_ROIs1868_100_ImgNo_3_2018-02-14_patch_97.tif`, the same with `S1` and
`s1` and the day of the radar image; 53 places with 30 dates of 2018; patches of 256 x 256 pixels.
The file names alone identify a patch and its date, so the folders do not matter.

Source: Ebel et al., IEEE TGRS 60, 2022, doi:10.1109/TGRS.2022.3146246; names and split are those of
the data set's own repository, https://github.com/PatrickTUM/SEN12MS-CR-TS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cloudfree.datasets.split_file import Split

# As many dates as the published networks are shown.
INPUT_DATES = 3

_NAME = re.compile(
    r"(?P<sensor>s1|s2)_(?P<place>ROIs\d+_\d+)_ImgNo_(?P<number>\d+)"
    r"_(?P<day>\d{4}-\d\d-\d\d)_patch_(?P<patch>\d+)"
)

_ROIS: Mapping[Split, Mapping[str, tuple[int, ...]]] = {
    "test": {
        "ROIs1158": (106,),
        "ROIs1868": (73, 100, 119, 142),
        "ROIs1970": (20, 132, 139),
        "ROIs2017": (32, 63, 103, 108, 140),
    },
    "val": {
        "ROIs1868": (17, 127),
        "ROIs1970": (65,),
        "ROIs2017": (22, 117),
    },
    "train": {
        "ROIs1868": (36, 56, 85, 114, 121, 126, 139, 143),
        "ROIs1970": (
            21, 35, 40, 57, 71, 82, 83, 91, 112, 116, 119, 128, 133, 135, 142, 144, 149,
        ),
        "ROIs2017": (8, 25, 49, 61, 69, 75, 115, 116, 130, 146),
    },
}  # fmt: skip

_SPLIT_OF: Mapping[str, Split] = {
    f"{collection}_{roi}": split
    for split, collections in _ROIS.items()
    for collection, numbers in collections.items()
    for roi in numbers
}


@dataclass(frozen=True)
class SeriesFileName:
    """The parts of the name of a file of the data set; `number` counts the dates of a place."""

    place: str
    patch: str
    number: int
    sensor: str
    day: date


def parse_series_name(stem: str) -> SeriesFileName | None:
    """The parts of a name such as `s2_ROIs1868_100_ImgNo_3_2018-02-14_patch_97`, or None."""
    found = _NAME.fullmatch(stem)
    if found is None:
        return None
    try:
        day = date.fromisoformat(found["day"])
    except ValueError:
        return None
    patch = f"p{found['patch']}"
    return SeriesFileName(found["place"], patch, int(found["number"]), found["sensor"], day)


def split_of_series(place: str) -> Split | None:
    """The split that a place such as `ROIs1868_100` belongs to, by its whole name."""
    return _SPLIT_OF.get(place)
