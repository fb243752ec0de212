"""`cloudfree compare`: results of `evaluate` side by side, as the tables of a paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudfree import __version__
from cloudfree.commands.compare.groups import GAPS, by_cover, by_gap, parse_days, with_dates
from cloudfree.commands.compare.options import CompareOptions
from cloudfree.commands.compare.pictures import cover_chart, shown_grid
from cloudfree.commands.compare.result import CHART, FILES, GRID, ComparedModels, write_comparison
from cloudfree.commands.compare.results import Results, read_results
from cloudfree.commands.compare.statistics import (
    GroupRow,
    Models,
    common_patches,
    differences,
    group_rows,
)
from cloudfree.commands.evaluate.patch import NOTHING
from cloudfree.commands.evaluate.result import check_outputs
from cloudfree.core.terminal import Progress
from cloudfree.errors import ErrorCode, InputError


def run(options: CompareOptions, _: Progress) -> ComparedModels:
    """Compare results on the patches that all models have, and write tables if requested.

    Raises
    ------
    CloudfreeError
        Results that do not compare, a label or patch that is not there, or an output exists.
    """
    check_outputs(options.output, options.overwrite, FILES)
    last_days = parse_days(options.gap_days)
    results = read_results(options.results, options.image)
    if options.dates:
        results = with_dates(results, options.dates)
    found = _compared(options, results, last_days)
    if options.show and not options.output:
        raise _show_without_output(options.show[0])
    if options.output:
        pictures = {CHART: cover_chart(found.cover)}
        if options.show:
            pictures[GRID] = shown_grid(results, options.show)
        write_comparison(options.output, found, pictures, options.overwrite)
    return found


def _compared(
    options: CompareOptions, results: Results, last_days: tuple[int, ...]
) -> ComparedModels:
    models = results.models
    names = common_patches(models)
    if not names:
        raise InputError(
            "no patch that all results have",
            wanted="results on the same patches",
            hint="evaluate the models on one data set and split",
            code=ErrorCode.NO_DATA,
        )
    scores = {name: one for name, one in models[NOTHING][0].patches.items() if name in names}
    gaps = {pair: by_gap(scores, images, last_days) for pair, images in GAPS.items()}
    return ComparedModels(
        version=__version__,
        protocol=results.protocol,
        cover_of=results.cover,
        image=options.image,
        trainings={label: _trainings(models, label) for label in models if label != NOTHING},
        patches=len(names),
        places=len({one.place for one in scores.values()}),
        overall=group_rows(models, {"all": names}),
        cover=_known(group_rows(models, by_cover(scores, options.bins))),
        differences=differences(models, names, _baseline(options, models)),
        gaps={pair: group_rows(models, groups) for pair, groups in gaps.items() if groups},
        notes=tuple(_notes(models, names, any(gaps.values()))),
        output=options.output,
    )


def _known(rows: tuple[GroupRow, ...]) -> tuple[GroupRow, ...]:
    """The rows of groups that have patches."""
    return tuple(row for row in rows if row.patches)


def _trainings(models: Models, label: str) -> tuple[dict[str, Any], ...]:
    return tuple({"seed": one.seed, "weights": one.weights} for one in models[label])


def _baseline(options: CompareOptions, models: Models) -> str:
    """The label that differences are taken to, by default the first."""
    labels = [label for label in models if label != NOTHING]
    if options.baseline is None:
        return labels[0]
    if options.baseline not in models:
        raise InputError(
            f"no model {options.baseline} among the results",
            wanted=f"one of {', '.join(models)}",
            hint="correct --baseline",
            code=ErrorCode.BAD_OPTION,
        )
    return options.baseline


def _notes(models: Models, names: frozenset[str], dated: bool) -> Iterator[str]:
    for label, found in models.items():
        own = {name for one in found for name in one.patches}
        if label != NOTHING and (more := len(own - names)):
            yield f"{more} patches of {label} left out, which others lack"
    if not dated:
        yield "no dates of the images are known, so there are no groups by days: give --dates"


def _show_without_output(name: str) -> InputError:
    return InputError(
        f"--show {name} without -o",
        wanted="a folder for the picture",
        hint="add -o, or leave --show out",
        code=ErrorCode.BAD_OPTION,
    )
