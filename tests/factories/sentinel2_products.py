"""Small Sentinel-2 products made by code: SAFE trees, zips, band folders and STAC items.

A product shows 480 m of ground: 48 x 48, 24 x 24 and 8 x 8 pixels of 10, 20 and 60 m.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from cloudfree.core.bands import OPTICAL_BANDS
from tests.factories.rasters import FIELD, UTM31

SIDE_M = 480
CORNER = (500_000.0, 4_500_000.0)
RESOLUTION_M = {
    **dict.fromkeys(("B02", "B03", "B04", "B08"), 10),
    **dict.fromkeys(("B05", "B06", "B07", "B8A", "B11", "B12"), 20),
    **dict.fromkeys(("B01", "B09", "B10"), 60),
}
SUN_AZIMUTH_DEG = 150.25

# The first and the last baseline without an offset table, and two with one.
OFFSETS = {"02.14": 0, "04.00": -1000, "05.11": -1000}

Numbers = dict[str, np.ndarray]


def ground(seed: int = 0) -> Numbers:
    """Reflectance x 10000 by band at its own resolution, uint16: a field with a dark corner."""
    rng = np.random.default_rng(seed)
    numbers = {}
    for band, level in zip(OPTICAL_BANDS, FIELD, strict=True):
        side = SIDE_M // RESOLUTION_M[band]
        pixels = 10_000 * level * rng.uniform(0.8, 1.2, (side, side))
        pixels[-side // 4 :, -side // 4 :] /= 10
        numbers[band] = np.maximum(np.rint(pixels), 1).astype(np.uint16)
    return numbers


def bands_of(level: str) -> tuple[str, ...]:
    """The bands of a product of that level."""
    return tuple(band for band in OPTICAL_BANDS if level == "L1C" or band != "B10")


def write_band(path: Path, pixels: np.ndarray, **kind: Any) -> Path:
    """One band as a lossless JP2 or as a GeoTIFF, by the ending."""
    height, width = pixels.shape
    pixel_m = SIDE_M / width
    jp2 = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
    options: dict[str, Any] = jp2 if path.suffix == ".jp2" else {"driver": "GTiff"}
    place = {"crs": UTM31, "transform": Affine(pixel_m, 0, CORNER[0], 0, -pixel_m, CORNER[1])}
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", count=1, height=height, width=width, dtype=pixels.dtype,
        **{**options, **place, **kind},
    ) as dataset:  # fmt: skip
        dataset.write(pixels, 1)
    return path


@dataclass(frozen=True)
class Safe:
    """What a SAFE tree is to be; `numbers` are without the offset, which is put in."""

    level: str = "L1C"
    baseline: str = "02.14"
    numbers: Numbers = field(default_factory=ground)
    quantification: int = 10_000
    suffix: str = "jp2"
    offset: int | None = None

    @property
    def offset_dn(self) -> int:
        return OFFSETS[self.baseline] if self.offset is None else self.offset

    @property
    def name(self) -> str:
        baseline = self.baseline.replace(".", "")
        return f"S2B_MSI{self.level}_20220605T105031_N{baseline}_R051_T31TCG_20220605T125031"

    @property
    def stored(self) -> Numbers:
        """What the files hold; 0 and 65535 keep their meaning."""
        return {
            band: np.where(
                np.isin(self.numbers[band], (0, 65535)),
                self.numbers[band],
                self.numbers[band].astype(np.int32) - self.offset_dn,
            ).astype(np.uint16)
            for band in bands_of(self.level)
        }


def write_safe(folder: Path, safe: Safe, granules: int = 1) -> Path:
    """Write a SAFE folder; more than one granule is what products before 2016 had."""
    root = folder / f"{safe.name}.SAFE"
    for number in range(granules):
        granule = root / "GRANULE" / f"{safe.level}_T31TC{'GHJ'[number]}_A027410_20220605T105031"
        for file, pixels in _images(safe).items():
            write_band(granule / "IMG_DATA" / file, pixels)
        (granule / "MTD_TL.xml").write_text(_tile_xml(safe))
    (root / f"MTD_MSI{safe.level}.xml").write_text(_product_xml(safe))
    return root


def write_zip(folder: Path, safe: Safe) -> Path:
    """Write the SAFE tree into a zip archive, as it is downloaded."""
    root = write_safe(folder / "unpacked", safe)
    path = folder / f"{safe.name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(root.rglob("*")):
            archive.write(file, file.relative_to(root.parent))
    return path


def write_bucket(folder: Path, numbers: Mapping[str, np.ndarray]) -> Path:
    """Write a tile in the layout of the public buckets."""
    place = folder / "tiles" / "31" / "T" / "CG" / "2022" / "6" / "5" / "0"
    for band, pixels in numbers.items():
        write_band(place / f"{band}.jp2", pixels)
    return place


def write_bigearthnet(folder: Path, numbers: Mapping[str, np.ndarray]) -> Path:
    """Write a patch as BigEarthNet does."""
    name = "S2A_MSIL2A_20170617T93021_4_55"
    for band, pixels in numbers.items():
        write_band(folder / name / f"{name}_{band}.tif", pixels)
    return folder / name


def write_stac(
    path: Path,
    files: Mapping[str, str],
    properties: Mapping[str, Any],
    collection: str = "sentinel-2-l1c",
    **asset: Any,
) -> Path:
    """Write a STAC item whose assets are named after their bands; `asset` goes into each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assets = {
        band: {"href": href, "roles": ["data"], "eo:bands": [{"name": band}], **asset}
        for band, href in files.items()
    }
    assets["visual"] = {"href": "TCI.tif", "eo:bands": [{"name": n} for n in ("B04", "B03", "B02")]}
    assets["thumbnail"] = {"href": "preview.jpg", "roles": ["thumbnail"]}
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": "S2B_31TCG_20220605_0",
        "stac_extensions": [], "geometry": None, "links": [], "assets": assets,
        "collection": collection,
        "properties": {"datetime": "2022-06-05T10:50:31Z", "platform": "sentinel-2b", **properties},
    }  # fmt: skip
    path.write_text(json.dumps(item))
    return path


