"""A VRT that a user names shows rasters of its own folder, and does nothing else."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio.shutil
from rasterio.errors import RasterioIOError

from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.reach import remote_allowed
from tests.factories.rasters import write_raster


@pytest.fixture
def mosaic(tmp_path: Path) -> Path:
    """A VRT as GDAL writes it, of a raster beside it."""
    write_raster(tmp_path / "one.tif", np.ones((1, 3, 4), np.uint8), ["one"])
    rasterio.shutil.copy(tmp_path / "one.tif", tmp_path / "mosaic.vrt", driver="VRT")
    return tmp_path / "mosaic.vrt"


def _sum(path: Path) -> int:
    with open_raster(str(path), path.name) as dataset:
        return int(dataset.read(1).sum())


def _refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as refused:
        open_raster(str(path), path.name)
    return refused.value


def test_rasters_of_its_folder_are_shown(mosaic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _sum(mosaic) == 12
    monkeypatch.chdir(mosaic.parent)
    assert _sum(Path("mosaic.vrt")) == 12


def test_another_vrt_of_its_folder_is_shown_and_checked(mosaic: Path) -> None:
    outer = mosaic.with_name("outer.vrt")
    outer.write_text(mosaic.read_text().replace("one.tif", "mosaic.vrt"))
    assert _sum(outer) == 12
    mosaic.write_text(mosaic.read_text().replace(">one.tif", ">../one.tif"))
    assert _refusal(outer).code is ErrorCode.NOT_ALLOWED


def test_one_that_shows_itself_ends(mosaic: Path) -> None:
    mosaic.write_text(mosaic.read_text().replace("one.tif", "mosaic.vrt"))
    with pytest.raises((InputError, OSError)):
        _sum(mosaic)


def test_a_source_of_another_name_than_vrt_has_to_hold_its_pixels(mosaic: Path) -> None:
    (mosaic.parent / "one.tif").write_text(mosaic.read_text())
    refused = _refusal(mosaic)
    assert "one.tif cannot be opened" in refused.found


@pytest.mark.parametrize(
    "source",
    [
        "../one.tif",
        "/data/one.tif",
        "/vsicurl/http://h/one.tif",
        "/vsizip/one.zip/one.tif",
        " one.tif",
        "&lt;VRTDataset/&gt;",
    ],
)
def test_a_source_elsewhere_is_refused(mosaic: Path, source: str) -> None:
    mosaic.write_text(mosaic.read_text().replace(">one.tif", f">{source}"))
    assert _refusal(mosaic).code is ErrorCode.NOT_ALLOWED


# How a VRT may name a file or run a function besides; GDAL knows names in any case, and takes an
# attribute for an element and the reverse.
HIDDEN = {
    "a raw band": ('band="1"', 'band="1" subClass="VRTRawRasterBand"'),
    "a pixel function": ('band="1"', 'band="1" subClass="VRTDerivedRasterBand"'),
    "a function's name": ("<SimpleSource>", "<PixelFunctionType>sum</PixelFunctionType>"
                          "<SimpleSource>"),
    "a class as an element": ("<SimpleSource>", "<subClass>VRTRawRasterBand</subClass>"
                              "<SimpleSource>"),
    "a source as an attribute": ("<SimpleSource>", '<SimpleSource SourceFilename="/data/a.tif">'),
    "small letters": ("<SimpleSource>", "<simplesource><sourcefilename>/data/a.tif"
                      "</sourcefilename></simplesource><SimpleSource>"),
    "a warped dataset": ("<VRTDataset ", '<VRTDataset subClass="VRTWarpedDataset" '),
    "a name space": ("<SourceFilename ", '<SourceFilename xmlns="x" '),
    "open options": ("<SimpleSource>", '<SimpleSource><OpenOptions><OOI key="A">B</OOI>'
                     "</OpenOptions>"),
    "a comment in a name": (">one.tif", ">one<!-- -->.tif"),
    "a document type": ("<VRTDataset ", '<!DOCTYPE a [<!ENTITY b "c">]><VRTDataset '),
    "arrays": ("<SimpleSource>", "<ArraySource/><SimpleSource>"),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(HIDDEN))
def test_what_may_read_other_files_is_refused(mosaic: Path, kind: str) -> None:
    old, new = HIDDEN[kind]
    text = mosaic.read_text()
    assert old in text
    mosaic.write_text(text.replace(old, new, 1))
    refused = _refusal(mosaic)
    assert refused.code in (ErrorCode.NOT_ALLOWED, ErrorCode.UNREADABLE)
    assert "\n" not in str(refused)


def test_with_allow_remote_a_vrt_may_show_anything(mosaic: Path) -> None:
    (mosaic.parent / "below").mkdir()
    moved = mosaic.rename(mosaic.parent / "below" / "mosaic.vrt")
    moved.write_text(moved.read_text().replace(">one.tif", ">../one.tif"))
    assert _refusal(moved).code is ErrorCode.NOT_ALLOWED
    with remote_allowed(True):
        assert _sum(moved) == 12


def test_a_source_in_an_archive_beside_it_has_to_hold_its_pixels(mosaic: Path) -> None:
    archive, name = mosaic.with_name("a.zip"), f"/vsizip/{{{mosaic.parent}/a.zip}}/one.tif"
    text = mosaic.read_text()
    mosaic.write_text(text.replace('relativeToVRT="1">one.tif', f'relativeToVRT="0">{name}'))
    with zipfile.ZipFile(archive, "w") as files:
        files.write(mosaic.parent / "one.tif", "one.tif")
    assert _sum(mosaic) == 12
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("one.tif", text)
    assert "one.tif cannot be opened" in _refusal(mosaic).found


def test_a_missing_source_is_left_to_who_reads_it(mosaic: Path) -> None:
    (mosaic.parent / "one.tif").unlink()
    with open_raster(str(mosaic), mosaic.name) as opened, pytest.raises(RasterioIOError):
        opened.read()


def test_what_is_no_vrt_is_refused(mosaic: Path) -> None:
    mosaic.write_text("no xml")
    assert _refusal(mosaic).code is ErrorCode.UNREADABLE
    mosaic.write_text("<VRTRasterBand/>")
    assert _refusal(mosaic).found == "mosaic.vrt is no VRT, but VRTRasterBand"
    mosaic.unlink()
    assert _refusal(mosaic).code is ErrorCode.MISSING_FILE
