"""Options of `cloudfree evaluate --series`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.options import OverwriteOptions, ReachOptions


@dataclass(frozen=True)
class SeriesOptions(OverwriteOptions, ReachOptions):
    """The options of `cloudfree evaluate` that count with `--series`."""

    series: Path
    limit: int | None = None
    s2_offset: float | None = None
    output: Path | None = None
    pictures: int = 6
