"""Options of `cloudfree report`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.options import OverwriteOptions, ReachOptions
from cloudfree.report.page_size import LARGEST_PAGE_MB


@dataclass(frozen=True)
class ReportOptions(OverwriteOptions, ReachOptions):
    """The options of `cloudfree report`; names equal its parameters.

    `results` are files, or one folder of them, whose index is `output`; `max_size` is that of each
    page in MB; without `pages` a folder gets its index alone. `allow_remote` is for what the user
    names, such as `truth`: what the tags of results name is opened on this computer alone.
    """

    results: tuple[Path, ...]
    output: Path | None = None
    truth: tuple[Path, ...] = ()
    quicklooks: Path | None = None
    max_size: float = LARGEST_PAGE_MB
    pages: bool = True
