"""Options and result of `cloudfree mask`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.options import (
    AreaOptions,
    ItemOptions,
    OpticalOptions,
    OutputOptions,
    StyleOptions,
    SunOptions,
)
from cloudfree.core.choices import MaskSettings, ScoreDtype
from cloudfree.core.output_files import item_of, style_of
from cloudfree.sentinel2.product import output_beside


@dataclass(frozen=True, kw_only=True)
class MaskOptions(
    MaskSettings,
    OpticalOptions,
    SunOptions,
    AreaOptions,
    OutputOptions,
    StyleOptions,
    ItemOptions,
):
    """The options of `cloudfree mask`; names equal its parameters."""

    scene: Path
    output: Path | None = None
    score: Path | None = None
    score_dtype: ScoreDtype = "float32"

    @property
    def result(self) -> Path:
        """Path of the mask: `output`, or a file beside the scene."""
        return self.output or output_beside(self.scene, "mask.tif")

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Paths of all files that this run writes."""
        style = style_of(self.result) if self.qml else None
        item = item_of(self.result) if self.stac else None
        return tuple(path for path in (self.result, self.score, style, item) if path)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Paths of all inputs."""
        return tuple(path for path in (self.scene, self.aoi) if path)


@dataclass(frozen=True)
class MaskResult:
    """Result of `cloudfree mask`: files, share of each class, the sun, and warnings.

    `fractions` counts classes among the valid pixels, and nodata among all `pixels`.
    """

    output: Path
    score: Path | None
    fractions: dict[str, float]
    pixels: int
    sun_azimuth_deg: float | None
    sun_azimuth_origin: str
    shadow_distance_m: tuple[float, float] | None
    cirrus_test: bool
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """The classes in per cent, and the paths of the files."""
        classes = ", ".join(f"{name} {share:.1%}" for name, share in self.fractions.items())
        return "\n".join([classes, *(str(path) for path in (self.output, self.score) if path)])
