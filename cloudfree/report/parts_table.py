"""How much the scene itself and the model count in a result, and their errors, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from cloudfree.raster.parts import Parts


@dataclass(frozen=True)
class PartRow:
    """What filled clouds, how much it counts, and its error in reflectance; all in words."""

    name: str
    weight: str
    error: str


def part_rows(parts: Parts) -> tuple[PartRow, PartRow, PartRow]:
    """The scene itself, the model, and both together.

    Errors are root mean squares on clear ground of the scene that was hidden from both.
    """
    return (
        _row("the scene itself", 1 - parts.network_weight, parts.scene_error),
        _row("the model", parts.network_weight, parts.network_error),
        _row("both", 1.0, parts.together_error),
    )


def _row(name: str, weight: float, error: float) -> PartRow:
    return PartRow(name, f"{100 * weight:.0f} %", f"{error:.4f}")
