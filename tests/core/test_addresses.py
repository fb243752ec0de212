"""Addresses and names of GDAL's own keep their slashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.core.addresses import (
    address_of,
    collection_of,
    is_elsewhere,
    is_item,
    is_url,
    is_virtual,
    plain_name,
)


@pytest.mark.parametrize(
    "given",
    [
        "/vsicurl/http://host:80/b.tif",
        "/vsicurl?use_head=no&url=https://host/b.tif",
        "/vsizip//vsicurl/https://host/a.zip/b.tif",
        "/vsizip/{/vsis3/bucket/a.zip}/b.tif",
        "/vsis3/bucket/b.tif",
        "https://host/b.tif?sig=a&b",
        "s3://bucket/b.tif",
        "data/b.tif",
    ],
)
def test_a_path_has_the_address_that_was_given(given: str) -> None:
    assert address_of(Path(given)) == given


def test_an_archive_of_this_machine_keeps_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absolute = f"/vsizip/{tmp_path}/a.zip/b.tif"  # two slashes
    assert address_of(Path(absolute)) == absolute
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.zip").touch()
    assert address_of(Path("/vsizip/a.zip/b.tif")) == "/vsizip/a.zip/b.tif"


def test_slashes_within_a_name_are_merged() -> None:
    assert address_of(Path("s3://bucket//b")) == "s3://bucket/b"


def test_addresses_are_those_of_servers_and_buckets() -> None:
    assert all(map(is_url, map(Path, ("https://a/b", "http://a/b", "s3://a/b", "gs://a/b"))))
    assert not any(map(is_url, map(Path, ("/vsis3/a/b", "https", "a/https:/b", "C:/a"))))


def test_names_of_gdals_own_are_no_files() -> None:
    assert is_virtual(Path("/vsizip/{/data/a.zip}/a.SAFE/SCL.jp2"))
    assert not is_virtual(Path("/data/vsizip/SCL.jp2"))
    assert is_elsewhere(Path("s3://bucket/b.tif"))
    assert not is_elsewhere(Path("b.tif"))


@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("a.json", True),
        ("a.geojson", True),
        ("a.json#S2B", True),
        ("a.tif", False),
        ("https://host/collections/c/items/S2B_1.5", True),
        ("https://host/S2B.json?token=1", True),
        ("https://host/S2B.tif?sig=a.json", False),
        ("/vsicurl/https://host/S2B.tif", False),
    ],
)
def test_an_item_is_known_by_its_ending_or_its_address(path: str, item: bool) -> None:
    assert is_item(Path(path)) == item


def test_an_item_of_a_collection_has_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    assert plain_name(Path(f"{path}#S2B")) == "S2B"
    assert plain_name(Path("https://host/a.tif?sig=1")) == "a.tif"
    assert plain_name(path) == "items.json"
    assert collection_of(Path(f"{path}#S2B")) == path
    assert collection_of(path) == path


def test_a_file_may_have_such_a_name(tmp_path: Path) -> None:
    path = tmp_path / "a#1.json"
    path.touch()
    assert collection_of(path) == path
    assert collection_of(tmp_path / "a#1" / "b.tif") == tmp_path / "a#1" / "b.tif"
