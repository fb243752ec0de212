"""`cloudfree report`: results in, one HTML page out; of a folder an index and a page of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cloudfree import __version__
from cloudfree.commands.input_files import protect_inputs
from cloudfree.commands.report.folder import report_folder
from cloudfree.commands.report.options import ReportOptions
from cloudfree.commands.report.result import ReportResult
from cloudfree.commands.report.scene import FILES, DrawnResult, SceneReport, draw_result
from cloudfree.core.output_files import (
    make_folder,
    require_absent,
    require_writable,
)
from cloudfree.core.output_set import OutputSet
from cloudfree.core.terminal import Progress
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.reach import remote_allowed
from cloudfree.report.page import render
from cloudfree.report.page_size import check_page_size, picture_bytes

__all__ = ["ReportOptions", "ReportResult", "run"]


def run(options: ReportOptions, progress: Progress) -> ReportResult:
    """Write the page, and the pictures as files where asked for.

    Raises
    ------
    CloudfreeError
        A result that `cloudfree remove` did not make, a truth that does not fit it, more than fits
        on a page, or a file that must not be replaced or cannot be written.
    """
    with remote_allowed(options.allow_remote):
        return _run(options, progress)


def _run(options: ReportOptions, progress: Progress) -> ReportResult:
    folders = [path for path in options.results if path.is_dir()]
    if folders:
        return report_folder(_only(folders, options), options, progress)
    output = _output(options)
    _check_output(options, output)
    largest_bytes = picture_bytes(len(options.results), options.max_size)
    drawn = [
        draw_result(path, truth, output, largest_bytes, progress)
        for path, truth in zip(options.results, _truths(options), strict=True)
    ]
    sections = [one.section for one in drawn]
    page = render(sections, __version__, options.max_size)
    check_page_size(page, options.max_size)
    with OutputSet(output, options.overwrite) as outputs:
        files = _write_quicklooks(options, drawn, outputs)
        outputs.write(output, page)
    return ReportResult(output, files, tuple(map(SceneReport.of_section, sections)))


def _only(folders: Sequence[Path], options: ReportOptions) -> Path:
    """The one folder.

    Raises
    ------
    InputError
        There is more than that, or an option that is for single results.
    """
    given = {"--truth": options.truth, "--quicklooks": options.quicklooks}
    unfit = [name for name, value in given.items() if value]
    if len(options.results) == 1 and not unfit:
        return folders[0]
    raise InputError(
        f"{unfit[0]} for a folder" if unfit else f"{folders[0]} beside other results",
        wanted="one folder of results by itself, or results one by one",
        hint="name the results, as with FOLDER/*_cloudfree.tif",
        code=ErrorCode.BAD_OPTION,
    )


def _output(options: ReportOptions) -> Path:
    if options.output is None or not options.pages:
        raise InputError(
            "--no-pages for single results" if options.output else "no -o for the page",
            wanted="-o OUT.html for results, or a folder of them",
            hint="a folder has its index in FOLDER/index.html",
            code=ErrorCode.BAD_OPTION,
        )
    return options.output


def _check_output(options: ReportOptions, output: Path) -> None:
    """Refuse a page that exists, or that would replace a raster or be replaced by a picture."""
    pictures: list[Path] = []
    if options.quicklooks:
        names = _unique([path.stem for path in options.results])
        pictures = [options.quicklooks / f"{name}_{kind}.png" for name in names for kind in FILES]
    protect_inputs([*options.results, *options.truth], [output, *pictures])
    require_absent(output, options.overwrite)
    for picture in pictures[:1]:
        require_writable(picture)


def _truths(options: ReportOptions) -> Sequence[Path | None]:
    """One truth, or none, for each result."""
    count = len(options.results)
    if len(options.truth) in (0, 1):
        return [*(options.truth or (None,))] * count
    if len(options.truth) != count:
        raise InputError(
            f"{len(options.truth)} truths for {count} results",
            wanted="one --truth for all results, or one for each in the same order",
            hint="repeat --truth as often as there are results",
            code=ErrorCode.BAD_OPTION,
        )
    return options.truth


def _write_quicklooks(
    options: ReportOptions, drawn: Sequence[DrawnResult], outputs: OutputSet
) -> tuple[Path, ...]:
    folder = options.quicklooks
    if folder is None:
        return ()
    make_folder(folder)
    stems = _unique([path.stem for path in options.results])
    files = dict(
        file for stem, one in zip(stems, drawn, strict=True) for file in one.files(folder, stem)
    )
    for path in files:
        require_absent(path, options.overwrite)
    for path, encoded in files.items():
        outputs.write(path, encoded)
    return tuple(files)


def _unique(stems: Sequence[str]) -> list[str]:
    """Results of one name in several folders get a number behind it."""
    earlier = [stems[:index].count(stem) for index, stem in enumerate(stems)]
    return [f"{stem}_{n + 1}" if n else stem for stem, n in zip(stems, earlier, strict=True)]
