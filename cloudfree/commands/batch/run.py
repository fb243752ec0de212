"""`cloudfree batch`: `cloudfree remove` for every scene of a folder or a list."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cloudfree.commands.batch.options import BatchOptions, BatchResult, SceneOutcome, Shard
from cloudfree.commands.batch.scenes import (
    ScenePair,
    read_scene_list,
    scenes_below,
    with_radar,
)
from cloudfree.commands.batch.workers import SceneJob, fill_scene, in_processes
from cloudfree.commands.radars import radars_below
from cloudfree.commands.remove.inputs import check_outputs
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.output_files import make_folder, require_writable
from cloudfree.core.terminal import Progress
from cloudfree.errors import InputError, OutputError
from cloudfree.inference.load import find_card

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
    find_card(options.model, options.network)
    shard = Shard.from_text(options.shard, os.environ) if options.shard else Shard()
    jobs = [_job(options, pair) for pair in _with_radars(shard.part(_scenes(options)), options)]
    skipped = [job for job in jobs if options.skip_existing and job.options.result.exists()]
    todo = [job for job in jobs if job not in skipped]
    outcomes = [job.outcome() for job in skipped]
    _check_existing(todo, options)
    log = None if options.dry_run else _output_folder(options.output) / _log_name(shard)
    for job in todo:
        check_outputs(job.options)
    with _outcomes(options, todo) as found:
        for outcome in progress(found, len(todo), "scenes", "scene"):
            _log(outcome, log)
            outcomes.append(outcome)
    return BatchResult(tuple(sorted(outcomes, key=lambda one: one.name)), log)


def _scenes(options: BatchOptions) -> list[ScenePair]:
    """All scenes, each with a unique name."""
    source = options.source
    pairs = scenes_below(source) if source.is_dir() else read_scene_list(source)
    if not pairs:
        raise InputError(
            f"no Sentinel-2 scene in {source}",
            wanted="NAME_s2.tif with NAME_s1.tif, a folder with s2.tif and s1.tif for each scene, "
            "or products of Sentinel-2 and Sentinel-1 under their own names",
            hint="name them so, or give a CSV file with the columns s2 and s1",
        )
    name, count = Counter(pair.name for pair in pairs).most_common(1)[0]
    if count > 1:
        raise InputError(
            f"{count} scenes are called {name}",
            wanted="a unique name for each result",
            hint="give them names, in a CSV file in the column name",
        )
    return pairs


def _with_radars(pairs: Sequence[ScenePair], options: BatchOptions) -> list[ScenePair]:
    """The scenes of a folder with its Sentinel-1 products; a list is used unchanged."""
    radars = radars_below(options.source) if options.source.is_dir() else []
    return [with_radar(pair, radars, options.max_gap) for pair in pairs]


def _job(options: BatchOptions, pair: ScenePair) -> SceneJob:
    scene = options.remove_options(pair)
    if options.scheduler:  # workers run in other folders
        return SceneJob(pair.name, _with_absolute_paths(scene))
    threads = max(_cores() // options.jobs, 1) if options.jobs > 1 else None
    return SceneJob(pair.name, scene, threads)


def _cores() -> int:
    """Processors that this process may use: on a cluster not all of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _with_absolute_paths(scene: RemoveOptions) -> RemoveOptions:
    absolute: dict[str, Any] = {
        name: value.absolute() for name, value in vars(scene).items() if isinstance(value, Path)
    }
    return replace(scene, **absolute)


def _check_existing(jobs: Sequence[SceneJob], options: BatchOptions) -> None:
    there = [job.options.result for job in jobs if job.options.result.exists()]
    if there and not (options.overwrite or options.dry_run):
        raise OutputError(
            f"{len(there)} of {len(jobs)} results exist already, the first is {there[0]}",
            wanted="results that are new",
            hint="add --skip-existing to go on with the others, or --overwrite to replace them",
        )


@contextmanager
def _outcomes(options: BatchOptions, jobs: Sequence[SceneJob]) -> Iterator[Iterator[SceneOutcome]]:
    """Outcomes of all jobs, as they end."""
    if options.scheduler:
        from cloudfree.commands.batch.workers import on_cluster

        with on_cluster(fill_scene, jobs, options.scheduler, _died) as outcomes:
            yield outcomes
        return
    with in_processes(fill_scene, jobs, options.jobs, _died) as outcomes:
        yield outcomes


def _died(job: SceneJob, reason: object) -> SceneOutcome:
    return job.failed(
        f"its process is gone ({reason}); wanted memory for all scenes at work, and machines that "
        "stay; ask for fewer at once, or look into the log of the machine"
    )


def _output_folder(folder: Path) -> Path:
    """The folder of the results, created if missing."""
    make_folder(folder)
    require_writable(folder / "batch.jsonl")
    return folder


def _log_name(shard: Shard) -> str:
    return "batch.jsonl" if shard.count == 1 else f"batch-{shard.index}-of-{shard.count}.jsonl"


def _log(outcome: SceneOutcome, log: Path | None) -> None:
    """Log the outcome of a scene, and append it to the log file."""
    for warning in outcome.warnings:
        logger.warning("%s: %s", outcome.name, warning)
    logger.log(logging.ERROR if outcome.state == "failed" else logging.INFO, outcome.summary())
    if log is None:
        return
    record = {one.name: getattr(outcome, one.name) for one in fields(outcome)}
    line = json.dumps(
        {"ended": datetime.now(UTC).isoformat(timespec="seconds"), **record}, default=str
    )
    with log.open("a", encoding="utf-8") as lines:
        lines.write(f"{line}\n")
