"""How far names in inputs lead: by default to their own folder, and never to a network."""

from __future__ import annotations

import threading
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import h5py
import numpy as np
import pytest
import rasterio

from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.dataset import Dataset, open_raster
from cloudfree.raster.reach import (
    DRIVERS,
    Reach,
    VrtText,
    allowed_drivers,
    check_named,
    current_reach,
    only_local_rasters,
    remote_allowed,
    source_name,
)
from cloudfree.sentinel1.geocoded_files import stack
from tests.factories.range_server import Served, counted_bytes
from tests.factories.rasters import write_raster


@pytest.fixture
def raster(tmp_path: Path) -> Path:
    return write_raster(tmp_path / "one.tif", np.ones((1, 3, 4), np.uint8), ["one"])


def test_by_default_only_drivers_of_files_with_their_own_pixels_open(raster: Path) -> None:
    for source in (str(raster), "/vsicurl/http://127.0.0.1/x.tif", "/vsicurl/http://h/x.vrt"):
        assert allowed_drivers(source, Reach.FOLDER) == list(DRIVERS)
        assert allowed_drivers(source, Reach.ANYWHERE) is None
    assert allowed_drivers("/data/x.VRT", Reach.FOLDER) == ["VRT"]
    assert allowed_drivers("/data/x.vrt", Reach.COMPUTER) == []


def test_a_text_is_a_vrt_only_if_this_program_made_it() -> None:
    """A list may have anything as the name of a file."""
    text = '<VRTDataset rasterXSize="4" rasterYSize="3"></VRTDataset>'
    assert allowed_drivers(text, Reach.FOLDER) == list(DRIVERS)
    for reach in (Reach.FOLDER, Reach.COMPUTER):
        assert allowed_drivers(VrtText(text), reach) == ["VRT"]


def test_what_is_not_allowed_leaves_the_reach_as_it_is() -> None:
    with only_local_rasters(), remote_allowed(False):
        assert current_reach() is Reach.COMPUTER
    with remote_allowed(True):
        assert current_reach() is Reach.ANYWHERE
    assert current_reach() is Reach.FOLDER


def test_a_raster_has_the_reach_of_where_it_was_made_in_all_threads(tmp_path: Path) -> None:
    one = write_raster(tmp_path / "one.tif", np.ones((1, 3, 4), np.uint8), ["one"])
    mosaic = tmp_path / "mosaic.tif"
    mosaic.write_text(vrt_of(str(one)))
    with remote_allowed(True):
        raster = Dataset(mosaic)
    sums: list[int] = []
    thread = threading.Thread(target=lambda: sums.append(int(raster.read([0]).sum())))
    thread.start()
    thread.join()
    raster.close()
    assert sums == [12]


