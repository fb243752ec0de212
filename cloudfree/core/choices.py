"""The words that options take, and the settings of a mask; light, for a quick `--help`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# How bands of 20 and 60 m are resampled to the grid of 10 m.
Resampling = Literal["bilinear", "cubic", "nearest"]
# What the numbers of a Sentinel-1 file are.
SarUnitsChoice = Literal["auto", "db", "linear", "dn"]
ShiftMode = Literal["auto", "none"]
# Which pixels are filled.
Replace = Literal["clouds", "all"]
ScoreDtype = Literal["float32", "uint8"]
TrainingPrecision = Literal["fp32", "bf16", "fp16"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
ProtocolName = Literal["native", "glf-cr", "uncrtaints"]
SplitChoice = Literal["test", "val", "train", "all"]
CloudKind = Literal["cumulus", "cirrus", "haze", "real", "mixed"]
Optimiser = Literal["adam", "adamw", "nadam", "sgd"]
# What a batch is made of: patches as they are, or a mixture of scenes, real and simulated.
Sampling = Literal["patches", "mixture"]
Schedule = Literal["constant", "step", "cosine", "linear"]

# The mask that is the scene classification of the product, and what else a mask may be.
SCL: Literal["scl"] = "scl"
MaskPath = Path | Literal["scl"]

# How far `remove` dilates its mask of clouds and shadows; a mask that is given stays as it is.
DILATION = "40m"


def mask_path(text: str) -> MaskPath:
    """A path, or the scene classification of the product; a file of that name is `./scl`."""
    return SCL if text == SCL else Path(text)


@dataclass(frozen=True, kw_only=True)
class MaskSettings:
    """What decides the classes of a mask.

    `threshold` is the minimum score of a cloud, `ndsi` the snow index above which a pixel is no
    cloud; `sensitive` also finds small clouds above dark ground, and cirrus and haze beside clouds;
    `dilate` is a distance in metres (40m) or pixels (4px).
    """

    threshold: float = 0.2
    ndsi: float = 0.6
    sensitive: bool = False
    shadow: bool = True
    dilate: str = "0"
