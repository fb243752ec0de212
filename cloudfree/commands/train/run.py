"""`cloudfree train`: a network learns from a data set, and becomes a model."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cloudfree.cloudmask.mask_plan import plan_mask
from cloudfree.commands.train.options import TrainOptions
from cloudfree.core.choices import PUBLISHED_MASK
from cloudfree.core.journal import tidy
from cloudfree.core.mask_classes import Mask
from cloudfree.core.output_files import cannot_be_written
from cloudfree.core.terminal import Progress, muted_log, silent
from cloudfree.datasets.folder import (
    Listing,
    evenly_spread,
    list_samples,
    official_split,
    require_series,
)
from cloudfree.datasets.hold_out import HoldOut, read_hold_out
from cloudfree.datasets.patch import Patch, Sample
from cloudfree.datasets.scene_library import DatedSamples, SceneLibrary, list_dates, open_library
from cloudfree.datasets.sen12mscr import SampleRole
from cloudfree.datasets.split_choice import ChosenSplit, choose_samples
from cloudfree.errors import CloudfreeError, ErrorCode, InputError, ModelError
from cloudfree.inference.checkpoint import check_settings
from cloudfree.inference.missing_pixels import fill_missing
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.registry import load_plugins, network_entry
from cloudfree.raster.reach import remote_allowed
from cloudfree.training.date_settings import check_dates
from cloudfree.training.distributed import Processes, fast_gpu_kernels, join_processes
from cloudfree.training.loss_registry import LossSpec, loss_named, with_perceptual
from cloudfree.training.run_folder import (
    CHECKPOINT,
    SETTINGS,
    InitialisedNetwork,
    begin_run,
    check_run_folder,
    discard_run,
    initialise,
    is_free,
    write_settings,
)
from cloudfree.training.sampler import PatchStore
from cloudfree.training.scene_samples import check_mixture, largest_crop
from cloudfree.training.settings import (
    TrainingSettings,
    check_unchanged,
    choose_settings,
    extended,
    read_settings,
    settings_text,
)
from cloudfree.training.step import TrainPlan
from cloudfree.training.train_state import start_training_state
from cloudfree.training.trainer import VALIDATED, Trainer, TrainResult, Validation

logger = logging.getLogger("cloudfree")

# Of a mixture scenes up to this side, such as those of `simulate --size 512`, are not cut.
WHOLE_PX = 512


def run(options: TrainOptions, progress: Progress) -> TrainResult:
    """Train a network until its last step, from step 0 or from a checkpoint.

    Raises
    ------
    CloudfreeError
        Settings or data that do not fit the network, a folder that is in use, or a loss that is no
        number.
    """
    load_plugins(options.plugin)
    with remote_allowed(options.allow_remote):
        return _run(options, progress)


def _run(options: TrainOptions, progress: Progress) -> TrainResult:
    network_entry(options.network)
    settings = _settings(options)
    _check_network(settings)
    loss_named(settings.loss, settings.loss_without)
    with join_processes(options.device) as processes, fast_gpu_kernels(processes.device):
        if processes.is_first and not options.resume:
            check_run_folder(options.output, options.overwrite)
        data = samples_of(options, settings)
        name = options.output.resolve().name
        initial = initialise(settings, name, _facts(options, settings, data), options.init_from)
        check_dates(settings, initial.card)
        objective = _objective(settings, initial.card, processes)
        trainer = _trainer(options, settings, objective, data, initial, processes)
        begins = processes.is_first and not options.resume
        is_new = begins and is_free(options.output)

        def begin() -> None:
            if begins:  # its checkpoint holds the patches of the run, for --resume
                begin_run(
                    options.output, settings_text(settings), trainer.run.write, data.split.file
                )
            processes.wait()

        try:
            if processes.is_first and options.resume:
                write_settings(options.output, settings_text(settings))
            return trainer.train(progress if processes.is_first else silent, begin)
        except (CloudfreeError, OSError) as error:
            if is_new and trainer.run.step == 0:
                discard_run(options.output)
            if isinstance(error, OSError):
                raise cannot_be_written(options.output, error) from error
            raise


def _settings(options: TrainOptions) -> TrainingSettings:
    if not options.resume:
        return choose_settings(options.network, options.changes)
    tidy(options.output)
    settings = read_settings(options.output / SETTINGS)
    changes = {"network": options.network, **options.changes}
    check_unchanged(settings, changes)
    longer = extended(settings, changes)
    if longer != settings and len(loss_named(settings.loss).stages) > 1:
        raise InputError(
            f"another length for a run with loss {settings.loss}, which has stages",
            wanted="the length it began with, of which each stage is a part",
            hint="leave --steps and --epochs out, or begin a new run",
            code=ErrorCode.BAD_OPTION,
        )
    return longer


def _check_network(settings: TrainingSettings) -> None:
    """Refuse settings that the network does not take, before data are read."""
    try:
        check_settings(settings.network, settings.network_settings)
    except ModelError as error:
        raise InputError(
            error.found, wanted=error.wanted, hint=error.hint, code=ErrorCode.BAD_OPTION
        ) from error


def _objective(settings: TrainingSettings, card: ModelCard, processes: Processes) -> LossSpec:
    """The loss, with its perceptual term where the weights for it are given."""
    objective = loss_named(settings.loss, settings.loss_without)
    file = settings.perceptual_weights
    if not file:
        return objective
    return with_perceptual(objective, file, card.output_bands, processes.device)


@dataclass(frozen=True)
class TrainingData:
    """The patches to learn from, others to score after each epoch, and the split they are of.

    `excluded` is all that nothing is learned from.
    """

    learned: list[Sample]
    unseen: list[Sample]
    split: ChosenSplit
    excluded: HoldOut


def samples_of(options: TrainOptions, settings: TrainingSettings) -> TrainingData:
    """The patches to learn from, by default the training part of SEN12MS-CR; and others.

    The others are those held out, or else the validation part of the split as far as it is there.
    """
    listing = _listing(options, settings)
    split = choose_samples(listing, options.split, options.groups, "train")
    held_out = read_hold_out(options.hold_out, [*split.samples, *listing.samples])
    learned, unseen = _apart(split.samples, held_out)
    if not unseen:
        unseen = split.validation
    if split.name == "train" and not unseen:
        unseen = [sample for sample in listing.samples if official_split(sample) == "val"]
    unseen = [sample for sample in unseen if sample.cloudy is not None]
    excluded = replace(held_out, names=held_out.names | split.other_names)
    return TrainingData(learned, unseen, split, excluded)


def _listing(options: TrainOptions, settings: TrainingSettings) -> Listing:
    """The patches of all folders; a mixture has scenes whole, and the dates of time series."""
    mixture = settings.sampling == "mixture"
    any_clear = mixture or settings.simulate_clouds
    needed: tuple[SampleRole, ...] = ("clear",) if any_clear else ("cloudy", "clear")
    patch_px = max(options.patch, WHOLE_PX) if mixture else options.patch
    listings = []
    dates = 0 if mixture else settings.dates
    for folder in options.data:
        dated = _dates(folder, options).samples if mixture else ()
        try:
            listings.append(list_samples(folder, patch_px, options.s2_offset, needed, dates))
        except InputError:
            if not dated:
                raise
        listings.append(Listing(dated, ()))
    listing = Listing(
        tuple(sample for one in listings for sample in one.samples),
        tuple(skipped for one in listings for skipped in one.skipped),
    )
    if settings.dates > 1:
        require_series(listing, settings.dates)
    return listing


def _library(
    options: TrainOptions,
    settings: TrainingSettings,
    card: ModelCard,
    data: TrainingData,
    processes: Processes,
) -> SceneLibrary | None:
    """The scenes of a mixture, without places that are held out; None for other sampling."""
    if settings.sampling != "mixture":
        return None
    check_mixture(settings, card, loss_named(settings.loss).mask)
    listed = [one for folder in options.data for one in _dates(folder, options).donors]
    donors = [one for one in listed if not data.excluded.holds(one)]
    with muted_log():
        return open_library(
            data.learned,
            donors,
            lambda sar: card.sar_scaling.forward(fill_missing(sar)),
            largest_crop(settings),
            slice(processes.rank, None, processes.count),
        )


def _dates(folder: Path, options: TrainOptions) -> DatedSamples:
    """The time series of a folder; the log of single dates is kept back."""
    with muted_log():
        return list_dates(folder, options.s2_offset)


def _apart(samples: Sequence[Sample], held_out: HoldOut) -> tuple[list[Sample], list[Sample]]:
    """The patches to learn from, and those held out."""
    is_out = [held_out.holds(one) for one in samples]
    learned = [one for one, out in zip(samples, is_out, strict=True) if not out]
    if not learned:
        raise InputError(
            f"all {len(samples)} patches held out",
            wanted="patches to learn from",
            hint="hold out fewer places",
            code=ErrorCode.BAD_OPTION,
        )
    return learned, [one for one, out in zip(samples, is_out, strict=True) if out]


def _facts(
    options: TrainOptions, settings: TrainingSettings, data: TrainingData
) -> Mapping[str, Any]:
    """The facts of the data for the card."""
    samples = data.learned
    return {
        "data": ", ".join(folder.resolve().name for folder in options.data),
        "patches": len(samples),
        "places": len({sample.place for sample in samples}),
        "held_out": list(options.hold_out),
        **({"split": data.split.name} if data.split.file else {}),
        "start": options.init_from or "",
        **({"dates": settings.dates} if settings.dates > 1 else {}),
    }


def _trainer(
    options: TrainOptions,
    settings: TrainingSettings,
    objective: LossSpec,
    data: TrainingData,
    initial: InitialisedNetwork,
    processes: Processes,
) -> Trainer:
    card, samples, unseen = initial.card, data.learned, data.unseen
    plan = TrainPlan(
        settings=settings,
        objective=objective,
        inputs=card.inputs,
        scale=card.optical_scaling.scale,
        steps=settings.steps_for(len(samples), processes.count),
        steps_per_epoch=settings.steps_per_epoch(len(samples), processes.count),
        processes=processes,
    )
    begun = start_training_state(
        initial.network, card, settings, objective, processes, _fingerprint(samples)
    )
    checkpoint = options.output / CHECKPOINT
    if options.resume:
        begun.load(checkpoint)
        _check_length(begun.step, plan.steps)
        logger.info("going on after step %d of %d", begun.step, plan.steps)
    library = _library(options, settings, card, data, processes)
    classify = _classes if card.uses_shadow else None
    shown = [one for one in samples if one.cloudy and one.sar] if library else samples
    store = PatchStore(shown, card, settings.crop, _classes if objective.mask else classify)
    if library:
        unseen = [one for one in unseen if one.sar]
    others = PatchStore(evenly_spread(unseen, VALIDATED), card, settings.crop, classify)
    validation = Validation(others) if unseen else None
    return Trainer(
        options.output, begun, plan, card, store, options.num_workers, validation, library
    )


def _check_length(done: int, steps: int) -> None:
    if done > steps:
        raise InputError(
            f"{steps} steps for a run that has done {done}",
            wanted="at least as many",
            hint="give more --steps, or begin a new run",
            code=ErrorCode.BAD_OPTION,
        )


def _fingerprint(samples: Sequence[Sample]) -> str:
    """The fingerprint that distinguishes the patches of two runs."""
    names = "\n".join(sample.name for sample in samples)
    return hashlib.sha256(names.encode()).hexdigest()


def _classes(patch: Patch) -> Mask:
    """Clouds and shadows by the published score."""
    plan = plan_mask(patch, PUBLISHED_MASK, silent)
    return np.concatenate([rows for _, rows in plan.classifier.strips(patch)])
