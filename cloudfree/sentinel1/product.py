"""A Sentinel-1 product: its name, its files in a folder or zip, its manifest, its tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from cloudfree.core.acquisition import Acquisition
from cloudfree.core.bands import SAR_BANDS, polarisation
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.product_files import Archive, Folder, Tree, parse_xml
from cloudfree.raster.provenance import S1_ACQUIRED, acquisition_from_tags

# Naming of S-1 products (S1-RS-MDA-52-7441, section 3.4.1): mission, mode, type, class and
# polarisation, start, stop, absolute orbit, data take, checksum. Derived files keep its beginning.
_PRODUCT = re.compile(
    r"(?P<platform>S1[A-D])_(?:IW|EW|WV|S[1-6])_[A-Z]{3}[FHM_]_[0-9A-Z]{4}_(?P<start>\d{8}T\d{6})"
    r"(?:_\d{8}T\d{6}_(?P<orbit>\d{6})(?:_[0-9A-F]{6})?(?:_[0-9A-F]{4})?)?"
)
# The class and polarisation of products of VV or VH alone: single, or half of a dual one.
_SINGLE = re.compile(r"_[0-3][SA](?:SV|VV|VH)_")
# Naming of geocoded scenes by pyroSAR: sensor, mode, A or D for the direction of the orbit, start.
_GEOCODED = re.compile(
    r"(?P<platform>S1[A-D])_+(?:IW|EW|WV|S[1-6])_+(?P<direction>[AD])_(?P<start>\d{8}T\d{6})"
)

# Relative orbit = (absolute orbit - this) % 175 + 1, as published for the two satellites whose
# position in the repeat cycle is fixed; later ones state it in their manifest.
_ORBITS_PER_CYCLE = 175
_FIRST_ORBIT = {"S1A": 73, "S1B": 27}
_RELATIVE_ORBIT = re.compile(r"[0-9]{1,3}")

_DIRECTIONS = {"A": "ascending", "D": "descending"}

# The name of the S-1 metadata for the start, which other programs preserve; it ends with Z.
_START = "PRODUCT_START_TIME"

_SAFE = "{http://www.esa.int/safe/sentinel-1.0}"

MANIFEST = "manifest.safe"
MEASUREMENT, ANNOTATION, CALIBRATION = "measurement", "annotation", "annotation/calibration"

_RASTERS = (".tif", ".tiff")

# What macOS adds to zips: a second tree of resource forks.
_FOREIGN = "__MACOSX/"


@dataclass(frozen=True)
class Product:
    """The tree of a product, in the folder or zip `path`; `names` are the files in it."""

    path: Path
    tree: Tree
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the product for messages."""
        root = self.tree.root if isinstance(self.tree, Archive) else ""
        return root.strip("/").rsplit("/", 1)[-1] or self.tree.name

    def read(self, name: str) -> bytes:
        """The content of a file of the tree."""
        return self.tree.content(name)

    def gdal_path(self, name: str) -> str:
        """The name under which GDAL opens a file of the tree."""
        return self.tree.gdal_name(name)

    def measurement(self, band: str) -> str:
        """The raster of a polarisation.

        Raises
        ------
        InputError
            There is none.
        """
        return self._only(MEASUREMENT, "", band, _RASTERS)

    def annotation(self, band: str) -> str:
        """The product annotation of a polarisation."""
        return self._only(ANNOTATION, "", band, (".xml",))

    def calibration(self, band: str) -> str:
        """The calibration annotation of a polarisation."""
        return self._only(CALIBRATION, "calibration-", band, (".xml",))

    def noise(self, band: str) -> str:
        """The noise annotation of a polarisation."""
        return self._only(CALIBRATION, "noise-", band, (".xml",))

    def require_bands(self) -> tuple[str, ...]:
        """Its polarisations: VV and VH, or the one that a product of a single one has by its name.

        Raises
        ------
        InputError
            A measurement of VV or VH is missing.
        """
        files = [name for name in self.names if _folder(name) == MEASUREMENT]
        rasters = [name for name in files if name.lower().endswith(_RASTERS)]
        found = {polarisation(PurePosixPath(name).name) for name in rasters}
        single = tuple(band for band in SAR_BANDS if band in found)
        if len(single) == 1 and _SINGLE.search(self.name):
            return single
        if missing := [band for band in SAR_BANDS if band not in found]:
            there = ", ".join(sorted(PurePosixPath(name).name for name in rasters)) or "nothing"
            raise InputError(
                f"no {' and no '.join(missing)} in the measurements of {self.name} ({there})",
                wanted="a dual-polarised product with VV and VH (1SDV)",
                hint="download the product again if files are missing, or take another product",
                code=ErrorCode.MISSING_BAND,
            )
        return SAR_BANDS

    def _only(self, folder: str, start: str, band: str, endings: tuple[str, ...]) -> str:
        found = [
            name
            for name in self.names
            if _folder(name) == folder
            and name.lower().endswith(endings)
            and PurePosixPath(name).name.startswith(start)
            and polarisation(PurePosixPath(name).name) == band
        ]
        if len(found) == 1:
            return found[0]
        raise InputError(
            f"{len(found)} files {folder}/{start}*{band.lower()}*{endings[0]} in {self.name}",
            wanted="a complete GRD product with one",
            hint="give the SAFE folder or zip as it was downloaded",
            code=ErrorCode.UNREADABLE,
        )


