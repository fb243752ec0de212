"""What a path is: a product in one of its many packings, or a raster."""

from __future__ import annotations

from pathlib import Path

from cloudfree.sentinel2 import safe
from cloudfree.sentinel2.band_folder import band_folder_product
from cloudfree.sentinel2.product import OpticalProduct
from cloudfree.sentinel2.raster_product import raster_product


def find_product(path: Path) -> OpticalProduct:
    """The Sentinel-2 product at a path.

    A SAFE folder or zip, its metadata file, one of its granules, a sub-dataset as GDAL names it, a
    folder with a file per band, the JSON of a STAC item; anything else is a raster for GDAL.

    Raises
    ------
    InputError
        Nothing of all this, or a product that lacks what it needs.
    """
    if str(path).startswith("SENTINEL2_"):
        return safe.sub_dataset_product(str(path))
    if path.is_dir():
        return _folder_product(path)
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return safe.zip_product(path)
    if suffix == ".xml":
        return _metadata_product(path)
    if suffix in (".json", ".geojson"):
        # The library is read only where there is an item.
        from cloudfree.sentinel2.stac import stac_product

        return stac_product(path)
    return raster_product(path)


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
