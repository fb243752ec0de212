"""Opening the inputs of `cloudfree remove`, and refusing those that do not fit the model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.cloudmask.user_mask import MaskReading, open_mask
from cloudfree.commands.input_files import ListFiles, protect_inputs
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.acquisition import check_gap, stated
from cloudfree.core.addresses import is_item
from cloudfree.core.choices import SCL
from cloudfree.errors import ErrorCode, InputError
from cloudfree.inference.model_card import ModelCard
from cloudfree.raster.outputs_elsewhere import require_new
from cloudfree.sentinel1.mosaic import open_sar_sources
from cloudfree.sentinel1.sar_source import SarSource, require_both
from cloudfree.sentinel2.detect_product import find_product
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.sentinel2.product import OpticalProduct
from cloudfree.sentinel2.products_below import is_product
from cloudfree.sentinel2.stand_in_bands import irreplaceable

logger = logging.getLogger("cloudfree")

# Endings of products whose SCL may be the mask; folders are products, too.
_PRODUCTS = (".zip", ".xml")

# The level of models that were trained on 8-bit true-colour images.
PICTURE = "picture"


def check_sources(options: RemoveOptions) -> None:
    """Refuse to fill from what is left out, and a date of nothing."""
    if options.s1_date and not options.s1:
        raise InputError(
            "--s1-date without --s1",
            wanted="the Sentinel-1 scene of that date",
            hint="give it with --s1, or leave --s1-date out",
            code=ErrorCode.BAD_OPTION,
        )
    if options.fill_by == "scene" and options.replace == "all":
        raise InputError(
            "--fill-by scene with --replace all",
            wanted="clear ground of the scene, from which its clouds are filled",
            hint="leave one of them out",
            code=ErrorCode.BAD_OPTION,
        )
    if options.fill_by == "network" and options.references:
        raise InputError(
            "--fill-by network with --reference",
            wanted="either the model by itself or other dates",
            hint="leave one of them out",
            code=ErrorCode.BAD_OPTION,
        )


def check_outputs(options: RemoveOptions, listed: ListFiles | None = None) -> None:
    """Refuse outputs that exist, replace an input or each other, or will have no content.

    `listed` is as in `protect_inputs`.
    """
    if options.write_mask and options.replace == "all":
        raise InputError(
            "--write-mask with --replace all",
            wanted="a mask that is used",
            hint="leave one of them out, or write the mask with `cloudfree mask`",
            code=ErrorCode.BAD_OPTION,
        )
    others = (*options.references, *options.reference_s1)
    # Of a folder that is searched what is found there is not known yet.
    named = [path for path in others if not path.is_dir() or is_product(path)]
    protect_inputs([*options.own_inputs, *named], options.outputs, listed)
    for path in options.outputs if not options.dry_run else ():
        require_new(path, options.overwrite)


def check_model(options: RemoveOptions, card: ModelCard, optical: OpticalScene) -> None:
    """Refuse a model that cannot fill this scene with what is given.

    Where clear ground corrects its predictions, other bands may stand in for missing ones.
    """
    needed = card.optical_bands
    if options.combines:
        needed = irreplaceable(needed, optical.bands)
    optical.require(needed, f"model {card.name}")
    check_level(optical, card)
    if card.uses_sar and not options.s1:
        raise InputError(
            "no Sentinel-1 scene",
            wanted=f"VV and VH, which model {card.name} needs",
            hint="give one with --s1, or in a batch beside it, or a model that needs none, or "
            "other dates of the place with --reference",
            code=ErrorCode.MISSING_RADAR,
        )


def open_sar(
    options: RemoveOptions, card: ModelCard, optical: OpticalScene, stack: ExitStack
) -> SarSource | None:
    """The radar scene, close enough in time to the optical one; None if nothing uses one."""
    if not options.s1:
        return None
    if not (card.uses_sar or options.references or options.combines):
        logger.info("model %s does not use Sentinel-1: it is ignored", card.name)
        return None
    sar = stack.enter_context(open_sar_sources(options.s1, options.s1_units, options.dem))
    logger.info("Sentinel-1 in %s (%s)", sar.units.quantity, sar.units.reason)
    sar.acquisition = stated(sar.acquisition, options.s1_date, "--s1-date")
    check_gap(sar.acquisition, optical.acquisition, options.max_gap)
    return sar


def check_polarisations(options: RemoveOptions, card: ModelCard, sar: SarSource | None) -> None:
    """Refuse a radar of one polarisation for a model that takes VV and VH.

    Where clear ground or other dates fill clouds, too, the caller may do without the model.
    """
    if sar and card.uses_sar and options.fill_by != "scene":
        require_both(sar, f"model {card.name}")


def open_own_mask(options: RemoveOptions, optical: OpticalScene) -> MaskFile:
    """The user's mask on the grid of the scene: a file, or the SCL of the scene or a product."""
    assert options.mask is not None
    reading = MaskReading(threshold=options.mask_threshold, dilate=options.dilate or "0")
    if options.mask == SCL:
        found = _scl_of(optical.product)
    elif options.mask.is_dir() or _is_product(options.mask):
        found = _scl_of(find_product(options.mask))
    else:
        return open_mask(options.mask, optical.grid, reading, optical.whole)
    return open_mask(found, optical.grid, replace(reading, scl=True), optical.whole)


