"""Scored cases with figures that are easy to count with."""

from __future__ import annotations

from typing import Any

from cloudfree.commands.evaluate.series.fills import FILLS, OURS
from cloudfree.commands.evaluate.series.scoring import Closeness, ScoredCase


def scored_case(psnr: float = 30.0, **changes: Any) -> ScoredCase:
    """A case whose fills all have 20 dB but for ours, and whose nearest reference is of day 10."""
    figures = {fill: Closeness(20.0, 5.0, 0.05) for fill in FILLS}
    figures[OURS] = Closeness(psnr, 2.0, 0.01)
    values: dict[str, Any] = {
        "sources": "both", "truth": "2018-05-01", "cover": "2018-07-01", "cover_share": 0.3,
        "clear_pixels": 700, "scored_pixels": 300, "references": ("2018-05-11", "2018-03-01"),
        "days": (10.0, -61.0), "figures": figures, "within_1": 0.7, "within_2": 0.9,
        "over_gain_db": psnr - 20.0,
    }  # fmt: skip
    return ScoredCase(**values | changes)
