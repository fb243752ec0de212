"""One result: its section of a page, its pictures as files, its metrics for programs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cloudfree.core.mask_classes import FILLED_CLASSES, FillClass, class_fractions, fill_shares
from cloudfree.core.output_files import check_output_names
from cloudfree.core.terminal import Progress
from cloudfree.raster.encoded_picture import png
from cloudfree.raster.parts import Parts
from cloudfree.raster.used_reference import UsedReference
from cloudfree.raster.warp import pixel_size_m
from cloudfree.report import quicklooks
from cloudfree.report.class_shares import filled_by
from cloudfree.report.comparison import (
    COLUMNS,
    BeforeAfter,
    Comparison,
    compare_with_truth,
    percent,
)
from cloudfree.report.embedding import REFERENCES, embedded_bytes, fitted
from cloudfree.report.histograms import band_histograms
from cloudfree.report.page import SceneSection, metadata
from cloudfree.report.parts_table import part_rows
from cloudfree.report.pictures import Picture
from cloudfree.report.sources import Sources, open_sources
from cloudfree.report.zoom import zoom_of

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

    @classmethod
    def of_section(cls, section: SceneSection) -> SceneReport:
        """What a section of a page has for programs."""
        return cls(
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

    def lines(self) -> Iterator[str]:
        """The name and the metrics in columns, for people."""
        share, unfilled = self.filled_fraction, self.unfilled_fraction
        more = f", {percent(unfilled)} cloud and not filled" if unfilled else ""
        yield self.name if share is None else f"{self.name}: {percent(share)} filled{more}"
        if self.references and self.filled_by:
            yield f"  {_what_filled(self.filled_by)}"
        for number, one in enumerate(self.references, start=1):
            yield f"  {one.summary(number)}"
        if self.parts:
            yield from _part_lines(self.parts)
        if self.comparison:
            yield from _metric_lines(self.comparison)


@dataclass(frozen=True)
class DrawnResult:
    """The section of a result, and its pictures in full size."""

    section: SceneSection
    pictures: tuple[Picture, ...]

    def files(self, folder: Path, stem: str) -> Iterator[tuple[Path, bytes]]:
        """Names of the pictures in a folder and what goes into them."""
        for picture in self.pictures:
            if picture.name in FILES and picture.composite in ("", "true"):
                yield folder / f"{stem}_{picture.name}.png", png(picture.pixels)


def draw_result(
    result: Path, truth: Path | None, page: Path, largest_bytes: int, progress: Progress
) -> DrawnResult:
    """The section of a result whose pictures, zoomed ones included, take at most so many bytes.

    Raises
    ------
    CloudfreeError
        It was not made by `cloudfree remove`, the truth does not fit it, or the page would replace
        one of its files.
    """
    with open_sources(result, truth) as sources:
        check_output_names([page], [result.parent / name for name in sources.provenance.files])
        for sentence in sources.missing:
            logger.warning("%s: %s", result.name, sentence)
        return _drawn(result.name, sources, largest_bytes, progress)


def _drawn(title: str, sources: Sources, largest_bytes: int, progress: Progress) -> DrawnResult:
    filled, unfilled = _filled(sources)
    layers, drawn = zip(*quicklooks.drawn_layers(sources), strict=True)
    pictures, grid = fitted(drawn, largest_bytes), sources.after.grid
    left = largest_bytes - embedded_bytes(pictures)
    section = SceneSection(
        title=title,
        filled=filled,
        unfilled=unfilled,
        model=sources.provenance.model,
        metadata=metadata(sources),
        fractions=class_fractions(sources.mask.counts()) if sources.mask else {},
        warnings=sources.provenance.warnings + sources.missing,
        pictures=pictures,
        comparison=compare_with_truth(sources, progress) if sources.truth else None,
        fill_shares=fill_shares(sources.filled.counts()) if sources.filled else {},
        references=sources.provenance.references,
        parts=sources.provenance.parts,
        histograms=band_histograms(sources),
        zoom=zoom_of(layers, grid, pixel_size_m(grid), max(pictures[0].pixels.shape), left),
    )
    return DrawnResult(section, drawn)


def _filled(sources: Sources) -> tuple[float | None, float | None]:
    """Shares of the valid pixels that are filled, and that are cloud and not filled."""
    if sources.filled is None:
        return None, None
    counts = sources.filled.counts()
    valid = max(int(counts.sum() - counts[FillClass.NODATA]), 1)
    filled = int(counts[list(FILLED_CLASSES)].sum())
    return filled / valid, int(counts[FillClass.UNFILLED]) / valid


def _metric_lines(comparison: Comparison) -> Iterator[str]:
    yield f"  {'':22}{''.join(f'{column.title:>9}' for column in COLUMNS)}"
    yield f"  {'':22}{''.join(f'{column.short_unit:>9}' for column in COLUMNS)}".rstrip()
    for region, pair in (("cloudy", comparison.cloudy), ("all", comparison.all)):
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
