"""Opening the other dates that are worth most to a scene."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from cloudfree.commands.input_files import InputFiles
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.made_masks import MadeMasks
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.references.candidates import Candidate, find_candidates
from cloudfree.commands.remove.references.coarse_ground import (
    Bits,
    CoarseGround,
    clear_on,
    coarse_ground,
)
from cloudfree.commands.remove.references.date_on_grid import DateOnGrid
from cloudfree.commands.remove.references.gates import NOTHING_HIDDEN, Gates
from cloudfree.commands.remove.references.radar import dated_radars, radar_of_date
from cloudfree.commands.remove.references.ranking import Ranked, choose
from cloudfree.commands.remove.references.reference import ChosenReferences, LeftOut, Reference
from cloudfree.core.acquisition import Acquisition
from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.dated_names import dated
from cloudfree.core.displacement import NO_SHIFT, describe_displacement
from cloudfree.core.terminal import Progress, captured_warnings
from cloudfree.coregistration.between_dates import ClearGround, DateShift, shift_between
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.area import SceneArea
from cloudfree.raster.warp import placed
from cloudfree.sentinel2.detect_product import find_product
from cloudfree.sentinel2.optical_scene import OpticalScene

logger = logging.getLogger("cloudfree")

# Pixels of the scene around it that are read of a date, for its shift and its mask.
MARGIN_PX = 64

NOT_MEASURED = DateShift(NO_SHIFT, "not measured (--shift none)")


def open_references(
    options: RemoveOptions,
    scene: CloudyScene,
    masks: MadeMasks,
    inputs: InputFiles,
    stack: ExitStack,
    progress: Progress,
    sar_bands: Sequence[str] = SAR_BANDS,
) -> ChosenReferences:
    """The best of the dates that `options` name, open until `stack` is closed.

    Their radar has the bands of that of the scene, `sar_bands`. Files of those that are opened are
    added to `inputs`. What cannot be used is left out
    with a reason, and is no error.

    Raises
    ------
    InputError
        None is left, and `require_references` is set.
    """
    gates = Gates(scene.optical, options)
    search = _Search(
        options, scene, masks, inputs, stack, progress,
        gates, coarse_ground(scene), dated_radars(options.reference_s1), sar_bands,
    )  # fmt: skip
    with ExitStack() as looked_at:
        search.run(find_candidates(options.references, not options.of_batch), looked_at)
    found = ChosenReferences(tuple(search.chosen), tuple(search.left_out))
    if options.require_references and not found.references:
        raise _none_left(found)
    return found


@dataclass(eq=False)
class _Date:
    """A date that passed the first gates; it is open, and what it shows known, once looked at."""

    candidate: Candidate
    acquisition: Acquisition
    days: float | None
    files: ExitStack
    ground: DateOnGrid | None = None
    clear: Bits | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass(eq=False)
class _Search:
    """The dates for one scene: chosen so far, and left out."""

    options: RemoveOptions
    scene: CloudyScene
    masks: MadeMasks
    inputs: InputFiles
    stack: ExitStack
    progress: Progress
    gates: Gates
    coarse: CoarseGround
    radars: Mapping[Path, Acquisition]
    sar_bands: Sequence[str]
    chosen: list[Reference] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def run(self, candidates: Iterable[Candidate], files: ExitStack) -> None:
        """Choose from these; all that is opened meanwhile is closed with `files`."""
        dates = [date for one in candidates if (date := self._dated(one, files))]
        ranked = [Ranked(date, date.days) for date in dates]
        most = self.options.max_references
        reason = f"is beyond --max-references {most}"
        if not self.coarse.hidden.any():
            most, reason = 0, NOTHING_HIDDEN
        for date in choose(ranked, self.coarse.hidden, most, self._look, self._take):
            self._leave_out(date.candidate, reason)

    def _dated(self, candidate: Candidate, files: ExitStack) -> _Date | None:
        """A candidate by its metadata, None if they are a reason to leave it out."""
        path = candidate.path
        try:
            product = find_product(path)
        except (InputError, OSError) as error:
            self._leave_out(candidate, f"cannot be opened: {_found(error)}")
            return None
        if reason := self.gates.by_metadata(path, product):
            self._leave_out(candidate, reason)
            return None
        acquisition = dated(product.acquisition, path)
        own = files.enter_context(ExitStack())
        return _Date(candidate, acquisition, self.gates.days(acquisition), own)

    def _look(self, date: _Date) -> Bits | None:
        """Where a date shows the ground; None if there is a reason to leave it out."""
        try:
            with captured_warnings() as date.warnings:
                reason = self._open(date)
        except InputError as error:
            reason = f"cannot be used: {error.found}"
        if reason:
            date.files.close()
            self._leave_out(date.candidate, reason)
            return None
        return date.clear

    def _open(self, date: _Date) -> str | None:
        """Open a date, and find what it shows; a reason to leave it out, if there is one."""
        self.inputs.add(date.candidate.path)
        offset_dn = self.options.s2_offset if self.options.of_batch else None
        optical = date.files.enter_context(
            OpticalScene(date.candidate.path, offset_dn, self.options.resampling, self._area)
        )
        if reason := self.gates.by_scene(optical):
            return reason
        mask = self.masks.open(optical, self.options.mask_settings, self.progress)
        seen = CloudyScene(optical, date.files.enter_context(mask))
        grid = self.scene.optical.grid
        source = placed(optical.grid, grid)
        assert source is not None  # by its gate
        date.ground = DateOnGrid(seen, source, grid)
        date.clear = clear_on(self.coarse.grid, seen, source)
        return self.gates.by_ground(self.coarse, date.clear)

    @property
    def _area(self) -> SceneArea | None:
        """What is read of a date where the scene is cut; None for all of it."""
        scene = self.scene.optical
        return SceneArea(scene.grid, MARGIN_PX) if scene.part else None

    def _take(self, date: _Date) -> bool:
        """Make a reference of a date that was looked at, unless its shift is too long."""
        try:
            measured = self._shift(date)
        except InputError as error:
            self._leave_out(date.candidate, f"cannot be read: {error.found}")
            return False
        if measured.too_far:
            self._leave_out(date.candidate, f"lies elsewhere: {measured.reason}")
            return False
        reference = self._reference(date, measured)
        self.chosen.append(reference)
        self.stack.enter_context(date.files.pop_all())
        for warning in date.warnings:
            logger.warning(warning)
        logger.info("%s", _described(reference))
        return True

    def _shift(self, date: _Date) -> DateShift:
        if self.options.shift == "none":
            return NOT_MEASURED
        found = self._shift_from(self.scene, self.scene.optical, date)
        if found.reliable or not self.chosen:
            return found
        # Under an overcast sky references at least lie on each other.
        first = self.chosen[0]
        by_first = self._shift_from(first.ground, first.scene.optical, date)
        if not by_first.reliable:
            return found
        return replace(by_first, reason=f"{by_first.reason}, from reference 1")

    def _shift_from(self, anchor: ClearGround, optical: OpticalScene, date: _Date) -> DateShift:
        """The shift of a date from one whose place is known."""
        assert date.ground is not None
        grid, shared = self.scene.optical.grid, self.gates.shared(date.ground.date.optical)
        bands = [band for band in shared if band in optical.positions]
        size = grid.height, grid.width
        return shift_between(anchor, date.ground, bands, size, self.options.max_shift)

    def _reference(self, date: _Date, measured: DateShift) -> Reference:
        assert date.ground is not None and date.clear is not None
        radar = radar_of_date(
            self.radars, date.acquisition, self.scene, self.options, date.files, self.sar_bands
        )
        if radar:
            self.inputs.add(radar.sar.path)
        return Reference(
            number=len(self.chosen) + 1,
            path=date.candidate.path,
            ground=date.ground.moved(measured.shift),
            bands=self.gates.shared(date.ground.date.optical),
            acquisition=date.acquisition,
            days=date.days,
            shift_reason=measured.reason,
            clear_share=self.coarse.clear_share(date.clear),
            fills_share=self.coarse.fills_share(date.clear),
            radar=radar,
        )

    def _leave_out(self, candidate: Candidate, reason: str) -> None:
        self.left_out.append(LeftOut(candidate.path, reason, candidate.named))
        level = logging.WARNING if candidate.named else logging.INFO
        logger.log(level, "reference %s is left out: it %s", candidate.path, reason)


def _found(error: Exception) -> str:
    return error.found if isinstance(error, InputError) else str(error)


def _described(reference: Reference) -> str:
    days = "of unknown date" if reference.days is None else f"{reference.days:+.0f} days"
    shift = describe_displacement(reference.shift)
    return (
        f"reference {reference.number}: {reference.name}, {days}, shows "
        f"{reference.fills_share:.0%} of what is hidden, shift {shift}: {reference.shift_reason}"
    )


def _none_left(found: ChosenReferences) -> InputError:
    reasons = [f"{one.path.name} {one.reason}" for one in found.left_out[:3]]
    return InputError(
        f"no reference can be used ({'; '.join(reasons) or 'no scene in the folders'})",
        wanted="another date of the place that is clear where the scene is not",
        hint="give another one with --reference, or leave --require-references out",
        code=ErrorCode.NO_DATA,
    )
