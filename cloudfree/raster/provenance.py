"""What the tags of a result tell about its making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cloudfree.core.displacement import Displacement
from cloudfree.errors import InputError
from cloudfree.raster.displacement_tags import displacement_of_tags


@dataclass(frozen=True)
class Provenance:
    """How `cloudfree remove` made a result; None where its tags do not tell.

    `shift` is what was corrected, in pixels of the result.
    `adapted` tells whether the model was adapted to the scene, and if so what that gained.
    `s2_offset` is what the user had added to the digital numbers.
    `s1_units` is what the numbers of Sentinel-1 were taken for.
    `s2`, `s1`, `dem`, `mask`, `filled` and `uncertainty` are paths relative to the folder of the
    result.
    """

    version: str
    model: str | None
    model_sha256: str | None
    model_license: str | None
    s2: str | None
    s1: str | None
    s1_units: str | None
    dem: str | None
    mask: str | None
    filled: str | None
    uncertainty: str | None
    shift: Displacement
    shift_reason: str | None
    adapted: str | None
    s2_offset: float | None
    warnings: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the result names."""
        named = (self.s2, self.s1, self.dem, self.mask, self.filled, self.uncertainty)
        return tuple(name for name in named if name)


def provenance_of(tags: Mapping[str, str], name: str, height: int, width: int) -> Provenance:
    """The making of the result `name`, of that many pixels, from the tags of its file.

    Raises
    ------
    InputError
        The file was not made by `cloudfree remove`.
    """
    if "CLOUDFREE_VERSION" not in tags:
        raise InputError(
            f"{name} has no CLOUDFREE_VERSION tag",
            wanted="a result of `cloudfree remove`",
            hint="make one with `cloudfree remove --s1 S1 --s2 S2`, or give its _cloudfree.tif",
        )
    warnings = tags.get("CLOUDFREE_WARNINGS", "").split(" | ")
    return Provenance(
        version=tags["CLOUDFREE_VERSION"],
        model=tags.get("CLOUDFREE_MODEL"),
        model_sha256=tags.get("CLOUDFREE_MODEL_SHA256"),
        model_license=tags.get("CLOUDFREE_MODEL_LICENSE"),
        s2=tags.get("CLOUDFREE_S2"),
        s1=tags.get("CLOUDFREE_S1"),
        s1_units=_first_word(tags.get("CLOUDFREE_S1_UNITS", "")),
        dem=tags.get("CLOUDFREE_DEM"),
        mask=tags.get("CLOUDFREE_MASK"),
        filled=tags.get("CLOUDFREE_FILLED"),
        uncertainty=tags.get("CLOUDFREE_UNCERTAINTY"),
        shift=displacement_of_tags(tags, height, width),
        shift_reason=tags.get("CLOUDFREE_SHIFT_REASON"),
        adapted=_adapted(tags),
        s2_offset=float(tags["CLOUDFREE_S2_OFFSET"]) if "CLOUDFREE_S2_OFFSET" in tags else None,
        warnings=tuple(warning for warning in warnings if warning),
    )


def _adapted(tags: Mapping[str, str]) -> str | None:
    if (gain := tags.get("CLOUDFREE_ADAPTED_GAIN_DB")) is None:
        return tags.get("CLOUDFREE_ADAPTED")
    return f"{tags['CLOUDFREE_ADAPTED']}, {float(gain):+.2f} dB on clear ground held out"


def _first_word(text: str) -> str | None:
    return next(iter(text.split()), None)
