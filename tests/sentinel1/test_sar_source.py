"""The kind of a Sentinel-1 source is found by its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.errors import InputError
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel1.grd import GrdScene
from cloudfree.sentinel1.sar_source import open_sar_source, require_both
from tests.factories.rasters import write_one_band, write_radar
from tests.factories.sentinel1_products import level_scene, write_safe


def test_products_and_geocoded_scenes_are_distinguished(tmp_path: Path) -> None:
    product = write_safe(tmp_path, level_scene(120, 160, sigma=0.1))
    measurement = next((product / "measurement").iterdir())
    for path in (product, product / "manifest.safe", measurement):
        with open_sar_source(path) as source:
            assert isinstance(source, GrdScene)
    with open_sar_source(write_radar(tmp_path / "a.tif")) as source:
        assert isinstance(source, SarScene)


def test_heights_for_a_geocoded_scene_are_refused(tmp_path: Path) -> None:
    path = write_radar(tmp_path / "a.tif")
    with pytest.raises(InputError, match=r"--dem dem\.tif for a\.tif.*; wanted a GRD .*; leave"):
        open_sar_source(path, dem=tmp_path / "dem.tif")


def test_who_takes_both_polarisations_refuses_one(tmp_path: Path) -> None:
    both = write_radar(tmp_path / "a.tif")
    with open_sar_source(both) as source:
        require_both(source, "model m")
    text = r"VH alone in b\.tif; wanted VV and VH, which model m needs"
    with (
        open_sar_source(write_one_band(tmp_path / "b.tif", both, "VH")) as source,
        pytest.raises(InputError, match=text),
    ):
        require_both(source, "model m")
