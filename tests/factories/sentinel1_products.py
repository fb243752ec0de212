"""Tiny Sentinel-1 GRD products made by code, whose geometry and calibration are known exactly.

The Earth is a plane below a satellite that flies straight on: what lies at a ground range G and a
height h is seen at the slant range hypot(ALTITUDE_M - h, G). The image lies askew in UTM zone 31.
"""

from __future__ import annotations

import dataclasses
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer
from rasterio.errors import NotGeoreferencedWarning

from cloudfree.raster.gdal import ignored_warning

NAME = "S1A_IW_GRDH_1SDV_20210424T173240_20210424T173305_037592_046F2A_1C3D"
SPEED_OF_LIGHT_M_S = 299_792_458.0

ALTITUDE_M = 700_000.0
NEAR_GROUND_RANGE_M = 500_000.0
SPACING_M = 10.0
LINES_PER_S = 668.0
START = np.datetime64("2021-04-24T17:32:40.512", "ns")

# Where line 0, pixel 0 lies in UTM zone 31, and which way lines and pixels run.
CORNER_M = (500_000.0, 4_500_000.0)
HEADING_DEG = -12.0

TO_LONLAT = Transformer.from_crs("EPSG:32631", "EPSG:4326", always_xy=True)


@dataclass(frozen=True)
class Tables:
    """The tables of a product; each is linear along lines and pixels, so that reading is exact.

    `azimuth_noise` are factors left and right of the middle, or None for a product before 2018.
    """

    gain: tuple[float, float, float] = (400.0, 0.05, 0.1)
    noise: tuple[float, float, float] = (900.0, 0.3, -0.2)
    azimuth_noise: tuple[float, float] | None = (1.0, 1.5)

    def gain_at(self, line: np.ndarray, pixel: np.ndarray) -> np.ndarray:
        return _plane(self.gain, line, pixel)

    def noise_at(self, line: np.ndarray, pixel: np.ndarray, width: int) -> np.ndarray:
        left, right = self.azimuth_noise or (1.0, 1.0)
        return _plane(self.noise, line, pixel) * np.where(pixel < width // 2, left, right)


@dataclass(frozen=True)
class Scene:
    """What a product is made of: digital numbers of VV and VH, (y, x), and heights of the ground.

    `heights` are those of tie points: (corner, per line, per pixel).
    """

    numbers: dict[str, np.ndarray]
    tables: Tables = field(default_factory=Tables)
    heights: tuple[float, float, float] = (0.0, 0.0, 0.0)
    corner_m: tuple[float, float] = CORNER_M
    zone: str = "EPSG:32631"
    name: str = NAME

    @property
    def shape(self) -> tuple[int, int]:
        return next(iter(self.numbers.values())).shape

    def sigma_nought(self, band: str) -> np.ndarray:
        """What the product means, (y, x), NaN where the number is 0."""
        line, pixel = np.mgrid[: self.shape[0], : self.shape[1]].astype(float)
        numbers = self.numbers[band].astype(float)
        noise = self.tables.noise_at(line, pixel, self.shape[1])
        sigma = np.maximum(numbers**2 - noise, 0) / self.tables.gain_at(line, pixel) ** 2
        return np.where(numbers == 0, np.nan, sigma)


def level_scene(height: int, width: int, sigma: np.ndarray | float, **kind: object) -> Scene:
    """A scene of a given sigma-nought in VV and a quarter of it in VH, rounded to numbers."""
    tables = kind.get("tables", Tables())
    line, pixel = np.mgrid[:height, :width].astype(float)
    power = tables.gain_at(line, pixel) ** 2
    noise = tables.noise_at(line, pixel, width)
    numbers = {
        band: np.rint(np.sqrt(sigma * share * power + noise)).astype(np.uint16)
        for band, share in (("VV", 1.0), ("VH", 0.25))
    }
    return Scene(numbers, **kind)


def place_of(
    easting: np.ndarray, northing: np.ndarray, height_m: np.ndarray | float = 0.0,
    corner_m: tuple[float, float] = CORNER_M,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Line and pixel at which the image shows a point of the ground."""
    turn = np.radians(HEADING_DEG)
    east, north = easting - corner_m[0], northing - corner_m[1]
    along_range = east * np.cos(turn) + north * np.sin(turn)
    along_azimuth = east * np.sin(turn) - north * np.cos(turn)
    ground = NEAR_GROUND_RANGE_M + along_range
    seen = np.sqrt(ground**2 + (ALTITUDE_M - height_m) ** 2 - ALTITUDE_M**2)
    return along_azimuth / SPACING_M, (seen - NEAR_GROUND_RANGE_M) / SPACING_M


def ground_of(
    line: np.ndarray, pixel: np.ndarray, height_m: np.ndarray | float = 0.0,
    corner_m: tuple[float, float] = CORNER_M,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Easting and northing of what the image shows: the other way round."""
    seen = NEAR_GROUND_RANGE_M + pixel * SPACING_M
    ground = np.sqrt(seen**2 + ALTITUDE_M**2 - (ALTITUDE_M - height_m) ** 2)
    along_range, along_azimuth = ground - NEAR_GROUND_RANGE_M, line * SPACING_M
    turn = np.radians(HEADING_DEG)
    east = along_range * np.cos(turn) + along_azimuth * np.sin(turn)
    north = along_range * np.sin(turn) - along_azimuth * np.cos(turn)
    return corner_m[0] + east, corner_m[1] + north


def write_safe(folder: Path, scene: Scene, short_names: bool = False) -> Path:
    """Write the tree of a product; `short_names` are those of the AWS bucket."""
    root = folder / (scene.name if short_names else f"{scene.name}.SAFE")
    (root / "measurement").mkdir(parents=True)
    (root / "annotation/calibration").mkdir(parents=True)
    for number, band in enumerate(scene.numbers, start=1):
        polarisation = band.lower()
        stem = f"s1a-iw-grd-{polarisation}-20210424t173240-20210424t173305-037592-046f2a-00{number}"
        stem = f"iw-{polarisation}" if short_names else stem
        _write_measurement(root / f"measurement/{stem}.tiff", scene, band)
        (root / f"annotation/{stem}.xml").write_text(product_xml(scene, band))
        calibration = root / "annotation/calibration"
        (calibration / f"calibration-{stem}.xml").write_text(calibration_xml(scene))
        (calibration / f"noise-{stem}.xml").write_text(noise_xml(scene))
    (root / "manifest.safe").write_text(MANIFEST)
    return root


def zipped(root: Path) -> Path:
    """The same product as a zip next to it."""
    path = root.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(root.rglob("*")):
            archive.write(file, file.relative_to(root.parent).as_posix())
    return path


def without(root: Path, pattern: str) -> Path:
    """The product with some of its files lost."""
    for file in list(root.rglob(pattern)):
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    return root


def renamed(scene: Scene, name: str) -> Scene:
    return dataclasses.replace(scene, name=name)


def _write_measurement(path: Path, scene: Scene, band: str) -> None:
    numbers = scene.numbers[band]
    line, pixel = _tie_places(scene)
    easting, northing = ground_of(line, pixel, _plane(scene.heights, line, pixel), scene.corner_m)
    longitude, latitude = _lonlat(scene, easting, northing)
    points = [
        rasterio.control.GroundControlPoint(row=r, col=c, x=x, y=y, z=0.0)
        for r, c, x, y in zip(line, pixel, longitude, latitude, strict=True)
    ]
    with (
        ignored_warning(NotGeoreferencedWarning),
        rasterio.open(
            path, "w", driver="GTiff", count=1, height=numbers.shape[0], width=numbers.shape[1],
            dtype="uint16", gcps=points, crs="EPSG:4326",
        ) as dataset,
    ):  # fmt: skip
        dataset.write(numbers, 1)


def _tie_places(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Lines and pixels of the geolocation grid: 10 by 21, as in real products."""
    height, width = scene.shape
    lines, pixels = np.linspace(0, height - 1, 10), np.linspace(0, width - 1, 21)
    line, pixel = np.meshgrid(lines, pixels, indexing="ij")
    return line.ravel(), pixel.ravel()


def _lonlat(scene: Scene, easting: np.ndarray, northing: np.ndarray) -> tuple[np.ndarray, ...]:
    return Transformer.from_crs(scene.zone, "EPSG:4326", always_xy=True).transform(
        easting, northing
    )


def _time(line: float) -> str:
    return str(START + np.timedelta64(round(line / LINES_PER_S * 1e9), "ns"))


def product_xml(scene: Scene, band: str) -> str:
    """The product annotation."""
    points = "".join(
        _tie_point_xml(scene, *place) for place in zip(*_tie_places(scene), strict=True)
    )
    height, width = scene.shape
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<product><adsHeader><missionId>{scene.name[:3]}</missionId><productType>GRD</productType>
<polarisation>{band}</polarisation><mode>IW</mode><startTime>{_time(0)[:26]}</startTime>
<absoluteOrbitNumber>37592</absoluteOrbitNumber></adsHeader>
<generalAnnotation><productInformation><pass>Ascending</pass></productInformation>
<orbitList count="17">{"".join(_orbit_xml(step) for step in range(-8, 9))}</orbitList>
</generalAnnotation>
<imageAnnotation><imageInformation><rangePixelSpacing>{SPACING_M}</rangePixelSpacing>
<numberOfSamples>{width}</numberOfSamples><numberOfLines>{height}</numberOfLines>
</imageInformation></imageAnnotation>
<coordinateConversion><coordinateConversionList count="2">{_ground_range_xml(scene, -50)}
{_ground_range_xml(scene, height + 50)}</coordinateConversionList></coordinateConversion>
<geolocationGrid><geolocationGridPointList count="210">{points}</geolocationGridPointList>
</geolocationGrid></product>"""


def _orbit_xml(step: int) -> str:
    seconds = 10 * step
    x, y, z = 4_700_000 - 5_000 * seconds, 300_000.0, 5_200_000 + 5_000 * seconds
    time = START + np.timedelta64(seconds, "s")
    return f"<orbit><time>{time}</time><position><x>{x}</x><y>{y}</y><z>{z}</z></position></orbit>"


def _tie_point_xml(scene: Scene, line: float, pixel: float) -> str:
    height = float(_plane(scene.heights, np.array(line), np.array(pixel)))
    easting, northing = ground_of(np.array(line), np.array(pixel), height, scene.corner_m)
    longitude, latitude = _lonlat(scene, easting, northing)
    seen = NEAR_GROUND_RANGE_M + pixel * SPACING_M
    slant = np.hypot(ALTITUDE_M, seen)
    ground = np.sqrt(slant**2 - (ALTITUDE_M - height) ** 2)
    incidence = np.degrees(np.arctan2(ground, ALTITUDE_M - height / 2))
    return f"""<geolocationGridPoint><azimuthTime>{_time(line)}</azimuthTime>
<slantRangeTime>{2 * slant / SPEED_OF_LIGHT_M_S:.17e}</slantRangeTime><line>{line:.17g}</line>
<pixel>{pixel:.17g}</pixel><latitude>{latitude:.17e}</latitude><longitude>{longitude:.17e}</longitude>
<height>{height:.17e}</height><incidenceAngle>{incidence:.17e}</incidenceAngle></geolocationGridPoint>"""


def _ground_range_xml(scene: Scene, line: float) -> str:
    """A polynomial from slant to ground range that holds over the image and some way beyond."""
    width = scene.shape[1] * SPACING_M
    ground = np.linspace(-0.5 * width, 1.5 * width, 200)
    slant = np.hypot(ALTITUDE_M, NEAR_GROUND_RANGE_M + ground)
    start = float(np.hypot(ALTITUDE_M, NEAR_GROUND_RANGE_M))
    fit = np.polynomial.Polynomial.fit(slant - start, ground, 5).convert()
    coefficients = " ".join(f"{value:.17e}" for value in fit.coef)
    return f"""<coordinateConversion><azimuthTime>{_time(line)}</azimuthTime><sr0>{start:.17e}</sr0>
<srgrCoefficients count="6">{coefficients}</srgrCoefficients></coordinateConversion>"""


def calibration_xml(scene: Scene) -> str:
    """The calibration annotation."""
    vectors = _vectors_xml(scene, scene.tables.gain, "calibrationVector", "sigmaNought")
    return f"<calibration><calibrationVectorList>{vectors}</calibrationVectorList></calibration>"


def noise_xml(scene: Scene) -> str:
    """The noise annotation, as it is today or as it was before 2018."""
    factors = scene.tables.azimuth_noise
    if factors is None:
        vectors = _vectors_xml(scene, scene.tables.noise, "noiseVector", "noiseLut")
        return f"<noise><noiseVectorList>{vectors}</noiseVectorList></noise>"
    vectors = _vectors_xml(scene, scene.tables.noise, "noiseRangeVector", "noiseRangeLut")
    height, width = scene.shape
    halves = [(0, width // 2 - 1), (width // 2, width - 1)]
    blocks = "".join(
        f"""<noiseAzimuthVector><swath>IW{number}</swath><firstAzimuthLine>0</firstAzimuthLine>
<firstRangeSample>{first}</firstRangeSample><lastAzimuthLine>{height - 1}</lastAzimuthLine>
<lastRangeSample>{last}</lastRangeSample><line count="2">0 {height - 1}</line>
<noiseAzimuthLut count="2">{factor} {factor}</noiseAzimuthLut></noiseAzimuthVector>"""
        for number, ((first, last), factor) in enumerate(zip(halves, factors, strict=True), 1)
    )
    return f"""<noise><noiseRangeVectorList>{vectors}</noiseRangeVectorList>
<noiseAzimuthVectorList>{blocks}</noiseAzimuthVectorList></noise>"""


def _vectors_xml(scene: Scene, plane: tuple[float, float, float], tag: str, values: str) -> str:
    """Vectors at lines from above to below the image, at every 40th pixel and the last."""
    height, width = scene.shape
    pixels = np.unique(np.append(np.arange(0, width, 40), width - 1))
    text = []
    for line in np.linspace(0, height + 20, 4).round():
        numbers = " ".join(f"{value:.17g}" for value in _plane(plane, np.array(line), pixels))
        text.append(
            f"<{tag}><line>{line:g}</line><pixel>{' '.join(map(str, pixels))}</pixel>"
            f"<{values}>{numbers}</{values}></{tag}>"
        )
    return "".join(text)


def _plane(
    coefficients: tuple[float, float, float], line: np.ndarray, pixel: np.ndarray
) -> np.ndarray:
    at_corner, per_line, per_pixel = coefficients
    return at_corner + per_line * line + per_pixel * pixel


MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1" xmlns:safe="http://www.esa.int/safe/sentinel-1.0">
<metadataSection><safe:orbitReference>
<safe:relativeOrbitNumber type="start">95</safe:relativeOrbitNumber>
<safe:relativeOrbitNumber type="stop">95</safe:relativeOrbitNumber></safe:orbitReference>
</metadataSection></xfdu:XFDU>"""
