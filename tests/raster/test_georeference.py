"""A grid whose pixels have no area, or that lies nowhere on the Earth, is refused as it is read."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import rasterio
from affine import Affine

from cloudfree.core.grid import Grid
from cloudfree.errors import InputError
from cloudfree.raster.georeference import what_lacks
from cloudfree.raster.warp import grid_of
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import TEN_METRES, UTM31, write_cloudy_scene

WKT = rasterio.CRS.from_user_input(UTM31).to_wkt()
SITE = 'LOCAL_CS["site",UNIT["metre",1]]'


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        (Affine(0, 0, 500_000, 0, -10, 4_500_000), "its pixels are 0 x 10 units"),
        (Affine(10, 0, 500_000, 0, 0, 4_500_000), "its pixels are 10 x 0 units"),
        (Affine(10, 10, 500_000, 10, 10, 4_500_000), "its pixels are"),
        (Affine(1e12, 0, 500_000, 0, -10, 4_500_000), r"its pixels are 1e\+12 x 10 units"),
        (Affine(10, 0, 1e12, 0, -10, 4_500_000), r"its centre is x 1e\+12"),
        (Affine(10, 0, 500_000, 0, -10, 1e308), r"its centre is x 500480, y 1e\+308"),
        (Affine(10, 0, 500_000, 0, -10, 1e8), r"its centre is x 500480, y 1e\+08|9999"),
        (Affine(10, 0, math.nan, 0, -10, 4_500_000), "numbers that are not finite"),
        (Affine(10, 0, 500_000, 0, math.inf, 4_500_000), "numbers that are not finite"),
    ],
)
def test_a_geotransform_that_is_none_is_named(transform: Affine, text: str) -> None:
    assert re.search(text, what_lacks(Grid(WKT, transform, 96, 96)))


@pytest.mark.parametrize("crs", [WKT, None])
def test_a_plain_grid_lacks_nothing(crs: str | None) -> None:
    assert what_lacks(Grid(crs, TEN_METRES, 96, 96)) == ""
    assert what_lacks(Grid(None, Affine.identity(), 1, 1)) == ""


def test_degrees_may_cross_the_antimeridian() -> None:
    degrees = rasterio.CRS.from_epsg(4326).to_wkt()
    assert what_lacks(Grid(degrees, Affine(1e-4, 0, 179.99, 0, -1e-4, 50), 96, 960)) == ""
    mercator = rasterio.CRS.from_epsg(3857).to_wkt()
    assert what_lacks(Grid(mercator, Affine(10, 0, 20_037_400, 0, -10, 5e6), 96, 960)) == ""
    assert "its centre is" in what_lacks(Grid(degrees, Affine(1e-4, 0, 10, 0, -1e-4, 95), 96, 96))


def test_the_coordinates_of_a_building_site_are_none_of_the_earth(tmp_path: Path) -> None:
    path = write_cloudy_scene(tmp_path / "s2.tif", 24, 24, crs=SITE)
    with (
        rasterio.open(path) as dataset,
        pytest.raises(InputError, match=r"s2\.tif lies nowhere on the Earth: .*none of the Earth"),
    ):
        grid_of(dataset)


@pytest.mark.parametrize("corner", [1e12, -1e300])
def test_a_scene_beyond_the_earth_is_refused(tmp_path: Path, corner: float) -> None:
    place = Affine(10, 0, corner, 0, -10, 4_500_000)
    path = write_cloudy_scene(tmp_path / "s2.tif", 24, 24, transform=place)
    with pytest.raises(InputError, match=r"lies nowhere on the Earth: .*; wanted a geotransform"):
        OpticalScene(path, offset_dn=0.0)
