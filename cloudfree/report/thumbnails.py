"""A result in an index: small pictures and shares, without reading it in full resolution."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.core.grid import Grid
from cloudfree.core.mask_classes import FILL_COLOURS, FILLED_CLASSES, FillClass
from cloudfree.raster.dataset import Dataset, reduced, reduced_classes
from cloudfree.report.class_shares import ClassShare
from cloudfree.report.embedding import data_uri, fitted
from cloudfree.report.index_page import IndexEntry, Thumbnail
from cloudfree.report.pictures import TRUE_COLOUR, Picture, fill_label, stretch_of
from cloudfree.report.sources import Scenes, open_scenes
from cloudfree.sentinel2.optical_scene import OpticalScene

THUMBNAIL_PX = 320
# Of a file without overviews all is read, which takes long if it is larger than this.
LARGEST_WITHOUT_OVERVIEWS_PX = 2048


def index_entry(result: Path, largest_bytes: int) -> IndexEntry:
    """The pictures of a result and the shares of what filled it, by the overviews of its files.

    The pictures take at most `largest_bytes` in the page; of 0 bytes there are none.

    Raises
    ------
    InputError
        It was not made by `cloudfree remove`, or has no bands for true colour.
    """
    with open_scenes(result) as scenes:
        scenes.after.require(TRUE_COLOUR, "a true-colour picture")
        grid = reduced(scenes.after.grid, THUMBNAIL_PX)
        shares = _shares(scenes.filled, grid) if scenes.filled else {}
        pictures = fitted(tuple(_pictures(scenes, grid)), largest_bytes) if largest_bytes else ()
        thumbnails = tuple(Thumbnail(one.label, one.caption, data_uri(one)) for one in pictures)
        return _entry(result.name, scenes, thumbnails, shares)


def _entry(
    title: str, scenes: Scenes, thumbnails: tuple[Thumbnail, ...], shares: dict[FillClass, float]
) -> IndexEntry:
    made = scenes.provenance
    filled = [one for one in FILLED_CLASSES if one in shares]
    unfilled = shares.get(FillClass.UNFILLED, 0.0)
    return IndexEntry(
        title=title,
        thumbnails=thumbnails,
        filled=sum(shares[one] for one in filled) if shares else None,
        unfilled=unfilled if shares else None,
        shares=tuple(
            ClassShare(fill_label(one, list(shares)), FILL_COLOURS[one], share)
            for one, share in shares.items()
        ),
        references=len(made.references),
        warnings=made.warnings + scenes.missing,
    )


def _pictures(scenes: Scenes, grid: Grid) -> Iterator[Picture]:
    after = scenes.after.reduced_reflectance(TRUE_COLOUR, grid)
    stretch = stretch_of(after)
    if scenes.before and _is_quick(scenes.before):
        before = scenes.before.reduced_reflectance(TRUE_COLOUR, grid)
        yield _picture("before", "Before", stretch.colours(before))
    yield _picture("after", "After", stretch.colours(after))


def _picture(name: str, label: str, pixels: np.ndarray) -> Picture:
    # `reduced`: a JPEG will do.
    return Picture(name, label, f"{label}, in true colour", pixels, reduced=True)


def _is_quick(scene: OpticalScene) -> bool:
    """Whether a small picture of a scene can be read without most of its pixels."""
    return max(scene.shape) <= LARGEST_WITHOUT_OVERVIEWS_PX or _has_overviews(scene)


def _has_overviews(dataset: Dataset) -> bool:
    return bool(dataset.handle.overviews(1))


def _shares(filled: MaskFile, grid: Grid) -> dict[FillClass, float]:
    """Share of each class that occurs among the valid pixels, the commonest first."""
    counts = np.bincount(reduced_classes(filled, grid).ravel(), minlength=256)
    found = {one: int(counts[one]) for one in FILL_COLOURS if counts[one]}
    found.pop(FillClass.NODATA, None)
    valid = sum(found.values())
    ordered = sorted(found.items(), key=lambda pair: -pair[1])
    return {one: count / valid for one, count in ordered}