def vrt_of(source: str, before: str = "") -> str:
    """The text of a VRT of 3 x 4 pixels that shows another raster."""
    return (
        f'<VRTDataset rasterXSize="4" rasterYSize="3">{before}'
        '<VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f'<SourceFilename relativeToVRT="0">{source}</SourceFilename><SourceBand>1</SourceBand>'
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A raster on a server, where none of the tests of this fixture may come."""
    far = write_raster(
        tmp_path_factory.mktemp("far") / "far.tif", np.full((1, 3, 4), 7, np.uint8), ["far"]
    )
    with counted_bytes(far) as elsewhere:
        yield elsewhere


def _url(served: Served) -> str:
    return str(served.path).removeprefix("/vsicurl/").replace(":/", "://")


def _traps(folder: Path, served: Served) -> dict[str, bytes]:
    """Files that lead to a server, or to another file of the disk, by what they have inside."""
    url = _url(served)
    secret = folder.parent / "secret.bin"
    secret.write_bytes(bytes(range(12)))
    with h5py.File(folder / "h5", "w") as file:
        dataset = {"shape": (3, 4), "dtype": "u1", "external": [(str(secret), 0, 12)]}
        file.create_dataset("one", **dataset)
    raw = (
        '<VRTDataset rasterXSize="4" rasterYSize="3"><VRTRasterBand dataType="Byte" band="1" '
        f'subClass="VRTRawRasterBand"><SourceFilename>{secret}</SourceFilename>'
        "</VRTRasterBand></VRTDataset>"
    )
    wms = (
        f'<GDAL_WMS><Service name="TMS"><ServerUrl>{url}?</ServerUrl></Service><DataWindow>'
        "<UpperLeftX>0</UpperLeftX><UpperLeftY>3</UpperLeftY><LowerRightX>4</LowerRightX>"
        "<LowerRightY>0</LowerRightY><SizeX>4</SizeX><SizeY>3</SizeY></DataWindow></GDAL_WMS>"
    )
    wcs = f"<WCS_GDAL><ServiceURL>{url}?</ServiceURL><CoverageName>one</CoverageName></WCS_GDAL>"
    return {
        "vrt of a network": vrt_of(f"/vsicurl/{url}").encode(),
        "vrt of raw bytes": raw.encode(),
        "vrt of a file": vrt_of(str(secret)).encode(),
        "wms": wms.encode(),
        "wcs": wcs.encode(),
        "hdf5 with external pixels": (folder / "h5").read_bytes(),
    }


TRAPS = ("vrt of a network", "vrt of raw bytes", "vrt of a file", "wms", "wcs",
         "hdf5 with external pixels")  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("name", ["x.tif", "x.vrt", "x.jp2", "in a zip"])
def test_what_stands_in_a_file_leads_neither_to_a_network_nor_to_other_files(
    tmp_path: Path, served: Served, trap: str, name: str
) -> None:
    (tmp_path / "inner").mkdir()
    content, before = _traps(tmp_path / "inner", served)[trap], served.count
    source = tmp_path / "inner" / name
    if name == "in a zip":
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as packed:
            packed.writestr("B02.jp2", content)
        source = Path(f"/vsizip/{{{tmp_path / 'x.zip'}}}/B02.jp2")
    else:
        source.write_bytes(content)
    with pytest.raises(InputError) as refused:
        open_raster(str(source), name)
    assert "\n" not in str(refused.value)
    assert served.count == before


SECRET = bytes(range(100, 112))


@pytest.fixture
def two_in_one(tmp_path: Path) -> Path:
    """An ENVI raster whose bytes are a VRT, which shows the bytes of a file elsewhere."""
    secret = tmp_path / "secret.bin"
    secret.write_bytes(SECRET)
    text = (
        '<VRTDataset rasterXSize="4" rasterYSize="3"><VRTRasterBand dataType="Byte" band="1" '
        f'subClass="VRTRawRasterBand"><SourceFilename>{secret}</SourceFilename>'
        "<PixelOffset>1</PixelOffset><LineOffset>4</LineOffset></VRTRasterBand></VRTDataset>"
    )
    return write_envi(tmp_path / "inner" / "vv.img", text.encode())


def write_envi(path: Path, content: bytes) -> Path:
    """Any bytes as an ENVI raster of 3 x 4 pixels."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.with_suffix(".hdr").write_text(
        "ENVI\nsamples = 4\nlines = 3\nbands = 1\nheader offset = 0\ndata type = 1\n"
        "interleave = bsq\nbyte order = 0\n"
    )
    return path


def test_a_file_of_two_formats_is_read_as_what_it_was_opened_as(two_in_one: Path) -> None:
    """Sources of a VRT are opened again, by all drivers of GDAL unless their names have one."""
    with open_raster(VrtText(vrt_of(str(two_in_one))), "vv.img") as dataset:
        assert dataset.read().tobytes() == SECRET, "else the file is no trap"
    with open_raster(stack([str(two_in_one)], ["VV"]), "vv.img") as dataset:
        assert dataset.read().tobytes() == b"<VRTDataset "


def test_the_name_of_a_source_has_its_driver(tmp_path: Path, raster: Path) -> None:
    envi = write_envi(tmp_path / "a b&c.img", bytes(12))
    with open_raster(str(envi), "a") as dataset:
        assert source_name(dataset, "/data/a.img") == "vrt:///data/a.img?if=ENVI"
        with pytest.raises(InputError, match=r"a\?b\.img, of the format ENVI, has a question mark"):
            source_name(dataset, "/data/a?b.img")
        with remote_allowed(True):
            assert source_name(dataset, "/data/a?b.img") == "/data/a?b.img"
        text = VrtText(vrt_of(escape(source_name(dataset, str(envi)))))
        with open_raster(text, "a b&c.img") as shown:
            assert shown.read().tobytes() == bytes(12)
    with open_raster(str(raster), "one.tif") as dataset:
        assert source_name(dataset, "/data/one.tif?token") == "/data/one.tif?token"


