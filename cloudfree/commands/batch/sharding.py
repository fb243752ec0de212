"""Which part of a list of scenes one of several machines works on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cloudfree.errors import InputError

Item = TypeVar("Item")

# The word for the part that an array job of Slurm has been given.
SLURM = "slurm"
_TASK = ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN")


@dataclass(frozen=True)
class Shard:
    """The part `index`, from 1, of `count` parts that are as long as one another, or longer by one.

    Source of what Slurm tells: sbatch, "Output environment variables".

    Raises
    ------
    InputError
        There is no such part.
    """

    index: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise _no_shard(f"{self.index}/{self.count}")

    @classmethod
    def of_text(cls, text: str, environment: Mapping[str, str]) -> Shard:
        """`2/5`, or `slurm` for that of the array task that the environment tells of."""
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
            )
        task, count, first = (int(environment[name]) for name in _TASK)
        step = int(environment.get("SLURM_ARRAY_TASK_STEP", 1))
        return cls((task - first) // step + 1, count)

    def part(self, items: Sequence[Item]) -> Sequence[Item]:
        """What of the items is in it: each one is in exactly one of the parts."""
        return items[self.index - 1 :: self.count]


def _no_shard(text: str) -> InputError:
    return InputError(
        f"--shard {text}",
        wanted="I/N with I from 1 to N, or slurm",
        hint="number the machines from 1 on; for a Slurm array without gaps, slurm does",
    )
