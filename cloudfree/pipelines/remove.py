"""`cloudfree remove`: scene in, cloud-free georeferenced image out."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloudfree import __version__
from cloudfree.clouds.classes import REQUIRED_BANDS
from cloudfree.core.marks import MARK_COLOURS, Mark
from cloudfree.core.model_card import ModelCard
from cloudfree.core.progress import Progress
from cloudfree.core.tile_plan import TilePlan
from cloudfree.errors import InputError, OutputError
from cloudfree.io.cog import CogProfile, CogWriter, refuse_existing
from cloudfree.io.mask_file import MaskFile
from cloudfree.io.optical import OpticalScene
from cloudfree.io.output_name import beside
from cloudfree.io.radar import Radar, open_radar
from cloudfree.pipelines.gap import MAX_GAP_DAYS, check_gap, gap_tags
from cloudfree.pipelines.mask import MaskSettings, plan_mask, write_mask
from cloudfree.pipelines.registration import NOT_USED, Measurement, measure, shift_tags
from cloudfree.pipelines.restoration import Restoration
from cloudfree.runtimes.load import find_card, load_model
from cloudfree.runtimes.model import Model
from cloudfree.runtimes.shelf import DEFAULT_MODEL

logger = logging.getLogger("cloudfree")

# The level of models that were trained on pictures for the eye.
PICTURE = "picture"


@dataclass(frozen=True)
class RemoveOptions:
    """What the user asked for; field by field the options of the command line."""

    s2: Path
    s1: Path | None = None
    output: Path | None = None
    model: str = DEFAULT_MODEL
    network: str | None = None
    mask: Path | None = None
    replace: str = "clouds"
    dilate: str = "40m"
    tile: int | None = None
    overlap: int | None = None
    batch: int | None = None
    device: str = "auto"
    precision: str = "auto"
    shift: str = "auto"
    max_shift: float = 8.0
    s1_units: str = "auto"
    dem: Path | None = None
    max_gap: float = MAX_GAP_DAYS
    s2_offset: float | None = None
    report: Path | None = None
    dry_run: bool = False
    overwrite: bool = False
    creation_options: Mapping[str, str] = field(default_factory=dict)

    @property
    def result(self) -> Path:
        """Where the cloud-free scene goes."""
        return self.output or beside(self.s2, "cloudfree.tif")

    @property
    def marks(self) -> Path:
        """Where the marks of restored pixels go."""
        return self.result.with_name(f"{self.result.stem}_filled.tif")


@dataclass(frozen=True)
class RemoveResult:
    """What was done; `restored` and `unseen` are shares of the valid pixels."""

    output: Path
    filled: Path
    model: str
    runtime: str
    tiles: int
    restored: float | None
    unseen: float | None
    shift_px: Mapping[str, float]
    shift_applied: bool
    shift_reason: str
    written: bool

    def summary(self) -> str:
        """A few lines for people."""
        done = "nothing written (dry run)" if self.restored is None else (
            f"{self.restored:.1%} of the pixels restored, marked in {self.filled.name}"
        )  # fmt: skip
        shift = "{row:+.2f} rows, {col:+.2f} columns".format(**self.shift_px)
        return (
            f"{self.output}\n  {done}\n  {self.tiles} tiles, model {self.model}, {self.runtime}\n"
            f"  Sentinel-1 shift {shift}: {self.shift_reason}"
        )


def run(options: RemoveOptions, progress: Progress) -> RemoveResult:
    """Restore a scene and write it.

    Raises
    ------
    CloudfreeError
        Inputs that do not fit each other or the model, or an output that cannot be written.
    """
    _refuse_outputs(options)
    card = find_card(options.model, options.network).card
    with ExitStack() as stack:
        optical = stack.enter_context(OpticalScene(options.s2, options.s2_offset))
        optical.require(card.optical_bands, f"model {card.name}")
        _refuse_level(optical, card)
        sar = _open_sar(options, card, stack)
        if sar:
            check_gap(sar.acquisition, optical.acquisition, options.max_gap)
        plan = _tile_plan(options, optical, card)
        model = load_model(options.model, options.device, options.precision, options.network)
        logger.info("model %s, %s", card.name, model.runtime.description)
        mask = stack.enter_context(_mask(options, optical, progress))
        measurement = NOT_USED
        if sar:
            measurement = measure(sar, optical, mask, options.shift, options.max_shift)
        scene = Restoration(optical, sar, mask, model, measurement.applied_shift)
        counts = None if options.dry_run else _write(options, scene, plan, measurement, progress)
    if options.report and counts:
        _report(options, progress)
    return _result(options, model, plan, measurement, counts)


def _refuse_level(optical: OpticalScene, card: ModelCard) -> None:
    """Refuse a picture for a model that wants reflectance; warn of what it was not trained on."""
    if optical.is_picture and PICTURE not in card.levels:
        raise InputError(
            f"8-bit numbers in {optical.name}",
            wanted=f"reflectance as 16-bit digital numbers or floats, for model {card.name}",
            hint="give the product's own bands, not its true-colour picture",
        )
    if not optical.is_picture and PICTURE in card.levels:
        logger.warning(
            "model %s was trained on 8-bit pictures: reflectance may look dark to it", card.name
        )
    elif optical.level and optical.level not in card.levels and not optical.is_picture:
        logger.warning(
            "%s is %s, model %s was trained on %s: what it restores may not match its surroundings",
            optical.name, optical.level, card.name, " and ".join(card.levels),
        )  # fmt: skip


def _open_sar(options: RemoveOptions, card: ModelCard, stack: ExitStack) -> Radar | None:
    """The radar scene, if the network looks at one."""
    if not card.uses_sar:
        if options.s1:
            logger.info("model %s does not use Sentinel-1: it is left aside", card.name)
        return None
    if options.s1 is None:
        raise InputError(
            "no Sentinel-1 scene",
            wanted=f"VV and VH, which model {card.name} needs",
            hint="give one with --s1, or a model that works without",
        )
    sar = stack.enter_context(open_radar(options.s1, options.s1_units, options.dem))
    logger.info("Sentinel-1 in %s (%s)", sar.units.quantity, sar.units.reason)
    return sar


@dataclass
class _Counts:
    """Pixels so far: with data, to be restored, restored."""

    valid: int = 0
    wanted: int = 0
    filled: int = 0


def _refuse_outputs(options: RemoveOptions) -> None:
    """Refuse outputs that exist, or that would replace an input."""
    inputs = [path.resolve() for path in (options.s1, options.s2, options.mask) if path]
    for path in filter(None, (options.result, options.marks, options.report)):
        if path.resolve() in inputs:
            raise OutputError(
                f"{path} is an input and an output",
                wanted="a name of its own for the output",
                hint="choose another name with -o",
            )
        if not options.dry_run:
            refuse_existing(path, options.overwrite)


def _tile_plan(options: RemoveOptions, optical: OpticalScene, card: ModelCard) -> TilePlan:
    """The user's tiles, or the card's; an overlap that was not asked for keeps the card's share."""
    tile = options.tile or card.tile
    overlap = options.overlap
    if overlap is None:
        overlap = card.overlap * tile // card.tile
    return TilePlan(optical.grid.height, optical.grid.width, tile, overlap)


