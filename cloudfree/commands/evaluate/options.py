"""Options of `cloudfree evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.options import InferenceOptions, OverwriteOptions, ReachOptions
from cloudfree.core.choices import CoverOf, ProtocolName
from cloudfree.datasets.sen12mscr import PATCH_PX
from cloudfree.metrics.cover_bins import BINS


@dataclass(frozen=True)
class EvaluateOptions(InferenceOptions, OverwriteOptions, ReachOptions):
    """The options of `cloudfree evaluate`; names equal its parameters."""

    data: Path
    model: tuple[str, ...]
    split: str | None = None
    hold_out: tuple[str, ...] = ()
    protocol: ProtocolName = "native"
    limit: int | None = None
    cover: CoverOf = "cloud-and-shadow"
    bins: int = BINS
    per_bin: int | None = None
    seed: int = 1
    dates: int | None = None
    patch: int = PATCH_PX
    groups: Path | None = None
    uncertainty: bool = False
    s2_offset: float | None = None
    output: Path | None = None
    pictures: int = 6
    show: tuple[str, ...] = ()
