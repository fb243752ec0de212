"""Options of `cloudfree report`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.options import OverwriteOptions


@dataclass(frozen=True)
class ReportOptions(OverwriteOptions):
    """The options of `cloudfree report`; names equal its parameters."""

    results: tuple[Path, ...]
    output: Path
    truth: tuple[Path, ...] = ()
    quicklooks: Path | None = None
