"""A folder of results: an index with all of them and the scenes that failed, and a page of each."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cloudfree import __version__
from cloudfree.commands.input_files import protect_inputs
from cloudfree.commands.report.options import ReportOptions
from cloudfree.commands.report.result import ReportResult
from cloudfree.commands.report.scene import SceneReport, draw_result
from cloudfree.core.batch_log import last_records
from cloudfree.core.output_files import require_absent
from cloudfree.core.output_set import write_whole
from cloudfree.core.terminal import Progress, silent
from cloudfree.errors import CloudfreeError, ErrorCode, InputError
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.provenance import VERSION, Provenance
from cloudfree.raster.reach import only_local_rasters
from cloudfree.report.index_page import FailedScene, IndexEntry, render_index, thumbnail_bytes
from cloudfree.report.page import render
from cloudfree.report.page_size import check_page_size, picture_bytes
from cloudfree.report.thumbnails import index_entry

logger = logging.getLogger("cloudfree")


@dataclass(frozen=True)
class _Reported:
    """A result in the index; what there is of its page, or why there is nothing."""

    entry: IndexEntry | None
    scene: SceneReport | None = None
    page: Path | None = None
    failure: FailedScene | None = None


def report_folder(folder: Path, options: ReportOptions, progress: Progress) -> ReportResult:
    """Write the index of a folder, and the page of each result.

    A result that cannot be shown is among the failures, and does not stop the others.

    Raises
    ------
    CloudfreeError
        Neither results nor failures in the folder, a file that must not be replaced or cannot be
        written, or more results than an index may have.
    """
    results, index = results_in(folder), options.output or folder / "index.html"
    failures = failures_in(folder)
    _check_there_is_something(folder, results, failures)
    pages = {result: index.parent / f"{result.stem}.html" for result in results}
    outputs = [index, *(pages.values() if options.pages else ())]
    protect_inputs(results, outputs)
    for path in outputs:
        require_absent(path, options.overwrite)
    largest_bytes = thumbnail_bytes(len(results), options.max_size)
    reported = [
        _reported(result, pages[result], largest_bytes, options)
        for result in progress(results, len(results), "pages", "page")
    ]
    failures += [one.failure for one in reported if one.failure]
    entries = [one.entry for one in reported if one.entry]
    text = render_index(folder.resolve().name, entries, failures, __version__, options.max_size)
    check_page_size(text, options.max_size)
    write_whole(index, text, options.overwrite)
    return ReportResult(
        output=index,
        quicklooks=(),
        scenes=tuple(one.scene for one in reported if one.scene),
        pages=tuple(one.page for one in reported if one.page),
        failures=tuple(failures),
    )


def results_in(folder: Path) -> list[Path]:
    """The results of `cloudfree remove` in a folder, known by their tags, by name."""
    return sorted(path for path in folder.glob("*.tif") if _is_result(path))


def _is_result(path: Path) -> bool:
    """Whether the tags are those of a result, and not of a mask or of radar beside it."""
    try:
        with only_local_rasters(), Dataset(path) as dataset:
            handle = dataset.handle
            tags = handle.tags()
            if VERSION not in tags:
                return False
            made = Provenance.from_tags(tags, handle.height, handle.width, path.name)
    except CloudfreeError as error:
        logger.warning("%s is left out: %s", path.name, getattr(error, "found", error))
        return False
    return made.filled is not None


def failures_in(folder: Path) -> list[FailedScene]:
    """The scenes whose last attempt failed, as the logs of `cloudfree batch` have it, by name."""
    records = last_records(folder, lambda record: True)
    return [
        _failure(record) for _, record in sorted(records.items()) if record["state"] == "failed"
    ]


def _failure(record: Mapping[str, Any]) -> FailedScene:
    return FailedScene(
        name=record["name"],
        code=str(record.get("code") or ErrorCode.INTERNAL),
        message=str(record.get("message") or ""),
        ended=record["ended"],
    )


def _check_there_is_something(
    folder: Path, results: Sequence[Path], failures: Sequence[FailedScene]
) -> None:
    if not results and not failures:
        raise InputError(
            f"no result in {folder}",
            wanted="a folder of results of `cloudfree remove` or `cloudfree batch`",
            hint="make them with `cloudfree batch SCENES -o FOLDER`",
            code=ErrorCode.MISSING_FILE,
        )


def _reported(result: Path, page: Path, largest_bytes: int, options: ReportOptions) -> _Reported:
    try:
        entry = index_entry(result, largest_bytes)
        if not options.pages:
            return _Reported(replace(entry, page=page.name if page.exists() else None))
        scene = _write_page(result, page, options)
    except InputError as error:
        logger.warning("%s: %s", result.name, error)
        return _Reported(None, failure=FailedScene(result.name, error.code, str(error)))
    return _Reported(replace(entry, page=page.name), scene, page)


def _write_page(result: Path, page: Path, options: ReportOptions) -> SceneReport:
    largest_bytes = picture_bytes(1, options.max_size)
    section = draw_result(result, None, page, largest_bytes, silent).section
    text = render([section], __version__, options.max_size)
    check_page_size(text, options.max_size)
    write_whole(page, text, options.overwrite)
    return SceneReport.of_section(section)
