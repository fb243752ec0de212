"""Options and result of `cloudfree batch`, and its shard of the scenes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from cloudfree.commands.options import ReferenceLimits, ReferenceOptions
from cloudfree.commands.remove.options import RemovalOptions, RemoveOptions
from cloudfree.core.choices import MAX_REFERENCES
from cloudfree.errors import ErrorCode, InputError

if TYPE_CHECKING:
    from cloudfree.commands.batch.scenes import ScenePair

Item = TypeVar("Item")

# The text for the shard of a task of a Slurm array job.
SLURM = "slurm"
_TASK = ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN")


@dataclass(frozen=True)
class Shard:
    """Shard `index`, from 1, of `count` shards whose lengths differ by at most one.

    Source of Slurm's variables: sbatch, "Output environment variables".

    Raises
    ------
    InputError
        There is no such shard.
    """

    index: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise _no_shard(f"{self.index}/{self.count}")

    @classmethod
    def from_text(cls, text: str, environment: Mapping[str, str]) -> Shard:
        """`2/5`, or `slurm` for that of the array task in the environment."""
        if text == SLURM:
            return cls._of_array_task(environment)
        if found := re.fullmatch(r"(\d+)/(\d+)", text):
            return cls(int(found[1]), int(found[2]))
        raise _no_shard(text)

    @classmethod
    def _of_array_task(cls, environment: Mapping[str, str]) -> Shard:
        if missing := [name for name in _TASK if name not in environment]:
            raise InputError(
                f"no {missing[0]} in the environment",
                wanted="a task of an array job for --shard slurm",
                hint="run it with `sbatch --array=1-N`, or give --shard I/N",
                code=ErrorCode.BAD_OPTION,
            )
        task, count, first = (int(environment[name]) for name in _TASK)
        step = int(environment.get("SLURM_ARRAY_TASK_STEP", 1))
        return cls((task - first) // step + 1, count)

    def part(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items of this shard; each item is in exactly one shard."""
        return items[self.index - 1 :: self.count]


def _no_shard(text: str) -> InputError:
    return InputError(
        f"--shard {text}",
        wanted="I/N with I from 1 to N, or slurm",
        hint="number the machines from 1 on; for a Slurm array without gaps, slurm does",
        code=ErrorCode.BAD_OPTION,
    )


State = Literal["filled", "checked", "skipped", "failed"]

# Some scenes of a batch failed.
EXIT_SOME_FAILED = 3


# Words for --references: as many as `remove` takes, or none.
AUTO, NONE = "auto", "none"


@dataclass(frozen=True, kw_only=True)
class BatchOptions(RemovalOptions, ReferenceLimits):
    """The options of the command line, field by field.

    `references` is `auto`, `none`, or how many other scenes of the batch a scene is filled from at
    most.

    Raises
    ------
    InputError
        Other references than these, or an age out of range.
    """

    source: Path
    output: Path
    jobs: int = 1
    scheduler: str | None = None
    shard: str | None = None
    retries: int = 0
    skip_existing: bool = False
    references: str = AUTO

    def __post_init__(self) -> None:
        super().__post_init__()
        numbers = map(str, range(1, MAX_REFERENCES + 1))
        if self.references not in (AUTO, NONE, *numbers):
            raise InputError(
                f"--references {self.references}",
                wanted=f"{AUTO}, {NONE}, or 1 to {MAX_REFERENCES}",
                hint=f"{AUTO} takes {ReferenceOptions.max_references} at most",
                code=ErrorCode.BAD_OPTION,
            )

    @property
    def max_references(self) -> int:
        """How many references a scene has at most."""
        words = {AUTO: ReferenceOptions.max_references, NONE: 0}
        return words[self.references] if self.references in words else int(self.references)

    def remove_options(
        self, pair: ScenePair, others: Sequence[ScenePair] = (), kept: tuple[Path, ...] = ()
    ) -> RemoveOptions:
        """Options of `cloudfree remove` for one scene, with the other scenes of its place.

        `kept` are inputs of the batch that lie among its results.
        """
        shared = {one.name: getattr(self, one.name) for one in fields(RemovalOptions)}
        if self.skip_existing:  # other files of a missing result are left-overs
            shared["overwrite"] = True
        mask = shared["mask"] = pair.mask or self.mask
        if mask is None:  # of a scene of a list without a mask
            shared["mask_threshold"] = None
        if others:
            shared |= self._reference_options(others)
        result = self.output / f"{pair.name}_cloudfree.tif"
        radar = (pair.s1,) if pair.s1 else ()
        return RemoveOptions(s2=pair.s2, s1=radar, output=result, kept=kept, **shared)

    def _reference_options(self, others: Sequence[ScenePair]) -> dict[str, Any]:
        return {
            "references": tuple(one.s2 for one in others),
            "reference_s1": tuple(one.s1 for one in others if one.s1),
            "max_references": self.max_references,
            "max_age": self.max_age,
            "any_level": self.any_level,
            "of_batch": True,
        }


@dataclass(frozen=True)
class SceneOutcome:
    """Outcome of one scene; both fractions are of its valid pixels, as in `RemoveResult`.

    `message` is the reason of a failure, `code` what it is for programs, and `retry` whether trying
    again may help; `warnings` are those of `cloudfree remove`, `details` what it says with -v;
    `references` are the names of the scenes that it is filled from, the best first.
    """

    name: str
    state: State
    s2: Path
    s1: Path | None
    output: Path
    seconds: float = 0.0
    filled_fraction: float | None = None
    unfilled_fraction: float | None = None
    message: str = ""
    code: ErrorCode | None = None
    retry: bool = False
    attempts: int = 1
    warnings: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    def summary(self) -> str:
        """One line of text."""
        if self.state == "failed":
            return f"{self.name}: failed: {self.message}"
        if self.state == "skipped":
            return f"{self.name}: skipped: {self.output.name} exists"
        share = self.filled_fraction
        of_pixels = "" if share is None else f", {share:.1%} of the pixels"
        if self.unfilled_fraction:
            of_pixels += f" ({self.unfilled_fraction:.1%} cloud, not filled)"
        if self.references:
            of_pixels += f", references {', '.join(self.references)}"
        return f"{self.name}: {self.state}{of_pixels}, {self.seconds:.0f} s"


@dataclass(frozen=True)
class BatchResult:
    """Outcomes of all scenes, in the order of their names, and the path of their log."""

    scenes: tuple[SceneOutcome, ...]
    log: Path | None

    @property
    def exit_code(self) -> int:
        """0, or 3 where some failed."""
        return EXIT_SOME_FAILED if self._count("failed") else 0

    def summary(self) -> str:
        """The counts, and the scenes that failed."""
        states: tuple[State, ...] = ("filled", "checked", "skipped", "failed")
        counts = [f"{self._count(state)} {state}" for state in states if self._count(state)]
        failed = [f"  {one.summary()}" for one in self.scenes if one.state == "failed"]
        where = f"; {self.log}" if self.log else ""
        scenes = f"{len(self.scenes)} scene{'s' if len(self.scenes) != 1 else ''}"
        return "\n".join([f"{scenes}: {', '.join(counts)}{where}", *failed])

    def _count(self, state: State) -> int:
        return sum(one.state == state for one in self.scenes)
