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
# What fills them: all that is known, the network by itself, or all but the network.
FillBy = Literal["auto", "network", "scene"]
ScoreDtype = Literal["float32", "uint8"]
TrainingPrecision = Literal["fp32", "bf16", "fp16"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
ProtocolName = Literal["native", "glf-cr", "uncrtaints"]
# What counts as cover of a patch, by the published detector.
CoverOf = Literal["cloud-and-shadow", "cloud"]
SplitChoice = Literal["test", "val", "train", "all"]
CloudKind = Literal["cumulus", "cirrus", "haze", "real", "mixed"]
Optimiser = Literal["adam", "adamw", "nadam", "sgd"]
# What a batch is made of: patches as they are, or a mixture of scenes, real and simulated.
Sampling = Literal["patches", "mixture"]
Schedule = Literal["constant", "step", "cosine", "linear"]

# What tells clouds from ground: the network that comes with the package, the published score, the
# score as a paper prints it, or a package of its own.
DetectorName = Literal["default", "published", "printed", "s2cloudless", "omnicloudmask"]

# The mask that is the scene classification of the product, and what else a mask may be.
SCL: Literal["scl"] = "scl"
MaskPath = Path | Literal["scl"]

# How far clouds and shadows are dilated in a mask that is made here; one that is given stays.
DILATION = "40m"
# Minimum score of a cloud, and greatest snow index, of the published detector (Schmitt et al. 2019
# as Meraner et al. 2020 apply it).
PUBLISHED_THRESHOLD, PUBLISHED_NDSI = 0.2, 0.6


def mask_path(text: str) -> MaskPath:
    """A path, or the scene classification of the product; a file of that name is `./scl`."""
    return SCL if text == SCL else Path(text)


@dataclass(frozen=True, kw_only=True)
class MaskSettings:
    """What decides the classes of a mask; `mask` and `remove` share these defaults.

    `threshold` is the probability or score from which on a pixel is cloud, None for that of the
    `detector`; `dilate` is a distance in metres (40m) or pixels (4px). Of the published detector
    alone: `ndsi` is the snow index above which a pixel is no cloud, and `sensitive` also finds
    small clouds above dark ground, and cirrus and haze beside clouds.
    """

    detector: DetectorName = "default"
    threshold: float | None = None
    ndsi: float = PUBLISHED_NDSI
    sensitive: bool = True
    shadow: bool = True
    dilate: str = DILATION


# The published detector as its papers apply it.
PUBLISHED_MASK = MaskSettings(detector="published", sensitive=False, dilate="0")
# The published detector as `remove` applied it before there was the default one; what scores and
# training samples were made with.
PUBLISHED_SENSITIVE = MaskSettings(detector="published")

# References of one scene at most: each has a class of its own in the mask of filled pixels.
MAX_REFERENCES = 8