@contextmanager
def _mask(
    options: RemoveOptions, optical: OpticalScene, progress: Progress
) -> Iterator[MaskFile | None]:
    """The user's mask, or one made in a temporary folder; none where all is to be restored."""
    if options.replace == "all":
        yield None
        return
    if options.mask:
        with MaskFile(options.mask, optical.grid) as mask:
            yield mask
        return
    if missing := [band for band in REQUIRED_BANDS if band not in optical.bands]:
        raise InputError(
            f"no band {', '.join(missing)} in {optical.name}",
            wanted="the bands of the cloud mask, or a mask",
            hint="give one with --mask, or restore every pixel with --replace all",
        )
    with tempfile.TemporaryDirectory(prefix="cloudfree-") as folder:
        path = Path(folder) / "mask.tif"
        settings = MaskSettings(dilate=options.dilate)
        write_mask(optical, path, plan_mask(optical, settings, progress), progress, {})
        with MaskFile(path, optical.grid) as mask:
            yield mask


def _write(
    options: RemoveOptions,
    scene: Restoration,
    plan: TilePlan,
    measurement: Measurement,
    progress: Progress,
) -> _Counts:
    """Write the result and its marks, row by row."""
    tags = _tags(options, scene.model, measurement)
    if scene.sar:
        tags.update(gap_tags(scene.sar.acquisition, scene.optical.acquisition))
    profile = scene.optical.profile(tags, options.creation_options)
    counts, grid = _Counts(), scene.optical.grid
    with (
        CogWriter(options.marks, grid, _marks_profile()) as marks,
        CogWriter(options.result, grid, profile) as result,
    ):
        for rows in scene.rows(plan, options.batch or scene.model.runtime.batch, progress):
            result.write(rows.window, rows.pixels)
            marks.write(rows.window, _marks(rows.filled, rows.valid)[None])
            counts.valid += int(rows.valid.sum())
            counts.wanted += rows.wanted
            counts.filled += int(rows.filled.sum())
        warnings = _check(counts)
        result.tag(CLOUDFREE_WARNINGS=" | ".join(warnings))
    for warning in warnings:
        logger.warning(warning)
    return counts


