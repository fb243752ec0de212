"""What `cloudfree batch` is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from cloudfree.commands.batch.scenes import ScenePair
from cloudfree.commands.remove.options import RemovalOptions, RemoveOptions

State = Literal["restored", "checked", "skipped", "failed"]

# Some scenes of a batch failed.
EXIT_SOME_FAILED = 3


@dataclass(frozen=True, kw_only=True)
class BatchOptions(RemovalOptions):
    """What the user asked for; field by field the options of the command line."""

    source: Path
    output: Path
    jobs: int = 1
    scheduler: str | None = None
    shard: str | None = None
    skip_existing: bool = False

    def of_scene(self, pair: ScenePair) -> RemoveOptions:
        """What `cloudfree remove` is asked for one of the scenes."""
        shared = {one.name: getattr(self, one.name) for one in fields(RemovalOptions)}
        if self.skip_existing:  # where the result is missing, what else is there is a left-over
            shared["overwrite"] = True
        result = self.output / f"{pair.name}_cloudfree.tif"
        return RemoveOptions(s2=pair.s2, s1=pair.s1, mask=pair.mask, output=result, **shared)


@dataclass(frozen=True)
class SceneOutcome:
    """How one scene ended; `restored` is the share of its valid pixels that were restored.

    `message` says why it failed; `warnings` are those of `cloudfree remove`.
    """

    name: str
    state: State
    s2: Path
    s1: Path | None
    output: Path
    seconds: float = 0.0
    restored: float | None = None
    message: str = ""
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """A line for people."""
        if self.state == "failed":
            return f"{self.name}: failed: {self.message}"
        if self.state == "skipped":
            return f"{self.name}: skipped: {self.output.name} exists"
        share = "" if self.restored is None else f", {self.restored:.1%} of the pixels"
        return f"{self.name}: {self.state}{share}, {self.seconds:.0f} s"


@dataclass(frozen=True)
class BatchResult:
    """How all scenes ended, in the order of their names, and the log that tells of each."""

    scenes: tuple[SceneOutcome, ...]
    log: Path | None

    @property
    def exit_code(self) -> int:
        """0, or 3 where some failed."""
        return EXIT_SOME_FAILED if self._count("failed") else 0

    def summary(self) -> str:
        """The counts, and the scenes that failed."""
        states: tuple[State, ...] = ("restored", "checked", "skipped", "failed")
        counts = [f"{self._count(state)} {state}" for state in states if self._count(state)]
        failed = [f"  {one.summary()}" for one in self.scenes if one.state == "failed"]
        where = f"; {self.log}" if self.log else ""
        scenes = f"{len(self.scenes)} scene{'s' if len(self.scenes) != 1 else ''}"
        return "\n".join([f"{scenes}: {', '.join(counts)}{where}", *failed])

    def _count(self, state: State) -> int:
        return sum(one.state == state for one in self.scenes)
