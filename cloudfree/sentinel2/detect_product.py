"""Detecting the Sentinel-2 product at a path: SAFE, band folder, STAC item or raster."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rasterio.io import DatasetReader

from cloudfree.core.addresses import address_of, gdal_name_of, is_item
from cloudfree.raster.dataset import open_raster
from cloudfree.sentinel2 import safe
from cloudfree.sentinel2.band_folder import band_folder_product
from cloudfree.sentinel2.gdal_tags import (
    BOA_OFFSET_TAG,
    OFFSET_TAG,
    offsets_by_scale,
    tagged_product,
)
from cloudfree.sentinel2.metadata import number_of
from cloudfree.sentinel2.offset import OffsetEvidence, stated_offsets
from cloudfree.sentinel2.product import OpticalProduct


def find_product(path: Path) -> OpticalProduct:
    """The Sentinel-2 product at a path.

    A SAFE folder or zip, its metadata file, one of its granules, a sub-dataset as GDAL names it, a
    folder with a file per band, the JSON of a STAC item or its address; anything else is a raster
    for GDAL.

    Raises
    ------
    InputError
        None of these, or an incomplete product.
    """
    if str(path).startswith("SENTINEL2_"):
        return safe.sub_dataset_product(str(path))
    if path.is_dir():
        return _folder_product(path)
    if is_item(path):
        # pystac is imported only for an item.
        from cloudfree.sentinel2.stac import stac_product

        return stac_product(path)
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return safe.zip_product(path)
    if suffix == ".xml":
        return _metadata_product(path)
    return raster_product(path)


def raster_product(path: Path) -> OpticalProduct:
    """The scene in one raster, with metadata from its tags, its name and its folders.

    Raises
    ------
    InputError
        GDAL cannot open it.
    """
    with open_raster(gdal_name_of(path), address_of(path)) as dataset:
        tags = dataset.tags()
        product = OpticalProduct(
            kind=f"raster ({dataset.driver})",
            name=path.name,
            raster=gdal_name_of(path),
            evidence=_evidence(dataset, path.name),
        )
    return tagged_product(product, tags, path.absolute())


def _folder_product(folder: Path) -> OpticalProduct:
    if safe.is_granule(folder):
        return safe.folder_product(folder.parent.parent, folder.name)
    if any(safe.PRODUCT_METADATA.match(path.name) for path in folder.iterdir()):
        return safe.folder_product(folder)
    unpacked = list(folder.glob("*.SAFE"))
    return safe.folder_product(unpacked[0]) if len(unpacked) == 1 else band_folder_product(folder)


def _metadata_product(path: Path) -> OpticalProduct:
    """The product of a metadata file; of its granule, if it is the granule's."""
    if safe.GRANULE_METADATA.match(path.name):
        return _folder_product(path.parent)
    return safe.folder_product(path.parent)


def _evidence(dataset: DatasetReader, name: str) -> tuple[OffsetEvidence, ...]:
    """Evidence of the offset in band tags, scales and offsets."""
    bands = [dataset.tags(index) for index in dataset.indexes]
    tagged = [
        one
        for tag in (OFFSET_TAG, BOA_OFFSET_TAG)
        for one in stated_offsets(
            "band tag", _numbers(tags.get(tag) for tags in bands), f"band tag {tag}", name
        )
    ]
    return (*tagged, *offsets_by_scale(dataset, name))


def _numbers(texts: Iterable[str | None]) -> list[float]:
    return [number for text in texts if (number := number_of(text)) is not None]
