"""The tags of a result, which say how it was made."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cloudfree import __version__
from cloudfree.commands.remove.opened import Opened
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.acquisition import UNKNOWN, gap_days
from cloudfree.inference.model_card import ModelCard
from cloudfree.raster.gdal import relative_to
from cloudfree.raster.parts import Parts
from cloudfree.raster.provenance import Provenance
from cloudfree.raster.used_reference import UsedReference

if TYPE_CHECKING:
    from cloudfree.commands.remove.adapt import AdaptationResult


def _from(folder: Path, path: Path) -> PurePosixPath:
    relative = relative_to(folder, path)
    assert relative is not None
    return relative


def result_tags(
    options: RemoveOptions,
    opened: Opened,
    card: ModelCard | None,
    adapted: AdaptationResult | None,
    parts: Parts | None,
    references: tuple[UsedReference, ...],
) -> dict[str, str]:
    """How the result is made; paths are relative to its folder. `card` is that of a model used."""
    folder, sar, measured = options.result.parent, opened.sar, opened.measurement
    mask, acquisition = opened.scene.mask, opened.scene.optical.acquisition
    deviations, used_mask = options.uncertainty_path, options.mask_path
    gained = adapted if adapted and adapted.adapted else None
    return Provenance(
        version=__version__,
        model=card.name if card else None,
        model_sha256=card.weights_sha256 if card else None,
        model_license=card.license if card else None,
        s2=relative_to(folder, options.s2),
        s1=relative_to(folder, options.s1[0]) if sar else None,
        s1_slices=tuple(_from(folder, path) for path in options.s1[1:]) if sar else (),
        dem=relative_to(folder, options.dem),
        mask=relative_to(folder, mask.origin) if mask else None,
        mask_threshold=options.mask_threshold if options.mask else None,
        mask_dilate=options.dilate if options.mask else None,
        filled=PurePosixPath(options.filled_path.name),
        uncertainty=PurePosixPath(deviations.name) if deviations else None,
        used_mask=PurePosixPath(used_mask.name) if used_mask else None,
        s1_units=f"{sar.units.quantity} ({sar.units.reason})" if sar else None,
        s2_offset=options.s2_offset,
        shift=measured.applied_shift,
        shift_model=measured.applied_model,
        shift_reason=measured.reason,
        s1_acquisition=sar.acquisition if sar else UNKNOWN,
        gap_days=gap_days(sar.acquisition, acquisition) if sar else None,
        adapted=adapted.status if adapted else None,
        adapted_gain_db=gained.gain_db if gained else None,
        adapted_share=gained.share if gained else None,
        parts=parts,
        references=references,
    ).to_tags()
