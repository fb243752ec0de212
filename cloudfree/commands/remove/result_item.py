"""The STAC item of a cloud-free scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.addresses import href_of
from cloudfree.core.output_files import write_whole
from cloudfree.inference.model_store import CARD, find_model, is_file
from cloudfree.raster.cog import CogWriter
from cloudfree.raster.gdal import relative_to
from cloudfree.raster.provenance import Provenance
from cloudfree.raster.stac_item import (
    MASK_ROLES,
    ItemAsset,
    ItemFacts,
    ItemSource,
    check_dated,
    item_text,
    remove_outdated_item,
)
from cloudfree.sentinel2.optical_scene import OpticalScene


def check_item(options: RemoveOptions, optical: OpticalScene) -> None:
    """Refuse the item of a scene without a date."""
    if options.stac:
        check_dated(optical.acquisition, optical.name, "state it with --s2-date")


@contextmanager
def item_writer(options: RemoveOptions, result: CogWriter) -> Iterator[Callable[[ItemFacts], None]]:
    """A function that takes the facts of an item, which is written at the end of the block.

    By then all assets have their names but the result, which is finished. If no item is requested,
    that of an earlier result is removed.
    """
    described: list[ItemFacts] = []
    yield described.append
    path = options.item_path
    if path is None:
        remove_outdated_item(options.result, (*options.inputs, *options.kept))
        return
    (facts,) = described
    write_whole(path, item_text(path, _assets(options, result.draft), facts, datetime.now(UTC)))


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


def _assets(options: RemoveOptions, draft: Path) -> dict[str, ItemAsset]:
    filled = ItemAsset(options.filled_path, "What filled each pixel", ("metadata",))
    found = {
        "cloudfree": ItemAsset(options.result, "Cloud-free scene", ("data", "reflectance"), draft),
        "filled": filled,
    }
    if options.uncertainty_path:
        title = "Standard deviations of filled pixels"
        found["uncertainty"] = ItemAsset(options.uncertainty_path, title, ("metadata",))
    if options.mask_path and options.replace == "clouds":
        title = "Clouds, shadows and snow"
        found["mask"] = ItemAsset(options.mask_path, title, ("metadata", *MASK_ROLES))
    return found
