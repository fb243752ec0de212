"""How long work tells of its progress without knowing who listens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

Step = TypeVar("Step")


class Progress(Protocol):
    """Passes steps through and shows how many of `total` are done.

    `what` names the work and `unit` one of its steps: such as "cloud mask" and "strip".
    """

    def __call__(
        self, steps: Iterable[Step], total: int, what: str, unit: str = "step"
    ) -> Iterator[Step]:
        """Yield the steps unchanged."""
        ...


def silent(steps: Iterable[Step], total: int, what: str, unit: str = "step") -> Iterator[Step]:
    """Pass the steps through and show nothing."""
    del total, what, unit
    yield from steps
