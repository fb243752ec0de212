"""One of several processes that train together: `python -m tests.factories.rank FOLDER`.

The environment tells which one it is, as that of torchrun does.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from cloudfree.training.distributed import Processes, join_processes
from cloudfree.training.step import train_step
from tests.factories.tiny_training import batch, begin


def train(processes: Processes, norm: bool, steps: int, size: int) -> dict[str, Any]:
    """The network after steps on the part of each batch that belongs to this process."""
    run, plan = begin("l1", processes, norm, learning_rate=0.1)
    own = slice(processes.rank * size, (processes.rank + 1) * size)
    for step in range(steps):
        train_step(run, plan, batch(processes.count * size, seed=step, part=own))
    return run.model.network.state_dict()


if __name__ == "__main__":
    with join_processes("cpu") as joined:
        found = {
            "plain": train(joined, norm=False, steps=2, size=2),
            "normed": train(joined, norm=True, steps=1, size=2),
            "names": joined.gather([f"seen by {joined.rank}", "seen by all"]),
        }
        joined.wait()
        torch.save(found, Path(sys.argv[1]) / f"{joined.rank}.pt")
