"""A Sentinel-1 product: its name, its files in a folder or zip, its manifest, its tags."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudfree.core.acquisition import Acquisition
from cloudfree.errors import InputError
from cloudfree.sentinel1.product import (
    acquisition_of_name,
    acquisition_of_tags,
    find_product,
    product_around,
)
from tests.factories.sentinel1_products import (
    NAME,
    level_scene,
    renamed,
    without,
    write_safe,
    zipped,
)


@pytest.mark.parametrize(
    ("name", "platform", "start", "orbit", "direction"),
    [
        (
            "S1B_IW_GRDH_1SDV_20211223T051122_20211223T051147_030148_039993_5371.SAFE",
            "Sentinel-1B", (2021, 12, 23, 5, 11, 22), 22, None,
        ),
        (
            "S1A_IW_GRDH_1SDV_20180716T004042_20180716T004107_022812_02792A_FD5B",
            "Sentinel-1A", (2018, 7, 16, 0, 40, 42), 165, None,
        ),
        (
            "S1A_IW_GRDH_1SDV_20220501T103013_20220501T103038_043016_0522DB_rtc",
            "Sentinel-1A", (2022, 5, 1, 10, 30, 13), 69, None,
        ),
        (
            "S1C_IW_GRDH_1SDV_20250601T051122_20250601T051147_002600_0056A1_5371",
            "Sentinel-1C", (2025, 6, 1, 5, 11, 22), None, None,
        ),
        (
            "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_61_41_VV.tif",
            "Sentinel-1A", (2017, 6, 13, 16, 50, 43), None, None,
        ),
        (
            "S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db.tif",
            "Sentinel-1A", (2015, 3, 9, 17, 30, 17), None, "ascending",
        ),
    ],
)  # fmt: skip
def test_a_name_has_platform_time_and_orbit(
    name: str, platform: str, start: tuple[int, ...], orbit: int | None, direction: str | None
) -> None:
    seen = acquisition_of_name(name)
    assert seen is not None
    assert seen.product is not None
    assert name.startswith(seen.product)
    assert (seen.platform, seen.relative_orbit) == (platform, orbit)
    assert seen.orbit_direction == direction
    assert seen.acquired == datetime(*start, tzinfo=UTC)


@pytest.mark.parametrize("name", ["vv_vh.tif", "S2A_MSIL1C_20221005T115411_N0400_R023_T29UNU", ""])
def test_other_names_say_nothing(name: str) -> None:
    assert acquisition_of_name(name) is None


def test_a_name_with_an_impossible_date_has_no_date() -> None:
    seen = acquisition_of_name("S1A_IW_GRDH_1SDV_20179913T165043_33UUP")
    assert isinstance(seen, Acquisition)
    assert seen.acquired is None


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


def test_a_product_is_found_from_within_its_measurements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_safe(tmp_path, SCENE)
    measurement = next(root.glob("measurement/*-vv-*"))
    monkeypatch.chdir(measurement.parent)
    for way in (Path(measurement.name), measurement.parent, Path()):
        product = find_product(way)
        assert product is not None
        assert product.name == root.name
        product.require_bands()


def test_a_folder_that_is_called_like_measurements_may_be_another_one(tmp_path: Path) -> None:
    folder = tmp_path / "measurement"
    folder.mkdir()
    assert find_product(folder) is None


def test_the_product_around_a_file_is_known_by_its_annotation(tmp_path: Path) -> None:
    root = write_safe(tmp_path, SCENE)
    assert product_around(root / "measurement" / "x.tiff") == root
    assert product_around(root / "preview" / "deeper" / "x.tiff") == root
    assert product_around(tmp_path / "x.tiff") is None


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


@pytest.mark.parametrize("band", ["VV", "VH"])
def test_a_product_of_one_polarisation_by_its_name_has_that(tmp_path: Path, band: str) -> None:
    scene = type(SCENE)({band: SCENE.numbers[band]})
    name = NAME.replace("1SDV", "1SSV" if band == "VV" else "1SVH")
    product = find_product(write_safe(tmp_path, renamed(scene, name)))
    assert product is not None
    assert product.require_bands() == (band,)


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


START, STARTED = "2020-05-06T00:00:00Z", datetime(2020, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tags", "acquired"),
    [
        ({"PRODUCT_START_TIME": START}, STARTED),
        ({"PRODUCT_START_TIME": "x", "CLOUDFREE_S1_SENSED": START}, STARTED),
        ({"PRODUCT_START_TIME": START, "CLOUDFREE_S1_SENSED": "x"}, None),
    ],
    ids=["of another program", "of cloudfree", "damaged"],
)
def test_the_date_is_that_of_cloudfree_else_of_another_program(
    tags: dict[str, str], acquired: datetime | None
) -> None:
    assert acquisition_of_tags(tags) == Acquisition(acquired=acquired)


def test_tags_without_an_acquisition_have_none() -> None:
    assert acquisition_of_tags({"AREA_OR_POINT": "Area"}) is None
