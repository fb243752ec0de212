from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.grid import Window
from cloudfree.errors import InputError
from cloudfree.sentinel1.annotation import read_annotation, read_calibration, read_noise
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
        ('<srgrCoefficients count="6">', "<srgrCoefficients>x ", "no srgrCoefficients in num"),
        ("geolocationGridPoint>", "point>", "no geolocationGrid/geolocationGridPointList/geoloc"),
        ("</product>", "", r"a\.xml cannot be read \(no element found"),
        ("?>", '?><!DOCTYPE a [<!ENTITY x "y">]>', r"a\.xml cannot be read \(a document type decl"),
    ],
)  # fmt: skip
def test_a_damaged_annotation_is_refused(old: str, new: str, text: str) -> None:
    damaged = product_xml(SCENE, "VV").replace(old, new)
    with pytest.raises(InputError, match=text):
        read_annotation(damaged.encode(), "a.xml")


def test_the_manifest_tells_the_relative_orbit() -> None:
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
