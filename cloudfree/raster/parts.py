"""What the scene itself and the model have to do with filled clouds, and how well each does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cloudfree.raster.tag_numbers import tag_number, tag_share

_WEIGHT = "CLOUDFREE_NETWORK_WEIGHT"
_ERRORS = {
    "scene_error": "CLOUDFREE_ERROR_SCENE",
    "network_error": "CLOUDFREE_ERROR_NETWORK",
    "together_error": "CLOUDFREE_ERROR_TOGETHER",
}


@dataclass(frozen=True)
class Parts:
    """The weight of the model, 0 to 1, beside the scene itself, and the errors of both.

    The scene itself is its radar and its clear ground. Errors are root mean squares in reflectance,
    on clear ground that was hidden for it.
    """

    network_weight: float
    scene_error: float
    network_error: float
    together_error: float

    def summary(self) -> str:
        """One line for people."""
        return (
            f"filled by the model ({self.network_weight:.0%}) and the scene itself; error on clear "
            f"ground {self.together_error:.4f} (model alone {self.network_error:.4f}, scene alone "
            f"{self.scene_error:.4f})"
        )

    def to_tags(self) -> dict[str, str]:
        """The tags of the result."""
        errors = {tag: f"{getattr(self, name):.5f}" for name, tag in _ERRORS.items()}
        return {_WEIGHT: f"{self.network_weight:.3f}", **errors}


def parts_from_tags(tags: Mapping[str, str]) -> Parts | None:
    """The parts that tags tell of; None if one of them is missing or damaged."""
    weight = tag_share(tags.get(_WEIGHT))
    errors = {name: tag_number(tags.get(tag), low=0.0) for name, tag in _ERRORS.items()}
    known = {name: error for name, error in errors.items() if error is not None}
    return Parts(weight, **known) if weight is not None and len(known) == len(errors) else None
