"""Scenes of many regions on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.errors import InputError
from cloudfree.training.detector.regions import open_regions
from tests.factories.regions import SIDE_PX, write_regions


def test_each_folder_is_a_region(tmp_path: Path) -> None:
    field, town = open_regions(write_regions(tmp_path))
    assert (field.name, len(field.clear), len(field.pairs), len(field.layers)) == ("field", 1, 1, 1)
    assert (town.name, len(town.clear), len(town.pairs), len(town.layers)) == ("town", 1, 0, 0)
    assert field.layers[0].cover == pytest.approx(100**2 / SIDE_PX**2, abs=0.05)


def test_a_missing_band_has_a_stand_in_and_is_named(tmp_path: Path) -> None:
    _, town = open_regions(write_regions(tmp_path))
    (image,) = town.clear
    assert image.reflectance.shape == (13, SIDE_PX, SIDE_PX)
    assert [band for band, own in zip(OPTICAL_BANDS, image.present, strict=True) if not own] == [
        "B10"
    ]
    assert image.corrected


def test_a_folder_without_regions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no NAME_clear\.tif"):
        open_regions(tmp_path)
