"""`cloudfree batch`: `cloudfree remove` for every scene of a folder or a list."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from cloudfree.commands.area import area_of
from cloudfree.commands.batch.fingerprints import Fingerprint, fingerprints, read_records
from cloudfree.commands.batch.options import BatchOptions, BatchResult, SceneOutcome, Shard
from cloudfree.commands.batch.processes import in_processes
from cloudfree.commands.batch.retries import with_retries
from cloudfree.commands.batch.same_place import SamePlace
from cloudfree.commands.batch.scenes import (
    ScenePair,
    read_scene_list,
    scenes_below,
    scenes_of_items,
    with_radar,
)
from cloudfree.commands.batch.workers import SceneJob, fill_scene
from cloudfree.commands.input_files import files_of
from cloudfree.commands.radars import radars_below
from cloudfree.commands.remove.inputs import check_outputs
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.addresses import is_elsewhere, is_item
from cloudfree.core.choices import SCL
from cloudfree.core.drafts import temporary_folder
from cloudfree.core.journal import tidy
from cloudfree.core.output_files import make_folder, require_writable
from cloudfree.core.terminal import Progress
from cloudfree.errors import ErrorCode, InputError, OutputError, one_line
from cloudfree.inference.load import find_card
from cloudfree.inference.registry import load_plugins
from cloudfree.raster.outputs_elsewhere import check_local
from cloudfree.raster.reach import remote_allowed
from cloudfree.raster.stac_files import item_paths

logger = logging.getLogger("cloudfree")

__all__ = ["BatchOptions", "BatchResult", "run"]


def run(options: BatchOptions, progress: Progress) -> BatchResult:
    """Fill the clouds of scenes, one by one: a failure does not stop the others.

    Raises
    ------
    CloudfreeError
        There is no scene or no such model, an output exists that may not be replaced, or nothing
        can be written.
    """
    load_plugins(options.plugin)
    with remote_allowed(options.allow_remote):
        return _run(options, progress)


def _run(options: BatchOptions, progress: Progress) -> BatchResult:
    card = find_card(options.model, options.network).card
    shard = Shard.from_text(options.shard, os.environ) if options.shard else Shard()
    jobs = _jobs(options, shard)
    prints = fingerprints(jobs, options, card)
    skipped = _finished(jobs, prints, options) if options.skip_existing else []
    todo = [job for job in jobs if job not in skipped]
    outcomes = [job.outcome() for job in skipped]
    _check_existing(todo, options)
    log = None if options.dry_run else _output_folder(options.output) / _log_name(shard)
    listed = cache(files_of)  # scenes of a place have the same references
    for job in todo:
        check_outputs(job.options, listed)
    with (
        _sharing_masks(todo, options) as sharing,
        closing(with_retries(partial(_outcomes, options), sharing, options.retries)) as found,
    ):
        for outcome in progress(found, len(todo), "scenes", "scene"):
            _log(outcome, log, prints[outcome.name])
            outcomes.append(outcome)
    return BatchResult(tuple(sorted(outcomes, key=lambda one: one.name)), log)


def _scenes(options: BatchOptions) -> list[ScenePair]:
    """All scenes, each with a unique name."""
    source = options.source
    pairs = _pairs(source)
    if not pairs:
        raise InputError(
            f"no Sentinel-2 scene in {source}",
            wanted="NAME_s2.tif with NAME_s1.tif, a folder with s2.tif and s1.tif for each scene, "
            "s2_YYYYMMDD.tif with s1_YYYYMMDD.tif, or products of Sentinel-2 and Sentinel-1 under "
            "their own names",
            hint="name them so, or give a CSV file with the columns s2 and s1, or a collection of "
            "STAC items",
            code=ErrorCode.MISSING_FILE,
        )
    for pair in pairs:
        _check_name(pair.name)
    name, count = Counter(pair.name for pair in pairs).most_common(1)[0]
    if count > 1:
        raise InputError(
            f"{count} scenes are called {name}",
            wanted="a unique name for each result",
            hint="give them names, in a CSV file in the column name",
        )
    return pairs


def _check_name(name: str) -> None:
    """Refuse a name, such as one in a list, that would lead a result out of its folder."""
    if set(name) & set("/\\") or one_line(name) != name:
        raise InputError(
            f"a scene called {name!r}",
            wanted="a name that a file can have, without slashes and line breaks",
            hint="give it another, in a CSV file in the column name",
        )


def _pairs(source: Path) -> list[ScenePair]:
    """The scenes of a folder, of a collection of items, or of a list."""
    if source.is_dir():
        return scenes_below(source)
    return scenes_of_items(source) if is_item(source) else read_scene_list(source)


def _jobs(options: BatchOptions, shard: Shard) -> list[SceneJob]:
    """The scenes of a shard; the others of their places may be in any shard."""
    scenes = _scenes(options)
    matched, kept = _radar_of(options), _inputs_among_results(scenes, options)
    if not options.max_references:
        return [_job(options, matched(pair), [], kept) for pair in shard.part(scenes)]
    place = SamePlace(scenes, options.max_age)
    return [
        _job(options, matched(pair), [matched(one) for one in place.others(pair)], kept)
        for pair in shard.part(scenes)
    ]


def _inputs_among_results(scenes: Sequence[ScenePair], options: BatchOptions) -> tuple[Path, ...]:
    """Inputs in the folder of the results, where a mask of one scene may serve another."""
    folder = options.output.resolve()
    given = {path for pair in scenes for path in (pair.s2, pair.s1, pair.mask) if path}
    files = {path.resolve() for path in given if path != SCL}
    return tuple(sorted(path for path in files if path.parent == folder))


def _radar_of(options: BatchOptions) -> Callable[[ScenePair], ScenePair]:
    """Adds the Sentinel-1 of a folder or a collection to its scenes; a list is used unchanged."""
    source, radars = options.source, list[Path]()
    if source.is_dir():
        radars = radars_below(source)
    elif is_item(source):
        radars = item_paths(source, "sentinel-1")
    area = area_of(options)
    return cache(partial(with_radar, radars=radars, max_gap_days=options.max_gap, area=area))


def _job(
    options: BatchOptions,
    pair: ScenePair,
    others: Sequence[ScenePair],
    kept: tuple[Path, ...],
) -> SceneJob:
    scene = options.remove_options(pair, others, kept)
    names = tuple(one.name for one in others)
    verbose = logger.isEnabledFor(logging.DEBUG)
    if options.scheduler:  # workers run in other folders
        return SceneJob(pair.name, _with_absolute_paths(scene), None, names, verbose)
    threads = max(_cores() // options.jobs, 1) if options.jobs > 1 else None
    return SceneJob(pair.name, scene, threads, names, verbose)


def _cores() -> int:
    """Processors that this process may use: on a cluster not all of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _with_absolute_paths(scene: RemoveOptions) -> RemoveOptions:
    return replace(scene, **{name: _absolute(value) for name, value in vars(scene).items()})


