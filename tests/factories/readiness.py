"""What known networks are ready for: one batch after another, or several side by side."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from cloudfree.inference.model import Arrays
from tests.factories.patience import PATIENCE_S


class OneAtATime:
    """A runtime that is not ready for batches side by side."""

    def parallel_batches(self) -> AbstractContextManager[int]:
        """One."""
        return nullcontext(1)


class Paired:
    """A runtime that answers 0.2, two batches at once: one that comes alone waits, and fails."""

    description, batch = "paired", 1

    def __init__(self) -> None:
        self.together = threading.Barrier(2)

    def parallel_batches(self) -> AbstractContextManager[int]:
        """Two."""
        return nullcontext(2)

    def run(self, inputs: Arrays) -> Arrays:
        """Wait for the other one."""
        self.together.wait(PATIENCE_S)
        return {"image": np.full_like(inputs["optical"], 0.2)}
