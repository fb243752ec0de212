"""Sentinel-2 products in ESA's SAFE format: folder, zip, metadata file or granule.

Band files are read one by one instead of through GDAL's SENTINEL2 driver, which keeps 10, 20 and
60 m in separate datasets. Source: S2 Products Specification Document, PSD-14.9, section 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cloudfree.core.bands import optical_band
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.product_files import Archive, Folder, Tree
from cloudfree.sentinel2.metadata import product_metadata, sun_azimuth_deg
from cloudfree.sentinel2.product import BandFile, OpticalProduct, product_name

# MTD_MSIL1C.xml; before December 2016 S2A_OPER_MTD_SAFL1C_PDMC_20151222T... .xml
PRODUCT_METADATA = re.compile(r"^(?:MTD_MSIL(?:1C|2A)|S2._.*_MTD_SAFL(?:1C|2A)_.*)\.xml$")
GRANULE_METADATA = re.compile(r"^(?:MTD_TL|S2._.*_MTD_L(?:1C|2A)_TL_.*)\.xml$")

_IMAGE = re.compile(
    r"^GRANULE/(?P<granule>[^/]+)/IMG_DATA/(?:R\d\dm/)?"
    r"[^/]*_(?P<band>B(?:0[1-9]|1[0-2]|8A))(?:_(?P<resolution>\d\d)m)?\.(?:jp2|tiff?)$",
    re.IGNORECASE,
)

# The scene classification of a L2A product, in 20 and 60 m.
_SCL = re.compile(
    r"^GRANULE/(?P<granule>[^/]+)/IMG_DATA/(?:R\d\dm/)?"
    r"[^/]*_SCL(?:_L2A)?(?:_[^/]*)?_(?P<resolution>\d\d)m\.(?:jp2|tiff?)$",
    re.IGNORECASE,
)

# The 10, 20 and 60 m bands of a L1C product, whose file names do not have it.
NATIVE_RESOLUTION_M = {
    **dict.fromkeys(("B02", "B03", "B04", "B08"), 10),
    **dict.fromkeys(("B05", "B06", "B07", "B8A", "B11", "B12"), 20),
    **dict.fromkeys(("B01", "B09", "B10"), 60),
}


@dataclass(frozen=True)
class _Image:
    granule: str
    band: str
    resolution_m: int
    file: str


def folder_product(folder: Path, granule: str | None = None) -> OpticalProduct:
    """The product of a SAFE folder; of one granule if it has several."""
    return _product(Folder(folder), "SAFE folder", granule=granule)


def zip_product(path: Path) -> OpticalProduct:
    """The product in a zip archive."""
    return _product(_archive(path), "SAFE zip")


def sub_dataset_product(text: str) -> OpticalProduct:
    """The bands of `SENTINEL2_L1C:METADATA:10m:EPSG_32631`, a name that GDAL gives.

    Raises
    ------
    InputError
        The name is none of a 10, 20 or 60 m sub-dataset.
    """
    parts = re.fullmatch(r"SENTINEL2_L\w+:(?P<file>.+):(?P<resolution>\d\d)m:EPSG_\d+", text)
    if parts is None:
        raise InputError(
            f"sub-dataset {text}",
            wanted="one of 10, 20 or 60 m, such as SENTINEL2_L1C:MTD_MSIL1C.xml:10m:EPSG_32631",
            hint="give the product itself to have all its bands",
        )
    tree = _tree_of(parts["file"])
    return _product(tree, "SAFE sub-dataset", resolution_m=int(parts["resolution"]))


def is_granule(folder: Path) -> bool:
    """Whether a folder is one of the granules of a SAFE folder."""
    return folder.parent.name == "GRANULE" and (folder / "IMG_DATA").is_dir()


def _tree_of(file: str) -> Tree:
    """The product that a metadata file belongs to, as GDAL names the file."""
    if not file.startswith("/vsizip/"):
        return Folder(Path(file).parent)
    # pathlib merges the slashes in /vsizip//data/a.zip.
    inner = file.removeprefix("/vsizip/").replace("{", "").replace("}", "")
    archive = Path(inner[: inner.lower().index(".zip") + len(".zip")])
    return _archive(archive if archive.exists() else Path("/") / archive)


def _archive(path: Path) -> Archive:
    """The archive, its root where the product's metadata file lies."""
    for file in Archive(path).files():
        folder, _, name = file.rpartition("/")
        if PRODUCT_METADATA.match(name):
            return Archive(path, f"{folder}/" if folder else "")
    raise _no_metadata(path.name)