def test_the_vrt_of_a_user_shows_no_file_that_may_be_of_two_formats(two_in_one: Path) -> None:
    vrt = two_in_one.with_name("x.vrt")
    vrt.write_text(vrt_of(str(two_in_one)))
    with pytest.raises(InputError, match="of the format ENVI, is the source of a VRT") as refused:
        open_raster(str(vrt), "x.vrt")
    assert refused.value.code is ErrorCode.NOT_ALLOWED
    with remote_allowed(True):
        open_raster(str(vrt), "x.vrt").close()


# By these GDAL knows formats that name other files, wherever they stand in the first bytes.
MARKS = (
    b"<VRTDataset>", b"<GDALTileIndexDataset>", b"<GDAL_WMS>", b"<Capabilities ", b"<xfdu:XFDU",
    b"PDS_VERSION_ID = PDS3 ^IMAGE = x", b"Object = IsisCube", b"<Product_Observational",
    b"<Dimap_Document", b"DatasetHeader Begin", b"LBLSIZE=100 ",
)  # fmt: skip
HDF5 = b"\x89HDF\r\n\x1a\n"


def _with_box(jp2: bytes, content: bytes) -> bytes:
    """A JPEG 2000 file with a box of any content after its second one (ISO 15444-1, I.4)."""
    end = 12 + int.from_bytes(jp2[12:16], "big")
    box = b"uuid" + bytes(16) + content
    return jp2[:end] + (len(box) + 4).to_bytes(4, "big") + box + jp2[end:]


def _with_chunk(png: bytes, content: bytes) -> bytes:
    """A PNG file with a text after its header (PNG, 11.3.3)."""
    chunk = b"tEXtk\0" + content
    size, check = (len(content) + 2).to_bytes(4, "big"), zlib.crc32(chunk).to_bytes(4, "big")
    return png[:33] + size + chunk + check + png[33:]


@pytest.mark.parametrize("mark", [*MARKS, HDF5], ids=ascii)
@pytest.mark.parametrize("driver", ["JP2OpenJPEG", "PNG"])
def test_jpeg_2000_and_png_are_taken_for_nothing_else(
    tmp_path: Path, driver: str, mark: bytes
) -> None:
    """So a VRT of the user may show them; the driver of HDF5 looks at byte 512 too."""
    path = tmp_path / "x.jp2"  # else OpenJPEG writes no boxes
    size = {"width": 64, "height": 64, "count": 1, "dtype": "uint8"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver=driver, **size) as file:
            file.write(np.ones((1, 64, 64), np.uint8))
        insert = _with_box if driver == "JP2OpenJPEG" else _with_chunk
        start = insert(path.read_bytes(), b"#" * 900).index(b"#")
        content = bytearray(b" " * 900)
        place = 512 - start if mark == HDF5 else 9
        content[place : place + len(mark)] = mark
        path.write_bytes(insert(path.read_bytes(), bytes(content)))
        with rasterio.open(path) as found:
            assert found.driver == driver