def find_product(path: Path) -> Product | None:
    """The GRD product at a path, None if it is something else.

    A product is given as its folder, its zip, its manifest, or its measurements or one of them
    within its tree.

    Raises
    ------
    InputError
        It is one, but without its annotation.
    """
    place = path.absolute()  # in the folder of the measurements their names are enough
    if path.is_dir():
        whole = place.name == MEASUREMENT and (place.parent / ANNOTATION).is_dir()
        return _in_folder(place.parent if whole else path)
    if path.name == MANIFEST:
        return _in_folder(path.parent)
    if place.parent.name == MEASUREMENT:
        return _in_folder(place.parent.parent)
    if path.suffix.lower() == ".zip":
        return _in_zip(path)
    return None


def product_around(path: Path) -> Path | None:
    """The folder of the GRD product in which a file lies; None if it lies in none."""
    folders = path.absolute().parents
    return next((folder for folder in folders if (folder / ANNOTATION).is_dir()), None)


def acquisition_of_name(text: str) -> Acquisition | None:
    """Acquisition by the first Sentinel-1 product name in `text`; None if there is none."""
    if found := _PRODUCT.search(text):
        return Acquisition(
            product=found.group(0),
            platform=platform_name(found["platform"]),
            acquired=_utc(found["start"]),
            relative_orbit=_relative_orbit(found["platform"], found["orbit"]),
        )
    if found := _GEOCODED.search(text):
        return Acquisition(
            product=found.group(0),
            platform=platform_name(found["platform"]),
            acquired=_utc(found["start"]),
            orbit_direction=_DIRECTIONS[found["direction"]],
        )
    return None


def acquisition_of_tags(tags: Mapping[str, str]) -> Acquisition | None:
    """The acquisition in the tags of cloudfree, else of other programs; None if there is none."""
    if _START in tags:
        tags = {S1_ACQUIRED: tags[_START], **tags}
    return acquisition_from_tags(tags)


def relative_orbit(content: bytes) -> int | None:
    """The relative orbit at the start of the acquisition; None if unknown.

    Source: S-1 Product Specification S1-RS-MDA-52-7441, section 5.1 (orbitReference).
    """
    try:
        root = parse_xml(content, "manifest")
    except InputError:
        return None
    for element in root.iter(f"{_SAFE}relativeOrbitNumber"):
        text = (element.text or "").strip()
        if element.get("type", "start") == "start" and _RELATIVE_ORBIT.fullmatch(text):
            return int(text)
    return None


def platform_name(mission: str) -> str:
    """`S1A` in full, `Sentinel-1A`."""
    return f"Sentinel-{mission[1:]}"


def _in_folder(folder: Path) -> Product | None:
    if not (folder / MEASUREMENT).is_dir():
        return None
    if not (folder / ANNOTATION).is_dir():
        raise _without_annotation(folder.name)
    tree = Folder(folder)
    return Product(folder, tree, tuple(tree.files()))


def _in_zip(path: Path) -> Product | None:
    names = [name for name in Archive(path).files() if not name.startswith(_FOREIGN)]
    for name in names:
        root, folder, _ = name.partition(f"{MEASUREMENT}/")
        if not folder:
            continue
        if not any(other.startswith(f"{root}{ANNOTATION}/") for other in names):
            raise _without_annotation(path.name)
        tree = Archive(path, root)
        return Product(path, tree, tuple(tree.files()))
    return None


def _without_annotation(name: str) -> InputError:
    return InputError(
        f"no folder {ANNOTATION} in the GRD product {name}",
        wanted="the whole product: its annotation calibrates and geolocates the measurements",
        hint="download the product again, all of it",
        code=ErrorCode.UNREADABLE,
    )


def _folder(name: str) -> str:
    return PurePosixPath(name).parent.as_posix()


def _utc(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _relative_orbit(platform: str, absolute: str | None) -> int | None:
    first = _FIRST_ORBIT.get(platform)
    if absolute is None or first is None:
        return None
    return (int(absolute) - first) % _ORBITS_PER_CYCLE + 1
