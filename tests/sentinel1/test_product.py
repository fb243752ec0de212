from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.errors import InputError
from cloudfree.sentinel1.product import find_product
from tests.factories.sentinel1_products import (
    NAME,
    level_scene,
    renamed,
    without,
    write_safe,
    zipped,
)

SCENE = level_scene(20, 30, 0.1)


def test_a_product_is_found_by_its_folder_zip_manifest_and_measurement(tmp_path: Path) -> None:
    root = write_safe(tmp_path, SCENE)
    ways = [root, root / "manifest.safe", next(root.glob("measurement/*-vh-*")), zipped(root)]
    for way in ways:
        product = find_product(way)
        assert product is not None
        product.require_bands()
        assert "-vv-" in product.measurement("VV")
        assert product.annotation("VH").startswith("annotation/s1a-iw-grd-vh-")
        assert b"<noise>" in product.read(product.noise("VV"))
        assert b"<calibration>" in product.read(product.calibration("VV"))
        assert product.name in (f"{NAME}.SAFE", root.name)


def test_the_short_names_of_the_bucket_are_known(tmp_path: Path) -> None:
    product = find_product(write_safe(tmp_path, SCENE, short_names=True))
    assert product is not None
    assert product.measurement("VH") == "measurement/iw-vh.tiff"
    assert product.noise("VH") == "annotation/calibration/noise-iw-vh.xml"


def test_other_things_are_no_product(tmp_path: Path) -> None:
    (tmp_path / "a.tif").touch()
    assert find_product(tmp_path) is None
    assert find_product(tmp_path / "a.tif") is None


def test_a_zip_of_something_else_is_no_product(tmp_path: Path) -> None:
    root = without(without(write_safe(tmp_path, SCENE), "annotation"), "measurement")
    assert find_product(zipped(root)) is None


def test_measurements_without_their_annotation_are_refused(tmp_path: Path) -> None:
    root = without(write_safe(tmp_path, SCENE), "annotation")
    for way in (root, next(root.glob("measurement/*-vv-*")), zipped(root)):
        with pytest.raises(InputError, match=r"no folder annotation in the GRD product S1A.*again"):
            find_product(way)


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "S1A.zip"
    path.write_bytes(b"PK no")
    with pytest.raises(InputError, match=r"S1A\.zip cannot be opened .*download it again"):
        find_product(path)


def test_a_product_without_a_polarisation_is_refused(tmp_path: Path) -> None:
    product = find_product(without(write_safe(tmp_path, SCENE), "*-vh-*.tiff"))
    assert product is not None
    text = r"no VH in the measurements of S1A_.*\(s1a-iw-grd-vv-.*VV and VH \(1SDV\); download"
    with pytest.raises(InputError, match=text):
        product.require_bands()


def test_horizontal_polarisations_are_refused(tmp_path: Path) -> None:
    horizontal = dict(zip(("HH", "HV"), SCENE.numbers.values(), strict=True))
    scene = renamed(type(SCENE)(horizontal), NAME.replace("1SDV", "1SDH"))
    product = find_product(write_safe(tmp_path, scene))
    assert product is not None
    with pytest.raises(InputError, match=r"no VV and no VH .*s1a-iw-grd-hh-.*another product"):
        product.require_bands()


def test_a_product_without_a_table_is_refused(tmp_path: Path) -> None:
    product = find_product(without(write_safe(tmp_path, SCENE), "noise-*-vv-*"))
    assert product is not None
    with pytest.raises(InputError, match=r"0 files annotation/calibration/noise-\*vv\*\.xml in S1"):
        product.noise("VV")
