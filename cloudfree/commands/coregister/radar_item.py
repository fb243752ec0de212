"""The STAC item of Sentinel-1 on the grid of a Sentinel-2 scene."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cloudfree.commands.coregister.options import CoregisterOptions
from cloudfree.core.addresses import href_of
from cloudfree.core.output_files import item_of
from cloudfree.core.output_set import OutputSet
from cloudfree.raster.gdal import relative_to
from cloudfree.raster.stac_item import (
    ItemAsset,
    ItemFacts,
    ItemSource,
    check_dated,
    item_text,
    outdated_items,
)
from cloudfree.sentinel1.sar_source import SarSource


def check_item(options: CoregisterOptions, sar: SarSource) -> None:
    """Refuse the item of a scene without a date."""
    if options.stac:
        check_dated(sar.acquisition, sar.path.name, "state it with --s1-date")


def write_item(options: CoregisterOptions, sar: SarSource, outputs: OutputSet) -> None:
    """Write the item beside a finished result; without one, that of an earlier result goes."""
    if not options.stac:
        outputs.replaces(*outdated_items(options.result, options.inputs))
        return
    path = item_of(options.result)
    title = f"Sentinel-1 {' and '.join(sar.bands)}, sigma-nought in dB"
    draft = outputs.draft(options.result)
    assets = {"radar": ItemAsset(options.result, title, ("data",), draft)}
    facts = ItemFacts(
        acquisition=sar.acquisition,
        level=None,
        lineage="Sentinel-1 on the grid of a Sentinel-2 scene, its shift corrected where it is "
        "known",
        sources=(
            *(_source(options, one, "Sentinel-1 scene") for one in options.s1),
            _source(options, options.s2, "Sentinel-2 scene of the grid"),
        ),
    )
    outputs.write(path, item_text(path, assets, facts, datetime.now(UTC)))


def _source(options: CoregisterOptions, path: Path, title: str) -> ItemSource:
    origin = relative_to(options.result.parent, path)
    assert origin is not None
    return ItemSource(href_of(origin), title, {})
