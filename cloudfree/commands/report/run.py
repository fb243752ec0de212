"""`cloudfree report`: results in, one HTML page out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloudfree import __version__
from cloudfree.commands.input_files import protect_inputs
from cloudfree.commands.report.options import ReportOptions
from cloudfree.core.mask_classes import FILLED_CLASSES, FillClass, class_fractions, fill_shares
from cloudfree.core.output_files import (
    check_output_names,
    make_folder,
    require_absent,
    require_writable,
)
from cloudfree.core.output_set import OutputSet
from cloudfree.core.terminal import Progress
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.dataset import png
from cloudfree.raster.parts import Parts
from cloudfree.raster.used_reference import UsedReference
from cloudfree.report.class_shares import filled_by
from cloudfree.report.comparison import (
    COLUMNS,
    BeforeAfter,
    Comparison,
    compare_with_truth,
    percent,
)
from cloudfree.report.page import REFERENCES, SceneSection, metadata, render
from cloudfree.report.parts_table import part_rows
from cloudfree.report.quicklooks import quicklooks
from cloudfree.report.sources import Sources, open_sources

logger = logging.getLogger("cloudfree")

# Pictures that are written as files, in true colour where there is a choice.
FILES = ("before", "after", *REFERENCES, "mask", "filled", "sar", "truth", "error")


@dataclass(frozen=True)
class SceneReport:
    """The metrics of one result; None and empty where a file or the truth is missing.

    Names are keys of the JSON output; both fractions are of the valid pixels, the second of those
    under the mask that are not filled. `filled_by` are shares of the filled pixels by class.
    `parts` is None unless the scene itself and the model filled it together.
    """

    name: str
    filled_fraction: float | None
    unfilled_fraction: float | None
    mask_fractions: Mapping[str, float]
    filled_by: Mapping[str, float]
    references: tuple[UsedReference, ...]
    parts: Parts | None
    comparison: Comparison | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ReportResult:
    """The page, the pictures beside it, and the metrics in it."""

    output: Path
    quicklooks: tuple[Path, ...]
    scenes: tuple[SceneReport, ...]

    def summary(self) -> str:
        """A table for people."""
        tables = [line for scene in self.scenes for line in _lines(scene)]
        return "\n".join([*tables, str(self.output)])


def run(options: ReportOptions, progress: Progress) -> ReportResult:
    """Write the page, and the pictures as files where asked for.

    Raises
    ------
    CloudfreeError
        A result that `cloudfree remove` did not make, a truth that does not fit it, or a file
        that must not be replaced or cannot be written.
    """
    _check_output(options)
    sections = [
        _section(path, truth, options.output, progress)
        for path, truth in zip(options.results, _truths(options), strict=True)
    ]
    with OutputSet(options.output, options.overwrite) as outputs:
        files = _write_quicklooks(options, sections, outputs)
        outputs.write(options.output, render(sections, __version__))
    return ReportResult(options.output, files, tuple(map(_scene_report, sections)))


def _check_output(options: ReportOptions) -> None:
    """Refuse a page that exists, or that would replace a raster or be replaced by a picture."""
    pictures: list[Path] = []
    if options.quicklooks:
        names = _unique([path.stem for path in options.results])
        pictures = [options.quicklooks / f"{name}_{kind}.png" for name in names for kind in FILES]
    protect_inputs([*options.results, *options.truth], [options.output, *pictures])
    require_absent(options.output, options.overwrite)
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


def _section(result: Path, truth: Path | None, page: Path, progress: Progress) -> SceneSection:
    with open_sources(result, truth) as sources:
        check_output_names([page], [result.parent / name for name in sources.provenance.files])
        for sentence in sources.missing:
            logger.warning("%s: %s", result.name, sentence)
        filled, unfilled = _filled(sources)
        return SceneSection(
            title=result.name,
            filled=filled,
            unfilled=unfilled,
            model=sources.provenance.model,
            metadata=metadata(sources),
            fractions=class_fractions(sources.mask.counts()) if sources.mask else {},
            warnings=sources.provenance.warnings + sources.missing,
            pictures=tuple(quicklooks(sources)),
            comparison=compare_with_truth(sources, progress) if sources.truth else None,
            fill_shares=fill_shares(sources.filled.counts()) if sources.filled else {},
            references=sources.provenance.references,
            parts=sources.provenance.parts,
        )


def _filled(sources: Sources) -> tuple[float | None, float | None]:
    """Shares of the valid pixels that are filled, and that are cloud and not filled."""
    if sources.filled is None:
        return None, None
    counts = sources.filled.counts()
    valid = max(int(counts.sum() - counts[FillClass.NODATA]), 1)
    filled = int(counts[list(FILLED_CLASSES)].sum())
    return filled / valid, int(counts[FillClass.UNFILLED]) / valid


def _write_quicklooks(
    options: ReportOptions, sections: Sequence[SceneSection], outputs: OutputSet
) -> tuple[Path, ...]:
    if options.quicklooks is None:
        return ()
    make_folder(options.quicklooks)
    files = dict(_files(options.quicklooks, options.results, sections))
    for path in files:
        require_absent(path, options.overwrite)
    for path, encoded in files.items():
        outputs.write(path, encoded)
    return tuple(files)


def _files(
    folder: Path, results: Sequence[Path], sections: Sequence[SceneSection]
) -> Iterator[tuple[Path, bytes]]:
    """Names of the pictures and what goes into them."""
    for stem, section in zip(_unique([path.stem for path in results]), sections, strict=True):
        for picture in section.pictures:
            if picture.name in FILES and picture.composite != "swir":
                yield folder / f"{stem}_{picture.name}.png", png(picture.pixels)


def _unique(stems: Sequence[str]) -> list[str]:
    """Results of one name in several folders get a number behind it."""
    earlier = [stems[:index].count(stem) for index, stem in enumerate(stems)]
    return [f"{stem}_{n + 1}" if n else stem for stem, n in zip(stems, earlier, strict=True)]


def _scene_report(section: SceneSection) -> SceneReport:
    return SceneReport(
        section.title,
        section.filled,
        section.unfilled,
        section.fractions,
        {one.name.lower(): share for one, share in section.fill_shares.items()},
        section.references,
        section.parts,
        section.comparison,
        section.warnings,
    )


def _lines(scene: SceneReport) -> Iterator[str]:
    """The name of a scene and its metrics in columns."""
    share, unfilled = scene.filled_fraction, scene.unfilled_fraction
    more = f", {percent(unfilled)} cloud and not filled" if unfilled else ""
    yield scene.name if share is None else f"{scene.name}: {percent(share)} filled{more}"
    if scene.references and scene.filled_by:
        yield f"  {_what_filled(scene.filled_by)}"
    for number, one in enumerate(scene.references, start=1):
        yield f"  {one.summary(number)}"
    if scene.parts:
        yield from _part_lines(scene.parts)
    if scene.comparison is None:
        return
    yield f"  {'':22}{''.join(f'{column.title:>9}' for column in COLUMNS)}"
    yield f"  {'':22}{''.join(f'{column.short_unit:>9}' for column in COLUMNS)}".rstrip()
    for region, pair in (("cloudy", scene.comparison.cloudy), ("all", scene.comparison.all)):
        if pair:
            yield from _rows(f"{region} pixels", pair)


def _part_lines(parts: Parts) -> Iterator[str]:
    """Weights and errors of the scene itself and of the model."""
    yield f"  {'':22}{'weight':>9}{'error':>9}"
    for one in part_rows(parts):
        yield f"  {one.name:22}{one.weight:>9}{one.error:>9}"


def _what_filled(shares: Mapping[str, float]) -> str:
    """The classes of filled pixels and their shares in words."""
    classes = filled_by({FillClass[name.upper()]: share for name, share in shares.items()})
    return ", ".join(f"{one.label} {percent(one.share)}" for one in classes)


def _rows(region: str, pair: BeforeAfter) -> Iterator[str]:
    for name, metrics in (("before", pair.before), ("after", pair.after)):
        cells = "".join(f"{column.text(metrics):>9}" for column in COLUMNS)
        yield f"  {region if name == 'before' else '':14}{name:8}{cells}"
