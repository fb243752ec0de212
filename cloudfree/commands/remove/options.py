"""Options and result of `cloudfree remove`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloudfree.commands.options import (
    WHOLE,
    AreaOptions,
    DateOptions,
    InferenceOptions,
    ItemOptions,
    OpticalOptions,
    OutputOptions,
    RadarOptions,
    ReferenceOptions,
    StyleOptions,
    SunOptions,
)
from cloudfree.core.choices import (
    DILATION,
    SCL,
    DetectorName,
    FillBy,
    MaskPath,
    MaskSettings,
    Replace,
)
from cloudfree.core.output_files import item_of, style_of
from cloudfree.errors import ErrorCode, InputError
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.sentinel2.product import output_beside

if TYPE_CHECKING:
    from cloudfree.commands.remove.adapt import AdaptationResult
    from cloudfree.commands.remove.audit.finding import Finding
    from cloudfree.commands.remove.references.reference import LeftOut
    from cloudfree.raster.parts import Parts
    from cloudfree.raster.used_reference import UsedReference

# Exit code of a doubtful result with --strict.
DOUBTED = 5


@dataclass(frozen=True, kw_only=True)
class RemovalOptions(
    InferenceOptions,
    OpticalOptions,
    AreaOptions,
    RadarOptions,
    OutputOptions,
    StyleOptions,
    ItemOptions,
):
    """How clouds are removed from a scene: the options that `remove` and `batch` share.

    `mask` is a file, an L2A product or the scene classification of the scene, None to make one;
    `mask_threshold` the minimum probability of a cloud in it, 0 to 1. Without `dilate` a mask made
    here is dilated by `DILATION`, and a given one is not. `masks` is a folder that keeps masks made
    here, for runs that use the same scenes. `fill_by` is what fills clouds: all that is known of
    the ground, weighed by how well each part fills clear ground of the scene, the model by itself,
    or all but the model.
    """

    model: str = DEFAULT_MODEL
    replace: Replace = "clouds"
    fill_by: FillBy = "auto"
    mask: MaskPath | None = None
    mask_threshold: float | None = None
    detector: DetectorName = "default"
    dilate: str | None = None
    adapt: bool = False
    tile: int | None = None
    overlap: int | None = None
    batch_size: int | None = None
    uncertainty: bool = False
    write_mask: bool = False
    dry_run: bool = False
    masks: Path | None = None

    @property
    def combines(self) -> bool:
        """Whether clear ground of the scene has a say in what fills its clouds."""
        return self.fill_by != "network" and self.replace == "clouds"

    @property
    def makes_mask(self) -> bool:
        """Whether the mask of a scene is made here."""
        return self.mask is None and self.replace == "clouds"

    @property
    def mask_settings(self) -> MaskSettings:
        """How masks are made here."""
        return MaskSettings(detector=self.detector, dilate=self.dilate or DILATION)


@dataclass(frozen=True, kw_only=True)
class RemoveOptions(RemovalOptions, ReferenceOptions, DateOptions, SunOptions):
    """The options of `cloudfree remove`; names equal its parameters.

    `s1` is one scene, or slices of one pass. `kept` are inputs of other runs, which are not removed
    as files of an earlier result. With `strict` a doubtful result has an exit code of its own.

    Raises
    ------
    InputError
        A threshold without a mask, and as `ReferenceOptions`.
    """

    s2: Path
    s1: tuple[Path, ...] = ()
    output: Path | None = None
    report: Path | None = None
    kept: tuple[Path, ...] = ()
    strict: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mask_threshold is not None and self.mask is None:
            raise InputError(
                f"--mask-threshold {self.mask_threshold:g} without --mask",
                wanted="a raster of cloud probabilities",
                hint="give it with --mask, or leave the threshold out",
                code=ErrorCode.BAD_OPTION,
            )

    @property
    def result(self) -> Path:
        """Path of the cloud-free scene."""
        return self.output or output_beside(self.s2, "cloudfree.tif")

    @property
    def filled_path(self) -> Path:
        """Path of the mask of filled pixels."""
        return self._beside("filled")

    @property
    def uncertainty_path(self) -> Path | None:
        """Path of the standard deviations of filled pixels, None if not requested."""
        return self._beside("uncertainty") if self.uncertainty else None

    @property
    def mask_path(self) -> Path | None:
        """Path of the mask as it is used, None if not requested."""
        return self._beside("mask") if self.write_mask else None

    @property
    def item_path(self) -> Path | None:
        """Path of the STAC item, None if not requested."""
        return item_of(self.result) if self.stac else None

    @property
    def companion_paths(self) -> tuple[Path, ...]:
        """Paths of all rasters that a run may write beside the result, requested or not."""
        return (self.filled_path, self._beside("uncertainty"), self._beside("mask"))

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Paths of all files that this run writes."""
        requested = (self.filled_path, self.uncertainty_path, self.mask_path)
        rasters = [self.result, *(path for path in requested if path)]
        styles = [style_of(path) for path in rasters] if self.qml else []
        others = [path for path in (self.item_path, self.report) if path]
        return (*rasters, *styles, *others)

    @property
    def own_inputs(self) -> tuple[Path, ...]:
        """Paths of all inputs but other dates."""
        mask = None if self.mask == SCL else self.mask
        return tuple(path for path in (*self.s1, self.s2, mask, self.dem, self.aoi) if path)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Paths of all inputs."""
        return (*self.own_inputs, *self.references, *self.reference_s1)

    def _beside(self, what: str) -> Path:
        return self.result.parent / f"{self.result.stem}_{what}.tif"


@dataclass(frozen=True)
class RemoveResult:
    """Result of a run; both fractions are of the valid pixels, None in a dry run.

    `unfilled_fraction` is of pixels under the mask that could not be filled. `mask` is that of
    `--write-mask`; it, `uncertainty` and `adaptation` are None if not requested. `parts` are what
    filled it; None where the model did so by itself. `s1_overlap` is the share of the scene that
    Sentinel-1 covers, 0 to 1, None without it. `findings` are the doubts of the audit, whose
    sentences are among the `warnings`.
    """

    output: Path
    filled: Path
    model: str | None
    runtime: str | None
    tiles: int
    filled_fraction: float | None
    unfilled_fraction: float | None
    shift_px: Mapping[str, float]
    shift_applied: bool
    shift_reason: str
    written: bool
    uncertainty: Path | None = None
    mask: Path | None = None
    warnings: tuple[str, ...] = ()
    adaptation: AdaptationResult | None = None
    parts: Parts | None = None
    references: tuple[UsedReference, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    s1_overlap: float | None = None
    findings: tuple[Finding, ...] = ()
    exit_code: int = 0

    def summary(self) -> str:
        """A few lines of text."""
        done = "nothing written (dry run)" if self.filled_fraction is None else (
            f"{self.filled_fraction:.1%} of the pixels filled, mask in {self.filled.name}"
        )  # fmt: skip
        if self.mask and self.filled_fraction is not None:
            done += f", cloud mask in {self.mask.name}"
        if self.uncertainty and self.filled_fraction is not None:
            done += f", their standard deviations in {self.uncertainty.name}"
        shift = "{row:+.2f} rows, {col:+.2f} columns".format(**self.shift_px)
        lines = [str(self.output), done]
        lines += [one.summary(n) for n, one in enumerate(self.references, start=1)]
        lines += [f"left out: {one.path.name} {one.reason}" for one in self.left_out if one.named]
        if self.model:
            tiles = "1 tile" if self.tiles == 1 else f"{self.tiles} tiles"
            lines.append(f"{tiles}, model {self.model}, {self.runtime}")
        if self.parts:
            lines.append(self.parts.summary())
        lines.append(f"Sentinel-1 shift {shift}: {self.shift_reason}")
        if self.s1_overlap is not None and self.s1_overlap < WHOLE:
            lines.append(f"Sentinel-1 covers {self.s1_overlap:.1%} of the scene")
        if self.adaptation:
            lines.append(self.adaptation.summary())
        return "\n  ".join(lines)
