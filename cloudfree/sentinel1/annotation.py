"""The annotations of a GRD product as numbers.

Source: Sentinel-1 Product Specification S1-RS-MDA-52-7441, section 6.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.acquisition import Acquisition
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float64
from cloudfree.errors import InputError
from cloudfree.raster.product_files import parse_xml
from cloudfree.sentinel1.acquisition import platform_name
from cloudfree.sentinel1.calibration import AzimuthNoise, Lut, Noise

Times = NDArray[np.datetime64]

SPEED_OF_LIGHT_M_S = 299_792_458.0


@dataclass(frozen=True)
class GeolocationGrid:
    """The geolocation grid: ground points and where the image shows them, each (n,).

    `height_m` is that of the ground point, `incidence_deg` the angle from its vertical.
    """

    line: Float64
    pixel: Float64
    longitude: Float64
    latitude: Float64
    height_m: Float64
    incidence_deg: Float64
    slant_range_m: Float64
    time: Times


@dataclass(frozen=True)
class GroundRange:
    """From slant to ground range, for some azimuth times.

    Ground range in metres = sum of `coefficients[k, i] * (slant range - start_m[k]) ** i`.
    """

    time: Times
    start_m: Float64
    coefficients: Float64


@dataclass(frozen=True)
class Orbit:
    """State vectors: position of the satellite, (n, 3), Earth-fixed metres."""

    time: Times
    position_m: Float64


@dataclass(frozen=True)
class Annotation:
    """What the product annotation of one polarisation tells."""

    acquisition: Acquisition
    height: int
    width: int
    range_spacing_m: float
    tie_points: GeolocationGrid
    ground_range: GroundRange
    orbit: Orbit


def read_annotation(content: bytes, name: str) -> Annotation:
    """The product annotation.

    Raises
    ------
    InputError
        It is no XML, lacks an element, or is of another product type.
    """
    root = _Element.parse(content, name)
    if (kind := root.text("adsHeader/productType")) != "GRD":
        raise InputError(
            f"product type {kind} in {name}",
            wanted="a ground range detected product (GRD)",
            hint="take the GRD product of the same pass",
        )
    image = root.find("imageAnnotation/imageInformation")
    return Annotation(
        acquisition=_acquisition(root),
        height=int(image.text("numberOfLines")),
        width=int(image.text("numberOfSamples")),
        range_spacing_m=float(image.text("rangePixelSpacing")),
        tie_points=_tie_points(root),
        ground_range=_ground_range(root),
        orbit=_orbit(root),
    )


def read_calibration(content: bytes, name: str) -> Lut:
    """The sigmaNought table of a calibration annotation."""
    root = _Element.parse(content, name)
    return _lut(root.all("calibrationVectorList/calibrationVector"), "sigmaNought")


def read_noise(content: bytes, name: str) -> Noise:
    """The tables of a noise annotation; until March 2018 there is one along range only."""
    root = _Element.parse(content, name)
    if root.has("noiseVectorList"):
        return Noise(_lut(root.all("noiseVectorList/noiseVector"), "noiseLut"))
    along_range = _lut(root.all("noiseRangeVectorList/noiseRangeVector"), "noiseRangeLut")
    blocks = root.all("noiseAzimuthVectorList/noiseAzimuthVector")
    return Noise(along_range, tuple(_azimuth_noise(block) for block in blocks))


class _Element:
    """An element that knows the file it comes from, for the text of refusals."""

    def __init__(self, element: Element, file: str) -> None:
        self.element, self.file = element, file

    @classmethod
    def parse(cls, content: bytes, file: str) -> _Element:
        return cls(parse_xml(content, file), file)

    def has(self, path: str) -> bool:
        return self.element.find(path) is not None

    def all(self, path: str) -> list[_Element]:
        found = self.element.findall(path)
        if not found:
            raise self._lacks(path)
        return [_Element(element, self.file) for element in found]

    def find(self, path: str) -> _Element:
        return self.all(path)[0]

    def text(self, path: str) -> str:
        text = self.element.findtext(path)
        if text is None or not text.strip():
            raise self._lacks(path)
        return text.strip()

    def numbers(self, path: str) -> Float64:
        """A list of numbers in one element."""
        try:
            return np.array(self.text(path).split(), dtype=np.float64)
        except ValueError as error:
            raise self._lacks(f"{path} in numbers") from error

    def _lacks(self, path: str) -> InputError:
        return InputError(
            f"no {path} in {self.file}",
            wanted="a complete annotation of a Sentinel-1 GRD product",
            hint="download the product again",
        )


def _column(elements: list[_Element], path: str) -> Float64:
    """One number of each element."""
    return np.array([float(element.text(path)) for element in elements], dtype=np.float64)


def _times(elements: list[_Element], path: str) -> Times:
    return np.array([element.text(path) for element in elements], dtype="datetime64[ns]")


def _acquisition(root: _Element) -> Acquisition:
    return Acquisition(
        platform=platform_name(root.text("adsHeader/missionId")),
        acquired=datetime.fromisoformat(root.text("adsHeader/startTime")).replace(tzinfo=UTC),
        orbit_direction=root.text("generalAnnotation/productInformation/pass").lower(),
    )


def _tie_points(root: _Element) -> GeolocationGrid:
    points = root.all("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
    return GeolocationGrid(
        line=_column(points, "line"),
        pixel=_column(points, "pixel"),
        longitude=_column(points, "longitude"),
        latitude=_column(points, "latitude"),
        height_m=_column(points, "height"),
        incidence_deg=_column(points, "incidenceAngle"),
        slant_range_m=_column(points, "slantRangeTime") * SPEED_OF_LIGHT_M_S / 2,
        time=_times(points, "azimuthTime"),
    )


def _ground_range(root: _Element) -> GroundRange:
    found = root.all("coordinateConversion/coordinateConversionList/coordinateConversion")
    return GroundRange(
        time=_times(found, "azimuthTime"),
        start_m=_column(found, "sr0"),
        coefficients=np.stack([element.numbers("srgrCoefficients") for element in found]),
    )


def _orbit(root: _Element) -> Orbit:
    vectors = root.all("generalAnnotation/orbitList/orbit")
    axes = [_column(vectors, f"position/{axis}") for axis in "xyz"]
    return Orbit(_times(vectors, "time"), np.stack(axes, axis=1))


def _lut(vectors: list[_Element], values: str) -> Lut:
    return Lut(
        lines=_column(vectors, "line"),
        pixels=tuple(vector.numbers("pixel") for vector in vectors),
        values=tuple(vector.numbers(values) for vector in vectors),
    )


def _azimuth_noise(block: _Element) -> AzimuthNoise:
    top, left, bottom, right = (
        int(block.text(name))
        for name in ("firstAzimuthLine", "firstRangeSample", "lastAzimuthLine", "lastRangeSample")
    )
    return AzimuthNoise(
        area=Window(top, left, bottom - top + 1, right - left + 1),
        lines=block.numbers("line"),
        factors=block.numbers("noiseAzimuthLut"),
    )
