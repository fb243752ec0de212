"""A folder and an archive of the same files read alike; what is damaged is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.errors import InputError
from cloudfree.raster import product_files
from cloudfree.raster.product_files import Archive, Folder, parse_xml
from tests.factories.rasters import write_radar
from tests.fuzz.mutations import encrypted

FILES = {"manifest.safe": b"<a/>", "measurement/vv.tif": b"\x00\x01", "annotation/vv.xml": b"<b/>"}


def _folder(root: Path) -> Folder:
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return Folder(root)


def _archive(path: Path, root: str) -> Archive:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{root}measurement/", b"")
        file.writestr("other.txt", b"")
        for name, content in FILES.items():
            file.writestr(root + name, content)
    return Archive(path, root)


def test_folder_and_archive_have_the_same_files(tmp_path: Path) -> None:
    for tree in (_folder(tmp_path / "X.SAFE"), _archive(tmp_path / "X.zip", "X.SAFE/")):
        assert tree.files() == sorted(FILES)
        assert {name: tree.content(name) for name in FILES} == FILES
        assert tree.name in ("X.SAFE", "X.zip")


def test_gdal_opens_files_of_an_archive_with_any_suffix(tmp_path: Path) -> None:
    raster = write_radar(tmp_path / "a.tif")
    archive = tmp_path / "product.SEN3"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(raster, "in/a.tif")
    with rasterio.open(Archive(archive, "in/").gdal_name("a.tif")) as dataset:
        assert dataset.count == 2


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK no zip")
    with pytest.raises(InputError, match=r"a\.zip cannot be opened .*; wanted a zip .*; download"):
        Archive(tmp_path / "a.zip").files()
    archive = _archive(tmp_path / "b.zip", "")
    archive.path.write_bytes(archive.path.read_bytes()[:40])
    with pytest.raises(InputError, match=r"vv\.xml in b\.zip cannot be read .*; wanted a product"):
        archive.content("annotation/vv.xml")
    with pytest.raises(InputError, match=r"none in X\.SAFE cannot be read"):
        _folder(tmp_path / "X.SAFE").content("none")


@given(st.text(st.characters(codec="utf-8", categories=("L", "N")), max_size=20))
def test_xml_gives_its_text(text: str) -> None:
    assert (parse_xml(f"<a>{text}</a>".encode(), "a.xml").text or "") == text


@pytest.mark.parametrize("text", [b"", b"<a>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_what_is_no_xml_or_declares_entities_is_refused(text: bytes) -> None:
    with pytest.raises(InputError, match=r"a\.xml cannot be read .*; wanted the XML .*; download"):
        parse_xml(text, "a.xml")


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0" encoding="UTF-1"?><a/>',
        '<?xml version="1.0" encoding="shift_jis"?><a/>',
        "<a><b></a>",
        "",
        "\0",
    ],
)
def test_a_text_that_no_parser_takes_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"m\.xml cannot be read \(.*\); wanted the XML"):
        parse_xml(text.encode(), "m.xml")


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    tree = _archive(tmp_path / "X.zip", "X.SAFE/")
    tree.path.write_bytes(encrypted(tree.path.read_bytes()))
    with pytest.raises(InputError, match=r"manifest\.safe in X\.zip cannot be read .*encrypted"):
        tree.content("manifest.safe")


HOSTILE = {
    "../out.xml": "leads out of it",
    "a/../../out.xml": "leads out of it",
    "/etc/out.xml": "leads out of it",
    "..\\out.xml": "leads out of it",
    "C:\\out.xml": "leads out of it",
    "link.xml": "is a link",
    "bomb.jp2": "is 134 MB of 0.1",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_archive_with_an_entry_that_is_no_file_below_it_is_refused(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("x")
        entry.filename = name  # the constructor would take backslashes for slashes
        entry.compress_type = zipfile.ZIP_DEFLATED
        if name == "link.xml":
            entry.external_attr = 0o120777 << 16
        archive.writestr(entry, bytes(1 << 27) if name == "bomb.jp2" else b"/etc/hostname")
    with pytest.raises(InputError) as refused:
        Archive(path).files()
    assert HOSTILE[name] in refused.value.found
    assert "in a.zip" in refused.value.found


@pytest.mark.parametrize("packed", [False, True])
def test_a_text_without_end_is_refused(
    tmp_path: Path, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product_files, "MAX_TEXT_BYTES", 3)
    tree = _archive(tmp_path / "X.zip", "") if packed else _folder(tmp_path / "X.SAFE")
    assert tree.content("measurement/vv.tif") == FILES["measurement/vv.tif"]
    with pytest.raises(InputError, match=r"manifest\.safe in X\..* \(it has more than 0 MB\)"):
        tree.content("manifest.safe")