def _absolute(value: Any) -> Any:
    """A path, or several, as seen from any folder; other values unchanged."""
    if isinstance(value, tuple):
        return tuple(_absolute(one) for one in value)
    if isinstance(value, Path) and not is_elsewhere(value):
        return value.absolute()
    return value


def _finished(
    jobs: Sequence[SceneJob], prints: Mapping[str, Fingerprint], options: BatchOptions
) -> list[SceneJob]:
    """The jobs whose results are whole and were made from the same inputs with the same options.

    Raises
    ------
    OutputError
        Some are not, and may not be replaced.
    """
    tidy(options.output)
    there = [job for job in jobs if job.options.result.exists()]
    records = read_records(options.output)
    unknown = [job for job in there if job.name not in records]
    if unknown:
        logger.warning("%d of %d results are skipped without a record of what they were made from, "
                       "such as %s", len(unknown), len(there), unknown[0].name)  # fmt: skip
    known = [job for job in there if job.name in records]
    changed = {job.name: f"without {lacking}" for job in there if (lacking := _lacking(job))}
    changed |= {
        job.name: difference
        for job in known
        if (difference := prints[job.name].difference(records[job.name]))
    }
    if changed and not (options.overwrite or options.dry_run):
        name, difference = next(iter(changed.items()))
        raise OutputError(
            f"{len(changed)} of {len(there)} results were made {difference}, the first is {name}",
            wanted="results of these inputs and options",
            hint="add --overwrite to make them anew, or choose another folder with -o",
            code=ErrorCode.OUTPUT_EXISTS,
        )
    return [job for job in there if job.name not in changed]


