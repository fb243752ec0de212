"""`cloudfree evaluate`: how close models come to the clear images of a data set."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cloudfree import __version__
from cloudfree.commands.evaluate.cover import balanced, cover_words
from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.commands.evaluate.page import PatchSection, choose_shown, patch_section
from cloudfree.commands.evaluate.patch import raw_of
from cloudfree.commands.evaluate.result import Evaluation, check_outputs, write_files
from cloudfree.commands.evaluate.scoring import CloudyPatch, Scoring
from cloudfree.commands.evaluate.seen_places import warn_of_seen_places
from cloudfree.commands.evaluate.shown import check_shown, draw_shown
from cloudfree.commands.evaluate.summary import summarise
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.terminal import Progress, muted_log
from cloudfree.datasets.folder import (
    Listing,
    evenly_spread,
    list_samples,
    require_series,
)
from cloudfree.datasets.hold_out import read_hold_out
from cloudfree.datasets.patch import Sample, Skipped
from cloudfree.datasets.sen12mscrts import INPUT_DATES
from cloudfree.datasets.split_choice import ChosenSplit, choose_samples
from cloudfree.errors import ErrorCode, InputError, ModelError
from cloudfree.inference.load import load_model
from cloudfree.inference.model import Model
from cloudfree.inference.registry import load_plugins
from cloudfree.metrics.protocol import PROTOCOLS, Protocol
from cloudfree.parallel.threads import prefetch
from cloudfree.raster.reach import remote_allowed

logger = logging.getLogger("cloudfree")


def run(options: EvaluateOptions, progress: Progress) -> Evaluation:
    """Score models on the patches of a data set, and write the metrics if requested.

    Raises
    ------
    CloudfreeError
        No patch can be scored, a model cannot be loaded, or an output exists.
    """
    load_plugins(options.plugin)
    with remote_allowed(options.allow_remote):
        return _run(options, progress)


def _run(options: EvaluateOptions, progress: Progress) -> Evaluation:
    check_outputs(options.output, options.overwrite)
    _check_options(options)
    protocol = PROTOCOLS[options.protocol]
    models = _load_models(options)
    listing = _listing(options)
    split = _choose(options, listing)
    if options.per_bin:
        split = balanced(split, options.per_bin, options, progress)
    samples = evenly_spread(split.samples, options.limit)
    check_shown(options.show, samples)
    warn_of_seen_places(options.model, samples)
    bands = _common_bands(models)
    scoring = Scoring(models, protocol, bands, options.uncertainty, options.cover)
    with muted_log():
        _score(scoring, samples, progress)
        evaluation = _evaluation(options, split.name, scoring, listing)
        if options.output:
            sections = _sections(scoring, samples, options.pictures, progress)
            shown = draw_shown(scoring, [one for one in samples if one.name in options.show])
            evaluation = replace(evaluation, shown=shown.files)
            write_files(
                options.output, evaluation, sections, options.overwrite, split.file, shown.pixels
            )
    _warn_of_skipped(evaluation.skipped)
    return evaluation


def _check_options(options: EvaluateOptions) -> None:
    if options.show and not options.output:
        raise InputError(
            f"--show {options.show[0]} without -o",
            wanted="a folder for the pictures",
            hint="add -o, or leave --show out",
            code=ErrorCode.BAD_OPTION,
        )
    if options.per_bin and options.limit:
        raise InputError(
            f"--limit {options.limit} with --per-bin {options.per_bin}",
            wanted="one of them: the draw limits the patches",
            hint="leave --limit out",
            code=ErrorCode.BAD_OPTION,
        )


def _listing(options: EvaluateOptions) -> Listing:
    """The patches of the data set; of time series with as many dates as are to be shown."""
    dates = options.dates or INPUT_DATES
    listing = list_samples(options.data, options.patch, options.s2_offset, dates=dates)
    if options.dates:
        require_series(listing, options.dates)
    return listing


def _choose(options: EvaluateOptions, listing: Listing) -> ChosenSplit:
    """The patches of the split; of those only what is held out, if anything is."""
    if not options.hold_out:
        return choose_samples(listing, options.split, options.groups, "test")
    split = choose_samples(listing, options.split or "all", options.groups, "test")
    held_out = read_hold_out(options.hold_out, split.samples)
    samples = [one for one in split.samples if held_out.holds(one)]
    if not samples:
        raise InputError(
            f"no patch of {', '.join(options.hold_out)} among {len(split.samples)} patches",
            wanted="patches of these places, seasons or days",
            hint="correct --hold-out",
            code=ErrorCode.NO_DATA,
        )
    name = f"{split.name}, held out {', '.join(options.hold_out)}"
    return replace(split, name=name, samples=samples)


def _score(scoring: Scoring, samples: Sequence[Sample], progress: Progress) -> None:
    with (
        scoring.parallel_batches() as patches,
        prefetch(scoring.prepare, samples) as prepared,
        prefetch(scoring.evaluate, prepared, patches, patches) as evaluated,
    ):
        for (sample, _), found in progress(evaluated, len(samples), "patches", "patch"):
            scoring.add(sample, found)


def _load_models(options: EvaluateOptions) -> dict[str, Model]:
    """The models by unique names."""
    if len(set(options.model)) < len(options.model):
        raise ModelError(
            f"one model twice in {', '.join(options.model)}",
            wanted="different models",
            hint="give each --model once",
            code=ErrorCode.BAD_OPTION,
        )
    models = [
        load_model(name, options.device, options.precision, options.network)
        for name in options.model
    ]
    names = [model.card.name for model in models]
    labels = [
        name if names.count(name) == 1 else given
        for name, given in zip(names, options.model, strict=True)
    ]
    return dict(zip(labels, models, strict=True))


def _common_bands(models: Mapping[str, Model]) -> tuple[str, ...]:
    """The bands that all models predict: metrics of different bands do not compare."""
    cards = [model.card for model in models.values()]
    bands = [band for band in OPTICAL_BANDS if all(band in card.output_bands for card in cards)]
    if not bands:
        raise ModelError(
            f"no band that all of {', '.join(models)} predict",
            wanted="models that have a band in common",
            hint="evaluate them one by one",
            code=ErrorCode.MISSING_BAND,
        )
    return tuple(bands)


def _evaluation(
    options: EvaluateOptions, split: str, scoring: Scoring, listing: Listing
) -> Evaluation:
    if not scoring.patches:
        raise _nothing_scored(scoring.skipped)
    return Evaluation(
        version=__version__,
        data=options.data,
        split=split,
        protocol=scoring.protocol.name,
        definition=_definition(scoring.protocol, listing, options),
        models={label: model.card.weights_sha256 for label, model in scoring.models.items()},
        bands=scoring.bands,
        rows=summarise(scoring.patches, scoring.bands, options.bins),
        calibration=scoring.calibration(),
        patches=tuple(scoring.patches),
        skipped=(*listing.skipped, *scoring.skipped),
        output=options.output,
        error_models=scoring.error_models(),
        cover=cover_words(options),
        training={label: _training(model) for label, model in scoring.models.items()},
    )


def _training(model: Model) -> dict[str, Any]:
    """What its card says of the training: seed and split, if they are known; and the network."""
    known = {name: model.card.training.get(name) for name in ("seed", "split")}
    return {"network": model.card.network, **known}


def _definition(protocol: Protocol, listing: Listing, options: EvaluateOptions) -> str:
    """What the protocol is, and how many dates a model of several is shown."""
    if not any(sample.series for sample in listing.samples):
        return protocol.description
    return f"{protocol.description}; {options.dates or INPUT_DATES} dates of each time series"


def _sections(
    scoring: Scoring, samples: Sequence[Sample], count: int, progress: Progress
) -> list[PatchSection]:
    """Pictures of some patches, filled once more: pictures of all do not fit into memory."""
    sample_of = {sample.name: sample for sample in samples}
    shown = choose_shown(scoring.patches, raw_of(next(iter(scoring.models))), count)
    sections = []
    for scored in progress(shown, len(shown), "pictures", "patch"):
        cloudy = scoring.prepare(sample_of[scored.name])
        if isinstance(cloudy, CloudyPatch):
            sections.append(patch_section(scored, cloudy.patch, scoring.fill(cloudy)))
    return sections


def _warn_of_skipped(skipped: Sequence[Skipped]) -> None:
    if skipped:
        logger.warning(
            "%d patches skipped, such as %s: %s", len(skipped), skipped[0].name, skipped[0].reason
        )


def _nothing_scored(skipped: Sequence[Skipped]) -> InputError:
    return InputError(
        f"none of {len(skipped)} patches can be scored: {skipped[0].name}: {skipped[0].reason}",
        wanted="a readable cloudy and clear image, and what the models need",
        hint="correct the files, choose other models, or add --allow-remote for formats other than "
        "GeoTIFF",
        code=ErrorCode.NO_DATA,
    )
