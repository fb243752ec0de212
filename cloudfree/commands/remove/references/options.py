"""Options of a removal that may use other dates."""

from __future__ import annotations

from dataclasses import dataclass

from cloudfree.commands.options import ReferenceOptions
from cloudfree.commands.remove.options import RemovalOptions


@dataclass(frozen=True, kw_only=True)
class ReferencedRemoval(RemovalOptions, ReferenceOptions):
    """How clouds are removed, and what other dates are used for it."""
