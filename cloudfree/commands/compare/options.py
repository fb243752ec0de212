"""Options of `cloudfree compare`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cloudfree.commands.options import OverwriteOptions
from cloudfree.metrics.cover_bins import BINS

# Which image of a model is compared: its prediction for every pixel, or the output of `remove`.
ImageChoice = Literal["raw", "written"]


@dataclass(frozen=True)
class CompareOptions(OverwriteOptions):
    """The options of `cloudfree compare`; names equal its parameters.

    `results` are folders or JSON files of `evaluate`, or LABEL=PATH. `gap_days` are the last days
    of groups by time gap, with commas between.
    """

    results: tuple[str, ...]
    image: ImageChoice = "raw"
    baseline: str | None = None
    bins: int = BINS
    dates: Path | None = None
    gap_days: str = "7,14,28"
    show: tuple[str, ...] = ()
    output: Path | None = None
