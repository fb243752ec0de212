"""`cloudfree train --list-ablations`: what each network can be trained without."""

from __future__ import annotations

from cloudfree.core.terminal import text_table
from cloudfree.training.ablations import ablations

HEADS = ("network", "ablation", "leaves out", "source")


def ablation_table() -> str:
    """A line for each ablation: network, name, what it leaves out, table of the paper."""
    rows = [(one.network, one.name, one.without, one.source) for one in ablations()]
    return text_table(HEADS, rows)
