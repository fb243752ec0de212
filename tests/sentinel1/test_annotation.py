"""The annotations of a GRD product as numbers: geometry, calibration, noise."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.grid import Window
from cloudfree.errors import InputError
from cloudfree.sentinel1.annotation import (
    AzimuthNoise,
    Lut,
    Noise,
    read_annotation,
    read_calibration,
    read_noise,
    sigma_nought,
)
from cloudfree.sentinel1.product import relative_orbit
from tests.factories.sentinel1_products import (
    MANIFEST,
    SPACING_M,
    Tables,
    calibration_xml,
    level_scene,
    noise_xml,
    product_xml,
)

LINES = np.array([0.0, 100.0, 250.0])
PIXELS = (
    np.array([0.0, 40.0, 300.0]),
    np.array([0.0, 199.0, 200.0, 300.0]),
    np.array([0.0, 300.0]),
)

WINDOWS = st.builds(
    Window, st.integers(0, 280), st.integers(0, 280), st.integers(1, 60), st.integers(1, 60)
)


def _plane(line: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    return 500 + 0.5 * line + 0.25 * pixel


LUT = Lut(LINES, PIXELS, tuple(_plane(line, p) for line, p in zip(LINES, PIXELS, strict=True)))


@given(WINDOWS)
def test_a_table_is_read_bilinearly_whatever_pixels_its_vectors_have(window: Window) -> None:
    line, pixel = np.mgrid[window.row : window.row_stop, window.col : window.col_stop]
    expected = _plane(np.minimum(line, 250), np.minimum(pixel, 300))
    assert np.allclose(LUT.on(window), expected, rtol=1e-6)


def test_beyond_its_ends_a_table_keeps_its_last_value() -> None:
    table = Lut(np.array([10.0]), (np.array([5.0, 9.0]),), (np.array([2.0, 4.0]),))
    read = table.on(Window(0, 0, 3, 20))
    assert np.array_equal(read[0], read[2])
    assert read[0, [0, 5, 7, 9, 19]].tolist() == [2, 2, 3, 4, 4]


@given(WINDOWS)
def test_noise_varies_along_azimuth_in_each_part_of_the_swath(window: Window) -> None:
    left = AzimuthNoise(Window(0, 0, 400, 150), np.array([0.0, 400.0]), np.array([1.0, 5.0]))
    right = AzimuthNoise(Window(0, 150, 400, 250), np.array([0.0]), np.array([2.0]))
    line, pixel = np.mgrid[window.row : window.row_stop, window.col : window.col_stop]
    factor = np.where(pixel < 150, 1 + line / 100, 2)
    expected = LUT.on(window) * factor
    assert np.allclose(Noise(LUT, (left, right)).on(window), expected, rtol=1e-6)


def test_without_azimuth_vectors_the_noise_is_that_along_range() -> None:
    window = Window(3, 4, 5, 6)
    assert np.array_equal(Noise(LUT).on(window), LUT.on(window))


def test_sigma_nought_is_what_the_product_specification_says() -> None:
    numbers = np.uint16([[0, 30, 31, 500, 65535]])
    gain, noise = np.full((1, 5), 400, np.float32), np.full((1, 5), 930, np.float32)
    sigma = sigma_nought(numbers, gain, noise)
    expected = [np.nan, 0.0, 31 / 160_000, 249_070 / 160_000, (65535**2 - 930) / 160_000]
    assert sigma[0] == pytest.approx(expected, rel=1e-6, nan_ok=True)


SCENE = level_scene(50, 90, 0.1, heights=(100.0, 1.0, 0.0))


def test_the_product_annotation_is_read() -> None:
    found = read_annotation(product_xml(SCENE, "VV").encode(), "a.xml")
    assert (found.height, found.width, found.range_spacing_m) == (50, 90, SPACING_M)
    assert found.acquisition.platform == "Sentinel-1A"
    assert found.acquisition.orbit_direction == "ascending"
    assert found.acquisition.acquired == datetime(2021, 4, 24, 17, 32, 40, 512_000, tzinfo=UTC)
    points = found.tie_points
    assert points.height_m == pytest.approx(100 + points.line)
    assert len(points.line) == 210
    assert found.orbit.position_m.shape == (17, 3)
    assert found.ground_range.coefficients.shape == (2, 6)


@pytest.mark.parametrize("azimuth_noise", [(1.0, 1.5), None], ids=["today", "before 2018"])
def test_the_tables_are_read(azimuth_noise: tuple[float, float] | None) -> None:
    scene = level_scene(50, 90, 0.1, tables=Tables(azimuth_noise=azimuth_noise))
    line, pixel = np.mgrid[10:40, 20:80]
    window = Window(10, 20, 30, 60)
    gain = read_calibration(calibration_xml(scene).encode(), "calibration.xml").on(window)
    noise = read_noise(noise_xml(scene).encode(), "noise.xml").on(window)
    assert np.allclose(gain, scene.tables.gain_at(line, pixel), rtol=1e-6)
    assert np.allclose(noise, scene.tables.noise_at(line, pixel, 90), rtol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("<productType>GRD", "<productType>SLC", r"product type SLC in a\.xml; wanted a ground ra"),
        ("numberOfLines>", "lines>", r"no numberOfLines in a\.xml; .*download the product again"),
        ('<srgrCoefficients count="6">', "<srgrCoefficients>x ", r"no number in srgrCoef"),
        ("<numberOfLines>50", "<numberOfLines>5e1.", r"no number in numberOfLines \('5e1\.'\)"),
        ("<numberOfLines>50", "<numberOfLines>49.5", "numberOfLines = 49.5, no whole number"),
        ("<numberOfLines>50", "<numberOfLines>-50", "numberOfLines = -50, not within 1 and 200000"),
        ("<numberOfLines>50", "<numberOfLines>50 50", "2 numbers in numberOfLines"),
        ("<rangePixelSpacing>10.0", "<rangePixelSpacing>nan", "Spacing = nan, not within 0.1"),
        ("<line>0<", "<line>1e12<", r"line = 1e\+12, not within 0 and 1e\+06"),
        ('count="6">', 'count="6">0 ', "polynomials of several degrees"),
        ("<startTime>2021-04-24", "<startTime>2021-02-30", "no time of Sentinel-1 in adsHeader/st"),
        ("<startTime>2021-04-24T17:32:40.512000", "<startTime>now", r"startTime \('now'\)"),
        ("<startTime>2021", "<startTime>9999", "no time of Sentinel-1 in adsHeader/startTime"),
        ("<time>2021-04-24T17:31", "<time>2022-04-24T17:31", "time that does not rise"),
        ("geolocationGridPoint>", "point>", "no geolocationGrid/geolocationGridPointList/geoloc"),
        ("</product>", "", r"a\.xml cannot be read \(no element found"),
        ("?>", '?><!DOCTYPE a [<!ENTITY x "y">]>', r"a\.xml cannot be read \(a document type decl"),
    ],
)  # fmt: skip
def test_a_damaged_annotation_is_refused(old: str, new: str, text: str) -> None:
    damaged = product_xml(SCENE, "VV").replace(old, new, 1 if "count=" in old else -1)
    assert damaged != product_xml(SCENE, "VV")
    with pytest.raises(InputError, match=text):
        read_annotation(damaged.encode(), "a.xml")


def test_the_manifest_has_the_relative_orbit() -> None:
    assert relative_orbit(MANIFEST.encode()) == 95
    assert relative_orbit(b"<xfdu/>") is None
    assert relative_orbit(b"<xfdu") is None
    assert relative_orbit(MANIFEST.replace("?>", "?><!DOCTYPE a>").encode()) is None


def test_the_annotations_of_a_real_product_are_read(data: Path) -> None:
    root = next((data / "products").glob("S1B*.SAFE"))
    annotation, calibration, noise = (
        next(root.glob(pattern))
        for pattern in ("annotation/*.xml", "annotation/calib*/cal*", "annotation/calib*/noise*")
    )
    found = read_annotation(annotation.read_bytes(), annotation.name)
    assert (found.height, found.width) == (16705, 26102)
    assert found.acquisition.orbit_direction == "descending"
    assert relative_orbit((root / "manifest.safe").read_bytes()) == 22
    window = Window(8000, 13_000, 3, 4)
    gain = read_calibration(calibration.read_bytes(), calibration.name).on(window)
    power = read_noise(noise.read_bytes(), noise.name).on(window)
    # The noise-equivalent sigma-nought of IW is specified as -22 dB at most; it is about -25.
    assert -30 < 10 * np.log10((power / gain**2).mean()) < -22


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("<line>0</line>", "<line>99</line>", "line that falls from one element to the next"),
        ("<pixel>0 40", "<pixel>0 400", "pixel that falls from one value to the next"),
        ("<pixel>0 40", "<pixel>0", r"4 sigmaNought for 3 numbers of pixel in c\.xml"),
        ("<sigmaNought>400", "<sigmaNought>0", "sigmaNought = 0, not within 10 and"),
        ("<sigmaNought>400", "<sigmaNought>-400", "sigmaNought = -400, not within 10 and"),
        ("<sigmaNought>400", "<sigmaNought>four", "no number in sigmaNought"),
    ],
)
def test_a_damaged_table_is_refused(old: str, new: str, text: str) -> None:
    whole = calibration_xml(SCENE)
    assert old in whole
    with pytest.raises(InputError, match=text):
        read_calibration(whole.replace(old, new, 1).encode(), "c.xml")


def test_damaged_azimuth_noise_is_refused() -> None:
    damaged = noise_xml(SCENE).replace("<firstAzimuthLine>0<", "<firstAzimuthLine>0.5<")
    with pytest.raises(InputError, match=r"firstAzimuthLine = 0.5, no whole number, in n\.xml"):
        read_noise(damaged.encode(), "n.xml")


@pytest.mark.parametrize("orbit", ["", "ten", "9 5", "1e3", "\u0661"])
def test_a_relative_orbit_that_is_no_number_is_unknown(orbit: str) -> None:
    assert relative_orbit(MANIFEST.replace(">95<", f">{orbit}<").encode()) is None
