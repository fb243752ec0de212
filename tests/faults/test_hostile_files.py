"""Small files that would fill the memory or never end: one line, in seconds, in little memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import rasterio
from affine import Affine

from cloudfree.core.bands import OPTICAL_BANDS
from tests.factories.rasters import TEN_METRES, write_cloudy_scene
from tests.factories.sentinel2_products import Safe, write_safe, write_zip

resource = pytest.importorskip("resource")

# A mask of a small scene takes 2 GB of addresses, most of them of libraries, and two seconds.
MEMORY_BYTES, SECONDS = 3 << 30, 60


def _run(*words: str | Path) -> tuple[int, str]:
    """Exit code and last line of a command that gets little memory and little time."""
    ran = subprocess.run(
        [sys.executable, "-m", "cloudfree", *map(str, words)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES)),
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    return ran.returncode, ran.stderr.splitlines()[-1] if ran.stderr else ""


def _sparse(path: Path) -> Path:
    """Two million by two million pixels of thirteen bands in 63 kB."""
    with rasterio.open(
        path, "w", driver="GTiff", width=2_000_000, height=2_000_000, count=13, dtype="uint16",
        crs="EPSG:32631", transform=TEN_METRES, tiled=True, blockxsize=32_768, blockysize=32_768,
        SPARSE_OK=True, BIGTIFF="YES",
    ) as dataset:  # fmt: skip
        dataset.descriptions = OPTICAL_BANDS
    assert path.stat().st_size < 250_000
    return path


def _huge_vrt(path: Path) -> Path:
    """As many pixels, without a source."""
    bands = "".join(
        f'<VRTRasterBand dataType="UInt16" band="{number}"><Description>{band}</Description>'
        "</VRTRasterBand>"
        for number, band in enumerate(OPTICAL_BANDS, start=1)
    )
    size = 'rasterXSize="20000000" rasterYSize="2000000"'
    path.write_text(f"<VRTDataset {size}>{bands}</VRTDataset>")
    return path


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


HOSTILE = {
    "sparse.tif": (_sparse, "has 2000000 x 2000000 pixels"),
    "huge.vrt": (_huge_vrt, "20000000 pixels wide, takes"),
    "pipe.tif": (_pipe, "is a pipe, which has no end"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("command", ["mask", "info", "remove"])
def test_a_small_file_takes_neither_all_memory_nor_all_time(
    tmp_path: Path, name: str, command: str
) -> None:
    write, says = HOSTILE[name]
    scene = write(tmp_path / name)
    given = ["--fill-by", "scene", "--s2"] if command == "remove" else []
    code, line = _run(command, *given, scene)
    assert code in (1, 2)
    assert line.startswith("Error: ")
    assert says in line


def test_a_pipe_among_the_files_of_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "bands").mkdir()
    for name in ("B02.tif", "tileInfo.json", "metadata.xml"):
        os.mkfifo(tmp_path / "bands" / name)
    code, line = _run("mask", tmp_path / "bands")
    assert code == 1
    assert "B02.tif is a device or pipe" in line


@pytest.mark.parametrize("west", [179.99, -180.02, 359.99])
def test_a_scene_in_degrees_across_180_gets_its_mask(tmp_path: Path, west: float) -> None:
    scene = write_cloudy_scene(tmp_path / "s2.tif", 256, 256)
    with rasterio.open(scene, "r+") as dataset:
        dataset.crs, dataset.transform = "EPSG:4326", Affine(1e-4, 0, west, 0, -1e-4, 10)
    code, line = _run("mask", scene, "-o", tmp_path / "mask.tif")
    assert (code, (tmp_path / "mask.tif").exists()) == (0, True), line


def _bomb(folder: Path) -> Path:
    """A product whose metadata unpack to a gigabyte."""
    path, space = write_zip(folder, Safe()), b" " * (1 << 24)
    bomb = folder / "bomb.zip"
    with (
        zipfile.ZipFile(path) as whole,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
    ):
        for entry in whole.infolist():
            with packed.open(entry.filename, "w", force_zip64=True) as file:
                file.write(whole.read(entry))
                for _ in range(64 if entry.filename.endswith("MTD_MSIL1C.xml") else 0):
                    file.write(space)
    return bomb


def _entities(folder: Path) -> Path:
    """A product whose metadata expand to a billion letters."""
    product = write_safe(folder, Safe())
    metadata = product / "MTD_MSIL1C.xml"
    entities = '<!ENTITY a0 "aaaaaaaaaa">' + "".join(
        f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 10)
    )
    text = re.sub(r"^<\?xml[^>]*\?>", "", metadata.read_text())
    metadata.write_text(f"<!DOCTYPE x [{entities}]>{text.replace('>', '>&a9;', 1)}")
    return product


@pytest.mark.parametrize(
    ("write", "says"),
    [(_bomb, "cannot be read (it has more than 64 MB)"),
     (_entities, "a document type declaration")],
)  # fmt: skip
def test_metadata_that_grow_are_refused(tmp_path: Path, write, says: str) -> None:
    code, line = _run("mask", write(tmp_path))
    assert code == 1
    assert says in line
