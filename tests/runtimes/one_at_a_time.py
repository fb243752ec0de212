"""What known networks have in common that run one batch after another."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext


class OneAtATime:
    """A runtime that is not ready for batches side by side."""

    def side_by_side(self) -> AbstractContextManager[int]:
        """One."""
        return nullcontext(1)
