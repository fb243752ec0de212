"""One raster that holds all bands of a scene."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rasterio.io import DatasetReader

from cloudfree.raster.dataset import open_raster
from cloudfree.sentinel2.gdal_tags import BOA_OFFSET_TAG, OFFSET_TAG, number_of, tagged_product
from cloudfree.sentinel2.offset import OffsetEvidence, stated_offsets
from cloudfree.sentinel2.product import OpticalProduct

# A COG with a scale of 1/10000 and an offset means digital numbers.
_DN_SCALE = 1e-4


def raster_product(path: Path) -> OpticalProduct:
    """The scene in one raster, and what its tags, its name and the folders above it tell.

    Raises
    ------
    InputError
        GDAL cannot open it.
    """
    with open_raster(str(path), str(path)) as dataset:
        tags = dataset.tags()
        product = OpticalProduct(
            kind=f"raster ({dataset.driver})",
            name=path.name,
            raster=str(path),
            evidence=_evidence(dataset, path.name),
        )
    return tagged_product(product, tags, path.absolute())


def _evidence(dataset: DatasetReader, name: str) -> tuple[OffsetEvidence, ...]:
    """What the bands say of the offset."""
    bands = [dataset.tags(index) for index in dataset.indexes]
    tagged = [
        one
        for tag in (OFFSET_TAG, BOA_OFFSET_TAG)
        for one in stated_offsets(
            "band tag", _numbers(tags.get(tag) for tags in bands), f"band tag {tag}", name
        )
    ]
    scaled = {
        round(offset / scale)
        for scale, offset in zip(dataset.scales, dataset.offsets, strict=True)
        if abs(scale / _DN_SCALE - 1) < 1e-6 and offset
    }
    by_scale = stated_offsets("band tag", map(float, scaled), "the scale and offset", name)
    return (*tagged, *by_scale)


def _numbers(texts: Iterable[str | None]) -> list[float]:
    return [number for text in texts if (number := number_of(text)) is not None]