def _product(
    tree: Tree, kind: str, granule: str | None = None, resolution_m: int | None = None
) -> OpticalProduct:
    files = tree.files()
    metadata_file = next((file for file in files if PRODUCT_METADATA.match(file)), None)
    if metadata_file is None:
        raise _no_metadata(tree.name)
    metadata = product_metadata(tree.content(metadata_file), metadata_file)
    granule, images = _images(files, granule, tree.name)
    selected = [image for image in images if resolution_m in (None, image.resolution_m)]
    named = product_name([tree.name, metadata.acquisition.product or ""])
    name = metadata.acquisition.product or (named.text if named else tree.name)
    return OpticalProduct(
        kind=f"Sentinel-2 {metadata.level or ''} {kind}".replace("  ", " "),
        name=name,
        bands=tuple(BandFile(i.band, tree.gdal_name(i.file)) for i in _finest(selected)),
        level=metadata.level,
        baseline=metadata.baseline,
        quantification=metadata.quantification,
        nodata=metadata.nodata,
        saturated=metadata.saturated,
        scl=_scl(tree, files, granule),
        sun_azimuth_deg=_sun_azimuth(tree, files, granule),
        acquisition=replace(metadata.acquisition, product=name),
        evidence=metadata.evidence + (named.evidence if named else ()),
    )


def _images(files: Iterable[str], granule: str | None, name: str) -> tuple[str, list[_Image]]:
    """The band files of a granule, which must be given if there are several."""
    matches = [match for file in files if (match := _IMAGE.match(file))]
    granules = sorted({match["granule"] for match in matches})
    if granule is None and len(granules) > 1:
        raise InputError(
            f"{len(granules)} granules in {name}",
            wanted="one tile",
            hint=f"give one of its folders, such as {name}/GRANULE/{granules[0]}",
        )
    chosen = granule or (granules[0] if granules else "")
    images = [_image(match) for match in matches if match["granule"] == chosen]
    if not images:
        raise InputError(
            f"no band file below GRANULE in {name}",
            wanted="a product with its images",
            hint="download the product again",
            code=ErrorCode.UNREADABLE,
        )
    return chosen, images


def _image(match: re.Match[str]) -> _Image:
    band = optical_band(match["band"]) or ""
    resolution = match["resolution"] or NATIVE_RESOLUTION_M[band]
    return _Image(match["granule"], band, int(resolution), match[0])


def _finest(images: Iterable[_Image]) -> list[_Image]:
    """One image for each band."""
    finest: dict[str, _Image] = {}
    for image in sorted(images, key=lambda image: -image.resolution_m):
        finest[image.band] = image
    return [finest[band] for band in finest]


def _scl(tree: Tree, files: Iterable[str], granule: str) -> str | None:
    """The finest scene classification of a granule, as GDAL opens it."""
    matches = [match for file in files if (match := _SCL.match(file))]
    own = [match for match in matches if match["granule"] == granule]
    finest = min(own, key=lambda match: int(match["resolution"]), default=None)
    return tree.gdal_name(finest[0]) if finest else None


def _sun_azimuth(tree: Tree, files: Iterable[str], granule: str) -> float | None:
    folder = f"GRANULE/{granule}/"
    for file in files:
        if file.startswith(folder) and GRANULE_METADATA.match(file.removeprefix(folder)):
            return sun_azimuth_deg(tree.content(file), file)
    return None


def _no_metadata(name: str) -> InputError:
    return InputError(
        f"no MTD_MSIL1C.xml or MTD_MSIL2A.xml in {name}",
        wanted="a Sentinel-2 product with its metadata",
        hint="give the folder or archive that holds the whole product",
        code=ErrorCode.UNREADABLE,
    )
