"""The STAC item of a mask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cloudfree.commands.mask.options import MaskOptions
from cloudfree.core.addresses import href_of
from cloudfree.core.mask_classes import OBSCURED
from cloudfree.core.output_files import item_of
from cloudfree.core.output_set import OutputSet
from cloudfree.raster.gdal import relative_to
from cloudfree.raster.stac_item import (
    MASK_ROLES,
    ItemAsset,
    ItemFacts,
    ItemSource,
    check_dated,
    item_text,
    outdated_items,
)
from cloudfree.sentinel2.optical_scene import OpticalScene

_HINT = "name it after its product, as S2B_MSIL1C_20220605T105031.tif, or give the product"


def check_item(options: MaskOptions, scene: OpticalScene) -> None:
    """Refuse the item of a scene without a date."""
    if options.stac:
        check_dated(scene.acquisition, scene.name, _HINT)


def write_item(
    options: MaskOptions, scene: OpticalScene, fractions: Mapping[str, float], outputs: OutputSet
) -> None:
    """Write the item beside a finished mask; without one, that of an earlier mask goes."""
    if not options.stac:
        outputs.replaces(*outdated_items(options.result, options.inputs))
        return
    path = item_of(options.result)
    facts = _facts(options, scene, fractions)
    outputs.write(path, item_text(path, _assets(options, outputs), facts, datetime.now(UTC)))


def _facts(options: MaskOptions, scene: OpticalScene, fractions: Mapping[str, float]) -> ItemFacts:
    origin = relative_to(options.result.parent, options.scene)
    assert origin is not None
    return ItemFacts(
        acquisition=scene.acquisition,
        level=scene.level,
        lineage=f"Clouds, shadows and snow by the detector {options.detector}, "
        f"dilated by {options.dilate}",
        cloud_cover=100 * sum(fractions[one.label] for one in OBSCURED),
        sources=(ItemSource(href_of(origin), "Sentinel-2 scene", {}),),
    )


def _assets(options: MaskOptions, outputs: OutputSet) -> dict[str, ItemAsset]:
    def asset(path: Path, title: str, *roles: str) -> ItemAsset:
        return ItemAsset(path, title, roles, outputs.draft(path))

    found = {"mask": asset(options.result, "Clouds, shadows and snow", "data", *MASK_ROLES)}
    if options.score:
        found["score"] = asset(options.score, "Cloud score", "metadata")
    return found
