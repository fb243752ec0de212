"""`cloudfree remove`: a cloudy scene in, a cloud-free georeferenced image out."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from cloudfree.commands.area import area_of
from cloudfree.commands.input_files import InputFiles
from cloudfree.commands.remove.audit.scene_audit import SceneAudit
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.combined_filling import CombinedFilling
from cloudfree.commands.remove.filling import Filling, NetworkFilling
from cloudfree.commands.remove.inputs import (
    check_model,
    check_outputs,
    check_polarisations,
    check_sources,
    open_sar,
    predicts_all,
    predicts_reflectance,
    warn_of_level,
)
from cloudfree.commands.remove.network_trials import weighed
from cloudfree.commands.remove.opened import open_inputs
from cloudfree.commands.remove.options import DOUBTED, RemoveOptions, RemoveResult
from cloudfree.commands.remove.outdated_files import outdated_files
from cloudfree.commands.remove.references.shown_dates import ShownDates, shown_dates
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.commands.remove.result_item import check_item
from cloudfree.commands.remove.result_tags import result_tags
from cloudfree.commands.remove.written_scene import Counts, write_scene
from cloudfree.commands.swapped_scenes import swaps_refused
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import REFERENCE_CLASSES
from cloudfree.core.output_files import folders_of
from cloudfree.core.output_set import OutputSet
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress, timed
from cloudfree.errors import ErrorCode, InputError
from cloudfree.gapfilling.gap_filler import GapFiller
from cloudfree.gapfilling.observation import STEADY_PX, averaged_db
from cloudfree.gapfilling.stacking import Stacking
from cloudfree.inference.compositing import NARROW_FEATHER_PX
from cloudfree.inference.load import find_card, load_model
from cloudfree.inference.model import Model
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.registry import load_plugins
from cloudfree.inference.sliding_window import TilePlan
from cloudfree.inference.uncertainty import Uncertainty
from cloudfree.raster.outputs_elsewhere import delete_elsewhere
from cloudfree.raster.parts import Parts
from cloudfree.raster.reach import remote_allowed
from cloudfree.raster.used_reference import UsedReference
from cloudfree.sentinel1.sar_source import SarSource
from cloudfree.sentinel2.optical_scene import OpticalScene

if TYPE_CHECKING:
    from cloudfree.commands.remove.adapt import AdaptationResult

logger = logging.getLogger("cloudfree")

__all__ = ["RemoveOptions", "RemoveResult", "run"]


def run(options: RemoveOptions, progress: Progress) -> RemoveResult:
    """Fill the clouds of a scene and write it.

    Raises
    ------
    CloudfreeError
        Inputs do not fit each other or the model, or an output cannot be written.
    """
    load_plugins(options.plugin)
    with remote_allowed(options.allow_remote):
        return _run(options, progress)


def _run(options: RemoveOptions, progress: Progress) -> RemoveResult:
    check_sources(options)
    outputs = () if options.dry_run else options.outputs
    with folders_of(outputs), swaps_refused(options.s1, options.s2):
        check_outputs(options)
        with ExitStack() as stack:
            removal = _Removal(options, progress, stack)
            result = removal.run()
        if options.report and result.written:
            _report(options, progress)
        return result


class _Removal:
    """One run: what is open, and what fills the scene."""

    def __init__(self, options: RemoveOptions, progress: Progress, stack: ExitStack) -> None:
        self._inputs = InputFiles(options.own_inputs)
        card = find_card(options.model, options.network).card
        optical = stack.enter_context(
            OpticalScene(options.s2, options.s2_offset, options.resampling, area_of(options))
        )
        optical.state(options.s2_date, options.sun_azimuth)
        check_item(options, optical)
        optical.profile({}, options.creation_options).check_creation_options()
        rejection = _rejection(options, card, optical)
        self._plan = _tile_plan(options, optical, card)
        sar = open_sar(options, card, optical, stack)
        lacking = _lacking_polarisation(options, card, sar)
        if lacking:
            options, rejection = replace(options, fill_by="scene"), rejection or lacking
        self._options, self._progress = options, progress
        # Whatever speaks against a model that is needed is said before the mask is made.
        may_do_without = options.references or options.fill_by == "scene"
        self._model = None if may_do_without else self._loaded()
        self._opened = open_inputs(options, sar, optical, self._inputs, stack, progress)
        self._filler = self._fitted(None if rejection else card)
        if rejection and self._filler is None:
            if not self._opened.scene.hides_nothing:
                raise rejection
            self._filler = GapFiller.fit(self._opened.stack, progress)
        if lacking and self._filler:
            self._require_ground(lacking, self._filler)
        self._shown = None if rejection else self._shown_dates(card)
        self._network: RemovalScene | None = None
        self._adapted: AdaptationResult | None = None
        if self._filler is None or (rejection is None and self._helps(card, self._filler)):
            self._network, self._adapted = self._with_network()
        if options.adapt and self._network is None:
            logger.warning("--adapt does nothing here: no model fills this scene")

    def run(self) -> RemoveResult:
        """Write what is asked for."""
        counts = None
        if not self._options.dry_run:
            with timed("filling and writing"):
                counts = self._write()
        return self._result(counts)

    def _write(self) -> Counts:
        options = self._options
        outdated, check = outdated_files(options), self._inputs.require_unchanged
        with OutputSet(options.result, options.overwrite, outdated, check) as outputs:
            counts = write_scene(
                options,
                self._scene,
                self._filling(),
                self._tags,
                outputs,
                self._progress,
                self._audit(),
            )
        delete_elsewhere(outdated)
        return counts

    def _require_ground(self, lacking: InputError, filler: GapFiller) -> None:
        """Refuse a scene that nothing can fill, for lack of a polarisation."""
        opened = self._opened
        known = filler.knows_ground or opened.chosen.references or opened.scene.hides_nothing
        if not known:
            raise InputError(
                f"no clear pixel in the scene, and {lacking.found}",
                wanted=f"clear ground, from which clouds could be filled, or {lacking.wanted}",
                hint="give a Sentinel-1 scene with VV and VH, or another date with --reference",
                code=ErrorCode.NO_DATA,
            )

    def _fitted(self, card: ModelCard | None) -> GapFiller | None:
        """What fills from other dates and from the scene itself; None if nothing does."""
        options, opened = self._options, self._opened
        if options.references and not opened.chosen.references:
            level = logging.INFO if options.of_batch else logging.WARNING
            logger.log(level, "no reference can be used: the scene is filled without")
        if not opened.chosen.references and not self._fills_itself(card):
            return None
        filler = GapFiller.fit(opened.stack, self._progress)
        needed = opened.chosen.references or options.fill_by == "scene"
        return filler if needed or filler.knows_ground else None

    def _fills_itself(self, card: ModelCard | None) -> bool:
        """Whether clear ground may have a say, beside a model unless that is left out."""
        options, scene = self._options, self._opened.scene
        if options.fill_by == "scene":
            return True
        if not options.combines or scene.hides_nothing or options.dry_run:
            return False
        optical = scene.optical
        return bool(card and not optical.is_picture and predicts_reflectance(card, optical.bands))

    def _shown_dates(self, card: ModelCard) -> ShownDates | None:
        """The references that the model is shown itself; None if it fills without them."""
        opened = self._opened
        if self._options.replace == "all" or not predicts_all(card, opened.scene.optical.bands):
            return None
        return shown_dates(card, opened.scene.optical, opened.sar, opened.chosen.references)

    def _helps(self, card: ModelCard, filler: GapFiller) -> bool:
        """Whether a network that can be used fills what references leave, or sees them itself."""
        optical = self._opened.scene.optical
        if self._options.fill_by == "scene":
            return False
        wanted = self._shown is not None or filler.leaves_gaps(optical.grid.window)
        return wanted and predicts_all(card, optical.bands)

    def _loaded(self) -> Model:
        options = self._options
        with timed("loading the model"):
            model = load_model(options.model, options.device, options.precision, options.network)
        logger.info("model %s, %s", model.card.name, model.runtime.description)
        return model

    def _with_network(self) -> tuple[RemovalScene, AdaptationResult | None]:
        """The scene with the model, adapted to its clear pixels if that is requested."""
        opened, options = self._opened, self._options
        model = self._model or self._loaded()
        sar = opened.sar if model.card.uses_sar else None
        shift = opened.measurement.applied_shift
        optical, mask = opened.scene.optical, opened.scene.mask
        scene = RemovalScene(
            optical, mask, sar, model, shift, shown=self._shown, feather_px=self._scene.feather_px
        )
        adapted = None
        if options.adapt and not options.dry_run:
            from cloudfree.commands.remove.adapt import adapt_to_scene

            scene, adapted = adapt_to_scene(scene, self._progress)
        if self._filler and self._shown is None:
            scene = replace(scene, wanted=self._filler.leaves_gaps)
            self._filler = self._weighed(scene, self._filler)
        if not self._stacked:
            if not (options.dry_run and options.combines):
                warn_of_level(optical, model.card)
            if options.uncertainty:
                scene = replace(scene, uncertainty=Uncertainty(scene.model))
        return scene, adapted

    def _weighed(self, scene: RemovalScene, filler: GapFiller) -> GapFiller:
        """The filler with the network as far as it helps on the clear ground of the scene."""
        if self._options.dry_run or not filler.knows_ground:
            return filler
        return weighed(filler, scene, self._plan, self._progress)

    @property
    def _stacked(self) -> Stacking | None:
        return self._filler.stacking if self._filler else None

    @property
    def _parts(self) -> Parts | None:
        found = self._stacked
        if found is None:
            return None
        errors = found.errors
        return Parts(found.weight, errors.scene, errors.network, errors.together)

    def _filling(self) -> Filling:
        network = None
        if self._network:
            usual = self._network.model.batch(self._plan.tile, self._network.dates)
            batch, plan = self._options.batch_size or usual, self._plan
            logger.debug("%d tiles of %d pixels, overlapping by %d, %d at once",
                         len(plan), plan.tile, plan.overlap, batch)  # fmt: skip
            network = NetworkFilling(self._network, plan, batch)
        if self._filler is None:
            assert network is not None
            return network
        return CombinedFilling(self._scene, self._filler, network, self._options.uncertainty)

    def _audit(self) -> SceneAudit:
        """The audit of the result, which compares ground of like radar where there is one."""
        opened, grid = self._opened, self._opened.scene.optical.grid
        sar, shift = opened.sar, opened.measurement.applied_shift

        def radar(window: Window) -> Float32:
            assert sar is not None
            return averaged_db(sar.on_grid(grid, window, shift), STEADY_PX)

        return SceneAudit.of_scene(opened.scene.optical, radar if sar else None)

    @property
    def _scene(self) -> CloudyScene:
        """The scene with the soft edge that suits what fills it."""
        scene = self._opened.scene
        return replace(scene, feather_px=NARROW_FEATHER_PX) if self._filler else scene

    @property
    def _card(self) -> ModelCard | None:
        return self._network.model.card if self._network else None

    def _tags(self, counts: Counts) -> dict[str, str]:
        used = self._used(counts)
        return result_tags(
            self._options, self._opened, self._card, self._adapted, self._parts, used
        )

    def _used(self, counts: Counts | None) -> tuple[UsedReference, ...]:
        """The references, with the shares that they filled of what is counted."""
        folder, references = self._options.result.parent, self._opened.chosen.references
        errors = self._filler.reference_errors if self._filler else ()
        shares = [counts.share(one) if counts else None for one in REFERENCE_CLASSES]
        return tuple(
            one.used(folder, error, share)
            for one, error, share in zip(references, errors, shares, strict=False)
        )

    def _result(self, counts: Counts | None) -> RemoveResult:
        options, measured = self._options, self._opened.measurement
        valid = max(counts.valid, 1) if counts else 1
        return RemoveResult(
            output=options.result,
            filled=options.filled_path,
            model=self._card.name if self._card else None,
            runtime=self._network.model.runtime.description if self._network else None,
            tiles=len(self._plan) if self._network else 0,
            filled_fraction=counts.filled / valid if counts else None,
            unfilled_fraction=(counts.to_fill - counts.filled) / valid if counts else None,
            shift_px=measured.shift_px,
            shift_applied=measured.applied,
            shift_reason=measured.reason,
            written=counts is not None,
            uncertainty=options.uncertainty_path,
            mask=options.mask_path,
            warnings=counts.warnings if counts else (),
            findings=counts.findings if counts else (),
            exit_code=DOUBTED if options.strict and counts and counts.findings else 0,
            adaptation=self._adapted,
            parts=self._parts,
            references=self._used(counts),
            left_out=self._opened.chosen.left_out,
            s1_overlap=measured.overlap if self._opened.sar else None,
        )


def _rejection(options: RemoveOptions, card: ModelCard, optical: OpticalScene) -> InputError | None:
    """Why the model cannot be used, if other dates may do without it."""
    try:
        check_model(options, card, optical)
    except InputError as error:
        if not options.references and options.fill_by != "scene":
            raise
        logger.info("model %s is not used: %s", card.name, error.found)
        return error
    return None


def _lacking_polarisation(
    options: RemoveOptions, card: ModelCard, sar: SarSource | None
) -> InputError | None:
    """Why the model cannot take the radar, if what fills clouds besides may do without it."""
    try:
        check_polarisations(options, card, sar)
    except InputError as error:
        if not options.references and not options.combines:
            raise
        logger.info("model %s is not used: it needs VV and VH, and there is %s",
                    card.name, error.found)  # fmt: skip
        return error
    return None


def _tile_plan(options: RemoveOptions, optical: OpticalScene, card: ModelCard) -> TilePlan:
    """The user's tiles or the card's; the default overlap is the card's fraction of the tile."""
    tile = options.tile or card.tile
    overlap = options.overlap
    if overlap is None:
        overlap = card.overlap * tile // card.tile
    return TilePlan(optical.grid.height, optical.grid.width, tile, overlap)


def _report(options: RemoveOptions, progress: Progress) -> None:
    from cloudfree.commands.report import run as report
    from cloudfree.commands.report.options import ReportOptions

    assert options.report is not None
    report.run(
        ReportOptions((options.result,), options.report, overwrite=options.overwrite),
        progress,
    )