def _is_product(path: Path) -> bool:
    return is_item(path) or path.suffix.lower() in _PRODUCTS


def _scl_of(product: OpticalProduct) -> str:
    if product.scl is None:
        raise InputError(
            f"no scene classification (SCL) in {product.name} ({product.kind})",
            wanted="an L2A product with its SCL",
            hint="give the SCL or the L2A product of the same scene with --mask FILE, or leave "
            "--mask out",
            code=ErrorCode.MISSING_BAND,
        )
    return product.scl


def predicts_all(card: ModelCard, bands: Sequence[str]) -> bool:
    """Whether a model fills all bands of a scene."""
    return set(bands) <= set(card.output_bands)


def predicts_reflectance(card: ModelCard, bands: Sequence[str]) -> bool:
    """Whether what a model predicts can be compared with a scene: reflectance of its bands."""
    return PICTURE not in card.levels and predicts_all(card, bands)


def check_level(optical: OpticalScene, card: ModelCard) -> None:
    """Refuse 8-bit images for a model of reflectance, and levels that its card refuses."""
    if optical.is_picture and PICTURE not in card.levels:
        raise InputError(
            f"8-bit numbers in {optical.name}",
            wanted=f"reflectance as 16-bit digital numbers or floats, for model {card.name}",
            hint="give the product's own bands, not its true-colour picture",
            code=ErrorCode.WRONG_LEVEL,
        )
    if _is_other_level(optical, card) and card.other_levels == "refuse":
        raise InputError(
            f"{optical.name} is {optical.level}",
            wanted=f"{' or '.join(card.levels)}, as the card of model {card.name} refuses others",
            hint="give the scene at that level, or choose another model with --model",
            code=ErrorCode.WRONG_LEVEL,
        )


def warn_of_level(optical: OpticalScene, card: ModelCard) -> None:
    """Warn of a level that a model was not trained on, where nothing corrects its predictions."""
    if not optical.is_picture and PICTURE in card.levels:
        logger.warning(
            "model %s was trained on 8-bit images: it may read reflectance as too dark", card.name
        )
    elif _is_other_level(optical, card):
        logger.warning(
            "%s is %s, model %s was trained on %s: filled pixels may not match their surroundings",
            optical.name, optical.level, card.name, " and ".join(card.levels),
        )  # fmt: skip


def _is_other_level(optical: OpticalScene, card: ModelCard) -> bool:
    known = optical.level is not None and not optical.is_picture
    return known and optical.level not in card.levels
