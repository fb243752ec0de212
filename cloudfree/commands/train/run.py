"""`cloudfree train`: a network learns from a data set, and becomes a model."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cloudfree.cloudmask.mask_plan import plan_mask
from cloudfree.commands.train.options import TrainOptions
from cloudfree.core.choices import MaskSettings
from cloudfree.core.mask_classes import Mask
from cloudfree.core.output_files import cannot_be_written
from cloudfree.core.terminal import Progress, silent
from cloudfree.datasets.folder import Listing, list_samples
from cloudfree.datasets.patch import Patch, Sample
from cloudfree.datasets.sen12mscr import SampleRole, split_of
from cloudfree.datasets.splits import choose_split, evenly_spread, regroup
from cloudfree.errors import CloudfreeError, InputError
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.registry import network_entry
from cloudfree.training.distributed import Processes, fast_gpu_kernels, join_processes
from cloudfree.training.loss_registry import LossSpec, loss_named, with_perceptual
from cloudfree.training.patch_cache import PatchStore
from cloudfree.training.run_folder import (
    CHECKPOINT,
    SETTINGS,
    InitialisedNetwork,
    begin_run,
    check_run_folder,
    discard_run,
    initialise,
)
from cloudfree.training.settings import (
    TrainingSettings,
    check_unchanged,
    choose_settings,
    read_settings,
    settings_text,
)
from cloudfree.training.step import TrainPlan
from cloudfree.training.train_state import start_training_state
from cloudfree.training.trainer import VALIDATED, Trainer, TrainResult, Validation

logger = logging.getLogger("cloudfree")


def run(options: TrainOptions, progress: Progress) -> TrainResult:
    """Train a network until its last step, from step 0 or from a checkpoint.

    Raises
    ------
    CloudfreeError
        Settings or data that do not fit the network, a folder that is in use, or a loss that is no
        number.
    """
    network_entry(options.network)
    settings = _settings(options)
    loss_named(settings.loss)
    with join_processes(options.device) as processes, fast_gpu_kernels(processes.device):
        if processes.is_first and not options.resume:
            check_run_folder(options.output, options.overwrite)
        samples, unseen = _samples(options, settings)
        name = options.output.resolve().name
        initial = initialise(settings, name, _facts(options, samples), options.init_from)
        objective = _objective(settings, initial.card, processes)
        trainer = _trainer(options, settings, objective, samples, unseen, initial, processes)
        begins = processes.is_first and not options.resume
        is_new = begins and begin_run(options.output, settings_text(settings))
        processes.wait()
        try:
            return trainer.train(progress if processes.is_first else silent)
        except (CloudfreeError, OSError) as error:
            if is_new and trainer.run.step == 0:
                discard_run(options.output)
            if isinstance(error, OSError):
                raise cannot_be_written(options.output, error) from error
            raise


def _settings(options: TrainOptions) -> TrainingSettings:
    if not options.resume:
        return choose_settings(options.network, options.changes)
    settings = read_settings(options.output / SETTINGS)
    check_unchanged(settings, {"network": options.network, **options.changes})
    return settings


def _objective(settings: TrainingSettings, card: ModelCard, processes: Processes) -> LossSpec:
    """The loss, with its perceptual term where the weights for it are given."""
    objective, file = loss_named(settings.loss), settings.perceptual_weights
    if not file:
        return objective
    return with_perceptual(objective, file, card.output_bands, processes.device)


def _samples(
    options: TrainOptions, settings: TrainingSettings
) -> tuple[list[Sample], list[Sample]]:
    """The patches to learn from, by default the training part of SEN12MS-CR; and others.

    The others are those held out, or else the validation part of SEN12MS-CR as far as it is there.
    """
    needed: tuple[SampleRole, ...] = ("clear",) if settings.simulate_clouds else ("cloudy", "clear")
    listing = list_samples(options.data, options.patch, options.s2_offset, needed)
    own = options.split or ("train" if listing.is_sen12mscr else "all")
    split, samples = choose_split(listing, own)
    if options.groups:
        samples = regroup(samples, options.groups, listing)
    learned, unseen = _apart(samples, options.hold_out, listing)
    if split == "train" and not unseen:
        unseen = [sample for sample in listing.samples if split_of(sample.place) == "val"]
    return learned, [sample for sample in unseen if sample.cloudy is not None]


def _apart(
    samples: Sequence[Sample], held_out: Sequence[str], listing: Listing
) -> tuple[list[Sample], list[Sample]]:
    """The patches to learn from, and those held out."""
    known = {
        name for sample in (*samples, *listing.samples) for name in (sample.place, sample.name)
    }
    if unknown := sorted(set(held_out) - known):
        raise InputError(
            f"no patch or place {unknown[0]} to hold out",
            wanted=f"names such as {samples[0].place}",
            hint="correct --hold-out",
        )
    out = set(held_out)
    learned = [one for one in samples if not {one.place, one.name} & out]
    if not learned:
        raise InputError(
            f"all {len(samples)} patches held out",
            wanted="patches to learn from",
            hint="hold out fewer places",
        )
    return learned, [one for one in samples if {one.place, one.name} & out]


def _facts(options: TrainOptions, samples: Sequence[Sample]) -> Mapping[str, Any]:
    """The facts of the data for the card."""
    return {
        "data": options.data.resolve().name,
        "patches": len(samples),
        "places": len({sample.place for sample in samples}),
        "held_out": list(options.hold_out),
        "start": options.init_from or "",
    }


def _trainer(
    options: TrainOptions,
    settings: TrainingSettings,
    objective: LossSpec,
    samples: Sequence[Sample],
    unseen: Sequence[Sample],
    initial: InitialisedNetwork,
    processes: Processes,
) -> Trainer:
    card = initial.card
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
        logger.info("going on after step %d of %d", begun.step, plan.steps)
    classes = _classes if card.uses_shadow else None
    store = PatchStore(samples, card, settings.crop, _classes if objective.mask else classes)
    others = PatchStore(evenly_spread(unseen, VALIDATED), card, settings.crop, classes)
    validation = Validation(others) if unseen else None
    return Trainer(options.output, begun, plan, card, store, options.num_workers, validation)


def _fingerprint(samples: Sequence[Sample]) -> str:
    """The fingerprint that distinguishes the patches of two runs."""
    names = "\n".join(sample.name for sample in samples)
    return hashlib.sha256(names.encode()).hexdigest()


def _classes(patch: Patch) -> Mask:
    """Clouds and shadows by the published score."""
    plan = plan_mask(patch, MaskSettings(), silent)
    return np.concatenate([rows for _, rows in plan.classifier.strips(patch)])