def _lacking(job: SceneJob) -> str | None:
    """The name of a file that belongs to a result and is not there."""
    return next((path.name for path in job.options.outputs if not path.exists()), None)


def _check_existing(jobs: Sequence[SceneJob], options: BatchOptions) -> None:
    there = [job.options.result for job in jobs if job.options.result.exists()]
    if there and not (options.overwrite or options.dry_run):
        raise OutputError(
            f"{len(there)} of {len(jobs)} results exist already, the first is {there[0]}",
            wanted="results that are new",
            hint="add --skip-existing to go on with the others, or --overwrite to replace them",
            code=ErrorCode.OUTPUT_EXISTS,
        )


@contextmanager
def _sharing_masks(jobs: Sequence[SceneJob], options: BatchOptions) -> Iterator[list[SceneJob]]:
    """The jobs; those with references keep their masks in one folder until the block ends.

    The workers of a cluster share no other folder than that of the results, which a dry run leaves
    alone.
    """
    with_others = [job for job in jobs if job.options.references]
    if options.masks or not with_others or (options.scheduler and options.dry_run):
        yield list(jobs)
        return
    place = options.output.absolute() / "masks" if options.scheduler else None
    with temporary_folder(place) as folder:
        yield [job.with_masks(folder) if job in with_others else job for job in jobs]


@contextmanager
def _outcomes(options: BatchOptions, jobs: Sequence[SceneJob]) -> Iterator[Iterator[SceneOutcome]]:
    """Outcomes of one attempt of all jobs, as they end."""
    if options.scheduler:
        from cloudfree.commands.batch.workers import on_cluster

        with on_cluster(fill_scene, jobs, options.scheduler, _died) as outcomes:
            yield outcomes
        return
    with in_processes(fill_scene, jobs, options.jobs, _died, _has_failed) as outcomes:
        yield outcomes


def _has_failed(outcome: SceneOutcome) -> bool:
    return outcome.state == "failed"


def _died(job: SceneJob, reason: object) -> SceneOutcome:
    return job.failed(
        f"its process is gone ({reason}); wanted memory for all scenes at work, and machines that "
        "stay; ask for fewer at once, or look into the log of the machine",
        ErrorCode.WORKER_LOST,
    )


def _output_folder(folder: Path) -> Path:
    """The folder of the results, created if missing."""
    check_local(folder, "a batch")
    make_folder(folder)
    tidy(folder)
    require_writable(folder / "batch.jsonl")
    return folder


def _log_name(shard: Shard) -> str:
    return "batch.jsonl" if shard.count == 1 else f"batch-{shard.index}-of-{shard.count}.jsonl"


def _log(outcome: SceneOutcome, log: Path | None, made_from: Fingerprint) -> None:
    """Log the outcome of a scene, and append it to the log file."""
    scene = {"scene": outcome.name}
    for detail in outcome.details:
        logger.debug("%s: %s", outcome.name, detail, extra=scene)
    for warning in outcome.warnings:
        logger.warning("%s: %s", outcome.name, warning, extra=scene)
    level = logging.ERROR if outcome.state == "failed" else logging.INFO
    logger.log(level, outcome.summary(), extra=scene)
    if log is None:
        return
    record = {one.name: getattr(outcome, one.name) for one in fields(outcome)}
    record |= made_from.record(outcome.references)
    line = json.dumps(
        {"ended": datetime.now(UTC).isoformat(timespec="seconds"), **record}, default=str
    )
    begin = "" if _ends_a_line(log) else "\n"
    with log.open("a", encoding="utf-8") as lines:
        lines.write(f"{begin}{line}\n")


def _ends_a_line(log: Path) -> bool:
    """Whether the next record can follow: a killed run may have left half a line."""
    if not log.exists() or log.stat().st_size == 0:
        return True
    with log.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"
