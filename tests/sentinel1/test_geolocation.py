"""Ground points and pixels of an optical grid are located in the image."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from cloudfree.core.grid import Grid
from cloudfree.errors import InputError
from cloudfree.sentinel1.annotation import Annotation, GeolocationGrid, read_annotation
from cloudfree.sentinel1.geolocation import CoarseHeights, GridGeolocation, ImagePositions, lonlat
from tests.factories.sentinel1_products import Scene, ground_of, place_of, product_xml

UTM31 = CRS.from_epsg(32631).to_wkt()
HEIGHT, WIDTH = 2000, 2600

# Level ground at three heights, and slopes of 2 and 3 %.
GROUNDS = [(0.0, 0.0, 0.0), (40.0, 0.0, 0.0), (1500.0, 0.0, 0.0), (100.0, 0.2, 0.3)]


def _annotation(
    heights: tuple[float, float, float] = (0.0, 0.0, 0.0), **kind: object
) -> Annotation:
    numbers = np.broadcast_to(np.uint16(0), (HEIGHT, WIDTH))
    text = product_xml(Scene({"VV": numbers}, heights=heights, **kind), "VV")
    return read_annotation(text.encode(), "a.xml")


def _points(points: GeolocationGrid, keep: np.ndarray) -> GeolocationGrid:
    names = [field.name for field in dataclasses.fields(points)]
    return GeolocationGrid(**{name: getattr(points, name)[keep] for name in names})


def _grid_over(line: float, pixel: float, side: int = 300, size_m: float = 10.0) -> Grid:
    easting, northing = ground_of(np.array(line), np.array(pixel))
    half = side * size_m / 2
    corner = Affine(size_m, 0, float(easting) - half, 0, -size_m, float(northing) + half)
    return Grid(UTM31, corner, side, side)


@pytest.mark.parametrize("heights", GROUNDS)
@pytest.mark.parametrize("size_m", [10.0, 60.0])
def test_each_pixel_is_found_where_the_image_shows_it(
    heights: tuple[float, float, float], size_m: float
) -> None:
    annotation = _annotation(heights)
    grid = _grid_over(900, 1200, 80, size_m)
    positions = ImagePositions(
        GridGeolocation(annotation), CoarseHeights(annotation.tie_points), None
    )
    rows, cols = np.mgrid[:80, :80].astype(float)
    line, pixel = positions.locate(grid, rows, cols)
    # The ground there: its height depends on where the image shows it.
    easting, northing = grid.transform @ np.stack([cols + 0.5, rows + 0.5])
    expected = place_of(easting, northing)
    for _ in range(40):
        height = heights[0] + heights[1] * expected[0] + heights[2] * expected[1]
        expected = place_of(easting, northing, height)
    assert np.abs(line - expected[0]).max() < 1e-3
    assert np.abs(pixel - expected[1]).max() < 0.02


def test_scenes_may_cross_the_antimeridian() -> None:
    """The image reaches over 180 degrees: zone 60 ends at easting 834 km on the equator."""
    corner = (833_500.0, 10_000.0)
    annotation = _annotation(corner_m=corner, zone="EPSG:32660")
    longitude = annotation.tie_points.longitude
    assert longitude.min() < -179
    assert longitude.max() > 179
    positions = ImagePositions(
        GridGeolocation(annotation), CoarseHeights(annotation.tie_points), None
    )
    middle = ground_of(np.array(0.0), np.array(0.0), 0.0, corner)
    rows, cols = np.mgrid[:60, :60].astype(float)
    for zone in (32660, 32601):
        grid = Grid(CRS.from_epsg(zone).to_wkt(), Affine.identity(), 60, 60)
        x = middle[0] if zone == 32660 else 1_000_000 - 833_978 + (833_500 - 833_978)
        grid = dataclasses.replace(
            grid, transform=Affine(10, 0, float(x), 0, -10, float(middle[1]))
        )
        line, pixel = positions.locate(grid, rows, cols)
        assert np.isfinite(line).all()
        assert np.ptp(line) < 100
        assert np.ptp(pixel) < 100


# The real product -------------------------------------------------------------------------------


@pytest.fixture
def real(data: Path) -> Annotation:
    file = next((data / "products").glob("S1B*.SAFE/annotation/*.xml"))
    return read_annotation(file.read_bytes(), file.name)


def test_tie_points_of_a_real_product_are_found_without_themselves(real: Annotation) -> None:
    points = real.tie_points
    assert np.ptp(points.height_m) > 1800, "relief that a plain spline fails on by 24 pixels"
    errors = []
    for left_out in range(0, len(points.line), 7):
        keep = np.arange(len(points.line)) != left_out
        geolocation = GridGeolocation(dataclasses.replace(real, tie_points=_points(points, keep)))
        one = _points(points, ~keep)
        line, pixel = geolocation.locate(one.longitude, one.latitude, one.height_m)
        errors.append((float(line[0] - one.line[0]), float(pixel[0] - one.pixel[0])))
    rms = np.sqrt(np.mean(np.square(errors), axis=0))
    assert rms[0] < 0.1, "lines"
    assert rms[1] < 0.3, "pixels"
    assert np.abs(errors).max() < 1.0


def test_coarse_heights_pass_through_the_tie_points(real: Annotation) -> None:
    points = real.tie_points
    found = CoarseHeights(points).locate(points.line, points.pixel)
    assert np.abs(found - points.height_m).max() < 1e-6


def test_positions_do_not_depend_on_the_window() -> None:
    annotation = _annotation((100.0, 0.2, 0.3))
    grid = _grid_over(900, 1200)
    positions = ImagePositions(
        GridGeolocation(annotation), CoarseHeights(annotation.tie_points), None
    )
    rows, cols = np.mgrid[:300, :300].astype(float)
    whole = positions.locate(grid, rows, cols)
    part = positions.locate(grid, rows[33:70, 120:221], cols[33:70, 120:221])
    for one, other in zip(whole, part, strict=True):
        assert np.abs(one[33:70, 120:221] - other).max() < 1e-3


def test_positions_far_from_the_image_are_nan() -> None:
    annotation = _annotation()
    positions = ImagePositions(
        GridGeolocation(annotation), CoarseHeights(annotation.tie_points), None
    )
    rows, cols = np.mgrid[:20, :20].astype(float)
    line, pixel = positions.locate(_grid_over(20_000, 1200), rows, cols)
    assert np.isnan(line).all()
    assert np.isnan(pixel).all()


def test_longitude_and_latitude_are_those_of_pixel_centres() -> None:
    grid = Grid(CRS.from_epsg(4326).to_wkt(), Affine(0.1, 0, 10, 0, -0.2, 50), 5, 5)
    longitude, latitude = lonlat(grid, np.array([0.0, 2.0]), np.array([0.0, 3.0]))
    assert longitude == pytest.approx([10.05, 10.35])
    assert latitude == pytest.approx([49.9, 49.5])


@pytest.mark.parametrize(
    ("name", "wrong", "text"),
    [
        ("longitude", 0.02, r"contradict each other by .* lines"),
        ("latitude", -0.02, r"contradict each other by .* lines"),
        ("height_m", 5000.0, r"contradict each other by .* m of slant range"),
        ("slant_range_m", 5000.0, r"contradict each other by .* m of slant range"),
        ("line", 300.0, r"contradict each other by .* lines"),
    ],
)
def test_a_tie_point_with_a_wrong_number_is_refused(name: str, wrong: float, text: str) -> None:
    annotation = _annotation()
    values = getattr(annotation.tie_points, name).copy()
    values[77] += wrong
    points = dataclasses.replace(annotation.tie_points, **{name: values})
    with pytest.raises(InputError, match=f"{text}.*; wanted less than 5 lines and 50 m"):
        GridGeolocation(dataclasses.replace(annotation, tie_points=points))


def test_a_tie_point_of_another_moment_is_refused() -> None:
    annotation = _annotation()
    times = annotation.tie_points.time.copy()
    times[77] += np.timedelta64(1, "s")
    points = dataclasses.replace(annotation.tie_points, time=times)
    with pytest.raises(InputError, match=r"contradict each other by \d+ lines"):
        GridGeolocation(dataclasses.replace(annotation, tie_points=points))


def test_tie_points_of_one_place_are_refused() -> None:
    annotation = _annotation()
    one = _points(annotation.tie_points, np.zeros(210, np.intp))
    with pytest.raises(InputError, match="tie points of one line or one point of the ground"):
        GridGeolocation(dataclasses.replace(annotation, tie_points=one))