@pytest.mark.parametrize("ending", [".ovr", ".msk", ".msk.ovr"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_beside_a_raster_that_is_none_is_refused(
    raster: Path, served: Served, ending: str, packed: bool
) -> None:
    """GDAL opens overviews and masks by any driver."""
    beside, before = raster.with_name(raster.name + ending), served.count
    beside.write_text(vrt_of(str(served.path)))
    source = str(raster)
    if packed:
        archive = raster.with_suffix(".zip")
        with zipfile.ZipFile(archive, "w") as files:
            files.write(raster, raster.name)
            files.write(beside, beside.name)
        source = f"/vsizip/{{{archive}}}/{raster.name}"
    with pytest.raises(InputError, match="overviews, its mask") as refused:
        open_raster(source, raster.name)
    assert refused.value.code is ErrorCode.NOT_ALLOWED
    assert served.count == before


def test_overviews_and_masks_beside_a_raster_are_read(raster: Path) -> None:
    for ending in (".ovr", ".msk"):
        write_raster(raster.with_name(raster.name + ending), np.ones((1, 3, 4), np.uint8), ["m"])
    with open_raster(str(raster), raster.name) as opened:
        assert {Path(name).suffix for name in opened.files} >= {".ovr", ".msk"}


@pytest.mark.parametrize(
    ("origin", "name", "allowed"),
    [
        ("/data/item.json", "/data/B02.tif", True),
        ("/data/item.json", "/data/below/B02.tif", True),
        ("/data/item.json", "/vsizip/{/data/a.zip}/B02.tif", True),
        ("/data/item.json", "/vsizip/{/etc/a.zip}/B02.tif", False),
        ("/data/item.json", "/vsizip/{/vsicurl/http://host/a.zip}/B02.tif", False),
        ("/data/item.json", "/data/../etc/B02.tif", False),
        ("/data/item.json", "/database/B02.tif", False),
        ("/data/item.json", "/vsizip//data/a.zip/B02.tif", False),
        ("/data/item.json", "/vsicurl/http://host/B02.tif", False),
        ("/vsicurl/https://host/item", "/vsicurl/https://other/B02.tif", True),
        ("/vsicurl/https://host/item", "/vsis3/bucket/B02.tif", True),
        ("/vsicurl/https://host/item", "/vsizip//vsicurl/https://host/a.zip/B02.tif", True),
        ("/vsicurl/https://host/item", "/data/B02.tif", False),
        ("/vsicurl/https://host/item", "/vsicurl/file:///data/B02.tif", False),
        ("/vsicurl/https://host/item", "/vsisubfile/0_9,/data/a?/vsicurl/https://host", False),
        ("/vsicurl/https://host/item", "/vsizip/{/data/a.zip}/vsicurl/B02.tif", False),
    ],
)  # fmt: skip
def test_a_name_leads_no_further_than_the_folder_of_a_file_and_from_a_network_to_networks(
    origin: str, name: str, allowed: bool
) -> None:
    if allowed:
        check_named(name, origin)
        return
    with pytest.raises(InputError, match="which lies elsewhere") as refused:
        check_named(name, origin)
    assert refused.value.code is ErrorCode.NOT_ALLOWED
    with remote_allowed(True):
        check_named(name, origin)


def test_files_and_files_in_archives_are_local(raster: Path) -> None:
    archive = raster.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(raster, "inner/one.tif")
    with only_local_rasters():
        for source in (str(raster), f"/vsizip/{{{archive}}}/inner/one.tif"):
            assert allowed_drivers(source, Reach.COMPUTER) == list(DRIVERS)
            with open_raster(source, source) as dataset:
                assert dataset.shape == (3, 4)


@pytest.mark.parametrize(
    "source",
    [
        "/vsicurl/http://127.0.0.1/x.tif",
        "/vsis3/bucket/x.tif",
        "/vsizip//vsicurl/http://127.0.0.1/x.zip/x.tif",
        "/vsizip/{/vsicurl/http://127.0.0.1/x.zip}/x.tif",
        "http://127.0.0.1/x.tif",
        "WMS:http://127.0.0.1",
    ],
)
def test_what_lies_elsewhere_is_refused_before_gdal_sees_it(source: str) -> None:
    with only_local_rasters(), pytest.raises(InputError) as refused:
        open_raster(source, "x.tif")
    assert str(refused.value) == (
        "x.tif is no raster on this computer that holds its own pixels; wanted a file that one of "
        "these drivers reads: GTiff, JP2OpenJPEG, PNG, JPEG, ENVI; copy it to this computer as a "
        "GeoTIFF"
    )


@pytest.mark.parametrize("name", ["x.vrt", "x.tif"])
def test_a_file_that_names_another_is_refused_whatever_its_name(raster: Path, name: str) -> None:
    path = raster.with_name(name)
    path.write_text(vrt_of(str(raster)))
    with remote_allowed(True), open_raster(str(path), name) as dataset:
        assert dataset.driver == "VRT"
    with only_local_rasters(), pytest.raises(InputError, match=r"x\.\w+ is no raster on this"):
        open_raster(str(path), name)


def test_a_raster_that_takes_its_overviews_from_elsewhere_is_refused(raster: Path) -> None:
    """GDAL would fetch them as soon as a small picture is read."""
    far = write_raster(raster.with_name("far.tif"), np.full((1, 2, 2), 7, np.uint8), ["far"])
    with counted_bytes(far) as served:
        with rasterio.open(raster, "r+") as file:
            file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(served.path))
        with only_local_rasters(), pytest.raises(InputError, match="holds its own pixels"):
            open_raster(str(raster), raster.name)
        with pytest.raises(InputError, match="takes overviews, its mask or positions from another"):
            open_raster(str(raster), raster.name)
        assert served.count == 0


def test_a_damaged_raster_is_named_as_such(raster: Path) -> None:
    raster.write_bytes(raster.read_bytes()[:16])
    with only_local_rasters(), pytest.raises(InputError, match=r"one\.tif cannot be opened"):
        open_raster(str(raster), raster.name)