def _images(safe: Safe) -> Numbers:
    """File names below IMG_DATA and their pixels."""
    stem = "T31TCG_20220605T105031"
    if safe.level == "L1C":
        return {f"{stem}_{band}.{safe.suffix}": p for band, p in safe.stored.items()}
    images = {}
    for band, pixels in safe.stored.items():
        finest = RESOLUTION_M[band]
        # Coarser copies have other content, so that reading them instead of the finest is detected.
        for resolution in (size for size in (10, 20, 60) if size >= finest):
            side = SIDE_M // resolution
            copy = pixels if resolution == finest else np.full((side, side), 7777, np.uint16)
            images[f"R{resolution}m/{stem}_{band}_{resolution}m.{safe.suffix}"] = copy
    scl = np.full((24, 24), 4, np.uint8)
    return {**images, f"R20m/{stem}_SCL_20m.{safe.suffix}": scl}


def _product_xml(safe: Safe) -> str:
    """The parts of MTD_MSIL1C.xml or MTD_MSIL2A.xml that matter, in their places."""
    number, l2a = safe.level[1:], safe.level == "L2A"
    quantification = (
        f'<QUANTIFICATION_VALUES_LIST><BOA_QUANTIFICATION_VALUE unit="none">{safe.quantification}'
        '</BOA_QUANTIFICATION_VALUE><AOT_QUANTIFICATION_VALUE unit="none">1000.0'
        "</AOT_QUANTIFICATION_VALUE></QUANTIFICATION_VALUES_LIST>"
        if l2a
        else f'<QUANTIFICATION_VALUE unit="none">{safe.quantification}</QUANTIFICATION_VALUE>'
    )
    listed, one = (
        ("BOA_ADD_OFFSET_VALUES_LIST", "BOA_ADD_OFFSET")
        if l2a
        else ("Radiometric_Offset_List", "RADIO_ADD_OFFSET")
    )
    offsets = "".join(f'<{one} band_id="{i}">{safe.offset_dn}</{one}>' for i in range(13))
    table = f"<{listed}>{offsets}</{listed}>" if safe.baseline >= "04.00" else ""
    special = "".join(
        f"<Special_Values><SPECIAL_VALUE_TEXT>{text}</SPECIAL_VALUE_TEXT>"
        f"<SPECIAL_VALUE_INDEX>{value}</SPECIAL_VALUE_INDEX></Special_Values>"
        for text, value in (("NODATA", 0), ("SATURATED", 65535))
    )
    space = f"https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-{number}.xsd"
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-{number}_User_Product xmlns:n1="{space}">
<n1:General_Info><Product_Info>
<PRODUCT_START_TIME>2022-06-05T10:50:31.024Z</PRODUCT_START_TIME>
<PRODUCT_STOP_TIME>2022-06-05T10:50:31.024Z</PRODUCT_STOP_TIME>
<PRODUCT_URI>{safe.name}.SAFE</PRODUCT_URI>
<PROCESSING_LEVEL>Level-{number}</PROCESSING_LEVEL>
<PRODUCT_TYPE>S2MSI{number}</PRODUCT_TYPE>
<PROCESSING_BASELINE>{safe.baseline}</PROCESSING_BASELINE>
<Datatake datatakeIdentifier="GS2B_20220605T105031_027410_N{safe.baseline}">
<SPACECRAFT_NAME>Sentinel-2B</SPACECRAFT_NAME>
<DATATAKE_SENSING_START>2022-06-05T10:50:31.024Z</DATATAKE_SENSING_START>
<SENSING_ORBIT_NUMBER>51</SENSING_ORBIT_NUMBER>
<SENSING_ORBIT_DIRECTION>DESCENDING</SENSING_ORBIT_DIRECTION>
</Datatake></Product_Info>
<Product_Image_Characteristics>{special}{quantification}{table}
</Product_Image_Characteristics></n1:General_Info>
</n1:Level-{number}_User_Product>
"""


def _tile_xml(safe: Safe) -> str:
    """The parts of MTD_TL.xml that matter: the sun, and the views of it that must not be taken."""
    number = safe.level[1:]
    space = f"https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-{number}_Tile_Metadata.xsd"
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-{number}_Tile_ID xmlns:n1="{space}">
<n1:Geometric_Info><Tile_Angles metadataLevel="Standard">
<Mean_Viewing_Incidence_Angle_List><Mean_Viewing_Incidence_Angle bandId="0">
<ZENITH_ANGLE unit="deg">9.1</ZENITH_ANGLE><AZIMUTH_ANGLE unit="deg">104.5</AZIMUTH_ANGLE>
</Mean_Viewing_Incidence_Angle></Mean_Viewing_Incidence_Angle_List>
<Mean_Sun_Angle><ZENITH_ANGLE unit="deg">25.5</ZENITH_ANGLE>
<AZIMUTH_ANGLE unit="deg">{SUN_AZIMUTH_DEG}</AZIMUTH_ANGLE></Mean_Sun_Angle>
</Tile_Angles></n1:Geometric_Info>
</n1:Level-{number}_Tile_ID>
"""
