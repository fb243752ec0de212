"""The STAC item of a cloud-free scene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.addresses import href_of
from cloudfree.core.output_set import OutputSet
from cloudfree.inference.model_store import CARD, find_model, is_file
from cloudfree.raster.gdal import relative_to
from cloudfree.raster.provenance import Provenance
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


def check_item(options: RemoveOptions, optical: OpticalScene) -> None:
    """Refuse the item of a scene without a date."""
    if options.stac:
        check_dated(optical.acquisition, optical.name, "state it with --s2-date")


def describe_result(options: RemoveOptions, facts: ItemFacts, outputs: OutputSet) -> None:
    """Write the item beside finished files; without one, that of an earlier result goes."""
    path = options.item_path
    if path is None:
        outputs.replaces(*outdated_items(options.result, (*options.inputs, *options.kept)))
        return
    outputs.write(path, item_text(path, _assets(options, outputs), facts, datetime.now(UTC)))


def item_facts(
    options: RemoveOptions, optical: OpticalScene, tags: Mapping[str, str], cloud_cover: float
) -> ItemFacts:
    """What the item of a result says beside its files; `tags` are those of the result."""
    made = Provenance.from_tags(tags, optical.grid.height, optical.grid.width)
    return ItemFacts(
        acquisition=optical.acquisition,
        level=optical.level,
        lineage=_lineage(options, made),
        cloud_cover=cloud_cover if options.replace == "clouds" else None,
        sources=tuple(_sources(options, made)),
    )


def _lineage(options: RemoveOptions, made: Provenance) -> str:
    """What fills the scene, in a sentence."""
    by = [f"the model {made.model}"] if made.model else []
    by += ["clear ground of the scene itself"] if made.parts or not made.model else []
    by += [f"{len(made.references)} other dates"] if made.references else []
    what = "All pixels" if options.replace == "all" else "Pixels under clouds and their shadows"
    return f"{what} filled by {', '.join(by)}"


def _sources(options: RemoveOptions, made: Provenance) -> Iterator[ItemSource]:
    if made.s2:
        yield ItemSource(href_of(made.s2), "Sentinel-2 scene", {})
    for path in filter(None, (made.s1, *made.s1_slices)):
        yield ItemSource(href_of(path), "Sentinel-1 scene", {})
    for number, one in enumerate(made.references, start=1):
        yield ItemSource(href_of(one.path), f"Reference {number}", {})
    if made.model:
        card = relative_to(options.result.parent, _model_file(options.model))
        assert card is not None
        yield ItemSource(href_of(card), f"Model {made.model}", {"mlm:name": made.model})


def _model_file(name: str) -> Path:
    """The card of a model, or the checkpoint that has none."""
    return Path(name) if is_file(name) else find_model(name) / CARD


def _assets(options: RemoveOptions, outputs: OutputSet) -> dict[str, ItemAsset]:
    def asset(path: Path, title: str, *roles: str) -> ItemAsset:
        return ItemAsset(path, title, roles, outputs.draft(path))

    found = {
        "cloudfree": asset(options.result, "Cloud-free scene", "data", "reflectance"),
        "filled": asset(options.filled_path, "What filled each pixel", "metadata"),
    }
    if path := options.uncertainty_path:
        found["uncertainty"] = asset(path, "Standard deviations of filled pixels", "metadata")
    if options.mask_path and options.replace == "clouds":
        title = "Clouds, shadows and snow"
        found["mask"] = asset(options.mask_path, title, "metadata", *MASK_ROLES)
    return found