def _check(counts: _Counts) -> list[str]:
    """What the user should know of the result; it is refused if nothing could be restored."""
    if not counts.wanted:
        return ["nothing to restore: the mask has no cloud and no shadow"]
    if not counts.filled:
        raise InputError(
            "no Sentinel-1 pixel over any of the clouds",
            wanted="a Sentinel-1 scene that covers what is to be restored",
            hint="give another Sentinel-1 scene of the same place",
        )
    left = 1 - counts.filled / counts.wanted
    warnings = []
    if left:
        warnings.append(f"{left:.1%} of the clouds have no Sentinel-1 and stay as they were")
    if counts.wanted == counts.valid:
        warnings.append("no clear pixel in the scene: its colours come from the model alone")
    return warnings


def _marks(filled: NDArray[np.bool_], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    marks = np.where(filled, Mark.RECONSTRUCTED, Mark.ORIGINAL)
    return np.where(valid, marks, Mark.NODATA).astype(np.uint8)


def _marks_profile() -> CogProfile:
    return CogProfile(
        dtype="uint8",
        nodata=Mark.NODATA,
        descriptions=("filled",),
        tags={f"CLASS_{mark.value}": mark.name.lower() for mark in Mark},
        colours={mark.value: colour for mark, colour in MARK_COLOURS.items()},
        overview_resampling="MODE",
    )


def _tags(options: RemoveOptions, model: Model, measurement: Measurement) -> dict[str, str]:
    """Where the result comes from; paths are relative to its folder."""
    folder = options.result.parent

    def relative(path: Path) -> str:
        return Path(os.path.relpath(path, folder)).as_posix()

    tags = {
        "CLOUDFREE_VERSION": __version__,
        "CLOUDFREE_MODEL": model.card.name,
        "CLOUDFREE_MODEL_SHA256": model.card.weights_sha256,
        "CLOUDFREE_MODEL_LICENSE": model.card.license,
        "CLOUDFREE_S2": relative(options.s2),
        "CLOUDFREE_FILLED": options.marks.name,
        **shift_tags(measurement),
    }
    if options.s1 and model.card.uses_sar:
        tags["CLOUDFREE_S1"] = relative(options.s1)
    if options.dem:
        tags["CLOUDFREE_DEM"] = relative(options.dem)
    if options.mask:
        tags["CLOUDFREE_MASK"] = relative(options.mask)
    if options.s2_offset is not None:
        tags["CLOUDFREE_S2_OFFSET"] = f"{options.s2_offset:g}"
    return tags


def _report(options: RemoveOptions, progress: Progress) -> None:
    from cloudfree.pipelines import report

    assert options.report is not None
    report.run(
        report.ReportOptions((options.result,), options.report, overwrite=options.overwrite),
        progress,
    )


def _result(
    options: RemoveOptions,
    model: Model,
    plan: TilePlan,
    measurement: Measurement,
    counts: _Counts | None,
) -> RemoveResult:
    valid = max(counts.valid, 1) if counts else 1
    return RemoveResult(
        output=options.result,
        filled=options.marks,
        model=model.card.name,
        runtime=model.runtime.description,
        tiles=len(plan),
        restored=counts.filled / valid if counts else None,
        unseen=(counts.wanted - counts.filled) / valid if counts else None,
        shift_px=measurement.shift_px,
        shift_applied=measurement.applied,
        shift_reason=measurement.reason,
        written=counts is not None,
    )
