"""`cloudfree evaluate --series`: how well the dates of a place fill each other."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from cloudfree import __version__
from cloudfree.commands.evaluate.page import PatchSection
from cloudfree.commands.evaluate.result import check_outputs
from cloudfree.commands.evaluate.series.cases import CLEAR_SHARE, Case, cases
from cloudfree.commands.evaluate.series.dates import Series, read_series
from cloudfree.commands.evaluate.series.fills import fill_case
from cloudfree.commands.evaluate.series.options import SeriesOptions
from cloudfree.commands.evaluate.series.page import case_section
from cloudfree.commands.evaluate.series.result import FILES, SeriesEvaluation, write_series
from cloudfree.commands.evaluate.series.scoring import (
    SOURCES,
    ScoredCase,
    Sources,
    is_scorable,
    score_case,
)
from cloudfree.commands.evaluate.series.table import rows
from cloudfree.commands.remove.made_masks import made_masks
from cloudfree.core.terminal import Progress, muted_log
from cloudfree.datasets.folder import evenly_spread
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.reach import remote_allowed

logger = logging.getLogger("cloudfree")


def run(options: SeriesOptions, progress: Progress) -> SeriesEvaluation:
    """Fill clear dates under the clouds of others, and write the figures if requested.

    Raises
    ------
    CloudfreeError
        The folder has too few dates, or an output exists.
    """
    check_outputs(options.output, options.overwrite, FILES)
    with remote_allowed(options.allow_remote), muted_log(), made_masks() as masks:
        series = read_series(options.series, options.s2_offset, masks, progress)
        scored = _scored(series, options.limit, progress)
    if not scored:
        raise _no_case(series)
    found = _evaluation(options, series, [one for _, one in scored])
    if options.output:
        with muted_log():
            sections = [*_sections(scored, series.bands, options.pictures)]
        write_series(options.output, found, sections, options.overwrite)
    for one in found.skipped:
        logger.warning("%s is left out: it %s", one.name, one.reason)
    return found


def _scored(series: Series, limit: int | None, progress: Progress) -> list[tuple[Case, ScoredCase]]:
    chosen = [(sources, case) for sources in SOURCES for case in _cases(series, sources, limit)]
    return [
        (case, score_case(case, series.bands, sources))
        for sources, case in progress(chosen, len(chosen), "cases", "case")
    ]


def _sections(
    scored: Sequence[tuple[Case, ScoredCase]], bands: tuple[str, ...], count: int
) -> Iterator[PatchSection]:
    """Cases to look at, from the worst to the best, filled once more: all fills would not fit."""
    ranked = sorted(scored, key=lambda one: one[1].psnr)
    for case, one in evenly_spread(ranked, count):
        yield case_section(fill_case(case, bands), one, bands)


def _cases(series: Series, sources: Sources, limit: int | None) -> list[Case]:
    found = [one for one in cases(series.dates, sources == "earlier") if is_scorable(one)]
    return evenly_spread(found, limit)


def _evaluation(
    options: SeriesOptions, series: Series, scored: Sequence[ScoredCase]
) -> SeriesEvaluation:
    return SeriesEvaluation(
        version=__version__,
        series=options.series,
        bands=series.bands,
        dates=tuple(one.name for one in series.dates),
        clear=tuple(one.name for one in series.dates if one.cover <= CLEAR_SHARE),
        rows=tuple(rows(scored)),
        cases=tuple(scored),
        skipped=series.skipped,
        output=options.output,
    )


def _no_case(series: Series) -> InputError:
    covers = ", ".join(f"{one.name} {one.cover:.0%}" for one in series.dates)
    return InputError(
        f"no clear date that others fill (hidden: {covers})",
        wanted="two dates with at most 5 % hidden, and one with 10 to 80 %",
        hint="add dates of the place to the folder",
        code=ErrorCode.NO_DATA,
    )
