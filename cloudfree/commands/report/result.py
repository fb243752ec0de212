"""What `cloudfree report` wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.report.scene import SceneReport
from cloudfree.report.index_page import FailedScene


@dataclass(frozen=True)
class ReportResult:
    """The page, the pictures beside it, and the metrics in it.

    Of a folder `output` is the index, `pages` are those of its results, and `failures` the scenes
    of the batch that have none.
    """

    output: Path
    quicklooks: tuple[Path, ...]
    scenes: tuple[SceneReport, ...]
    pages: tuple[Path, ...] = ()
    failures: tuple[FailedScene, ...] = ()

    def summary(self) -> str:
        """A table for people."""
        tables = [line for scene in self.scenes for line in scene.lines()]
        failed = [f"{one.name}: failed: {one.message}" for one in self.failures]
        return "\n".join([*tables, *failed, str(self.output)])
