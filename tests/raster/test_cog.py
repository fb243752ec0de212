"""Cloud-Optimized GeoTIFFs: creation options, drafts, whole files or none."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio._env import get_gdal_config
from rasterio.errors import NotGeoreferencedWarning

from cloudfree.core.grid import Grid, Window, strips
from cloudfree.errors import OutputError
from cloudfree.raster.cog import CogProfile, CogWriter, check_creation_options
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.gdal import ignored_warning
from cloudfree.raster.overviews import halve
from cloudfree.raster.warp import grid_of
from tests.factories.damage import closed_folder, full_disk
from tests.factories.rasters import TEN_METRES, UTM31

LOSSLESS = [
    {"COMPRESS": "LZW"}, {"compress": "ZSTD", "level": "9"}, {"COMPRESS": "NONE"},
    {"BLOCKSIZE": "256"}, {"BIGTIFF": "YES"}, {"OVERVIEWS": "NONE"}, {"NUM_THREADS": "ALL_CPUS"},
    {"OVERVIEW_RESAMPLING": "NEAREST"}, {"STATISTICS": "YES"},
]  # fmt: skip
WRONG = [
    ({"NOSUCH": "1"}, "driver COG does not support creation option NOSUCH"),
    ({"COMPRESS": "FOO"}, "'FOO' is an unexpected value for COMPRESS"),
    ({"COMPRESS": "DEFLATE", "LEVEL": "99"}, "99"),
    ({"COMPRESS": "JPEG"}, "Too many color components: 13, max 10"),
    ({"COMPRESS": "JPEG", "NUM_THREADS": "ALL_CPUS"}, "Too many color components"),
    ({"OVERVIEW_COMPRESS": "JPEG"}, "Too many color components"),
    ({"OVERVIEW_RESAMPLING": "FOO"}, "FOO"),
    ({"COMPRESS": "WEBP"}, "doesn't support 13 bands"),
    ({"COMPRESS": "LERC", "MAX_Z_ERROR": "5"}, "pixels would change"),
    ({"TILING_SCHEME": "GoogleMapsCompatible"}, "pixels would change"),
    ({"PREDICTOR": "FLOATING_POINT"}, "only supported with Float32"),
]

SIDE = 80
OPTION_GRID = Grid(rasterio.crs.CRS.from_string(UTM31).to_wkt(), TEN_METRES, SIDE, SIDE)


def _refusal(chosen: dict[str, str], dtype: str, bands: int) -> str:
    """What is said against the options; nothing where they are taken."""
    try:
        check_creation_options(chosen, dtype, bands)
    except OutputError as refusal:
        return str(refusal)
    return ""


@pytest.mark.parametrize("chosen", LOSSLESS, ids=str)
@pytest.mark.parametrize(("dtype", "bands"), [("uint16", 13), ("uint8", 1), ("float32", 2)])
def test_whatever_is_taken_keeps_the_pixels(
    tmp_path: Path, chosen: dict[str, str], dtype: str, bands: int
) -> None:
    assert not _refusal(chosen, dtype, bands)
    pixels = np.random.default_rng(0).uniform(0, 255, (bands, SIDE, SIDE)).astype(dtype)
    profile = CogProfile(dtype, None, (None,) * bands, creation_options=chosen)
    with CogWriter(tmp_path / "a.tif", OPTION_GRID, profile) as cog:
        cog.write(OPTION_GRID.window, pixels)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert np.array_equal(dataset.read(), pixels)


@pytest.mark.parametrize(("chosen", "message"), WRONG, ids=[str(chosen) for chosen, _ in WRONG])
def test_whatever_gdal_drops_refuses_or_loses_is_named(
    chosen: dict[str, str], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(OutputError, match=r"--co \w+=.* for 13 bands of uint16") as refusal:
        check_creation_options(chosen, "uint16", 13)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not caplog.records, "said once"


@pytest.mark.parametrize("compression", ["JPEG", "WEBP"])
def test_compression_that_loses_is_refused_where_gdal_can_do_it(compression: str) -> None:
    with pytest.raises(OutputError, match=r"3 bands of uint8 .pixels would change"):
        check_creation_options({"COMPRESS": compression}, "uint8", 3)


def test_the_type_decides() -> None:
    chosen = {"PREDICTOR": "FLOATING_POINT"}
    assert not _refusal(chosen, "float32", 2)
    assert "only supported with Float32" in _refusal(chosen, "uint16", 2)


def test_the_logger_of_gdal_is_as_it_was() -> None:
    logger = logging.getLogger("rasterio")
    before = logger.handlers[:], logger.propagate, logger.level
    check_creation_options({"COMPRESS": "LZW"}, "uint8", 1)
    assert (logger.handlers, logger.propagate, logger.level) == before


GRID = Grid(rasterio.crs.CRS.from_string(UTM31).to_wkt(), TEN_METRES, 700, 530)
PROFILE = CogProfile(
    "uint16", 0, ("B02", "B03"), tags={"A": "b"}, band_tags=({"C": "1"}, {"C": "2"}),
    scales=(1e-4, 1e-4), offsets=(-0.1, -0.1), units=("reflectance", "reflectance"),
)  # fmt: skip


def _pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 9999, (2, GRID.height, GRID.width), dtype=np.uint16)


def _write(path: Path, profile: CogProfile = PROFILE, grid: Grid = GRID) -> np.ndarray:
    pixels = _pixels()
    with CogWriter(path, grid, profile) as writer:
        for window in strips(grid.height, grid.width, 100):
            writer.write(window, pixels[:, *window.slices])
    return pixels


def test_pixels_grid_names_tags_and_scales_survive(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    pixels = _write(path)
    with rasterio.open(path) as dataset:
        assert np.array_equal(dataset.read(), pixels)
        assert grid_of(dataset) == GRID
        assert dataset.descriptions == PROFILE.descriptions
        assert dataset.tags()["A"] == "b"
        assert [dataset.tags(i)["C"] for i in (1, 2)] == ["1", "2"]
        assert (dataset.nodata, dataset.scales, dataset.offsets) == (0, (1e-4, 1e-4), (-0.1, -0.1))
        assert dataset.units == PROFILE.units


def test_the_layout_is_that_of_a_cloud_optimized_geotiff(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    _write(path)
    with rasterio.open(path) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.block_shapes == [(512, 512)] * 2
        assert dataset.overviews(1) == [2]
        assert dataset.compression.name == "deflate"


def _tiff_number(dataset: rasterio.DatasetReader, name: str) -> int:
    return int(dataset.get_tag_item(name, "TIFF", bidx=1))


@pytest.mark.parametrize("chosen", [{}, {"OVERVIEW_RESAMPLING": "AVERAGE"}], ids=["ours", "gdal"])
def test_the_head_holds_all_metadata_and_overviews_come_first(
    tmp_path: Path, chosen: dict[str, str]
) -> None:
    """As GDAL's validate_cloud_optimized_geotiff.py checks it."""
    path, size = tmp_path / "a.tif", 1300
    profile = CogProfile(
        "uint16", 0, ("B03", "B04"), scales=(1e-4,) * 2, offsets=(-0.1,) * 2,
        interpretation=("green", "red"), creation_options=chosen,
    )  # fmt: skip
    pixels = np.random.default_rng(0).integers(0, 9999, (2, size, size), dtype=np.uint16)
    with CogWriter(path, Grid(GRID.crs, GRID.transform, size, size), profile) as writer:
        writer.write(Window(0, 0, size, size), pixels)
    heads, first_blocks = [], []
    for level in ({}, {"overview_level": 0}, {"overview_level": 1}):
        with rasterio.open(path, **level) as dataset:
            heads.append(_tiff_number(dataset, "IFD_OFFSET"))
            first_blocks.append(_tiff_number(dataset, "BLOCK_OFFSET_0_0"))
    assert heads == sorted(heads)
    assert max(heads) < min(first_blocks)
    assert first_blocks == sorted(first_blocks, reverse=True), "the coarsest level stands first"
    assert b"KNOWN_INCOMPATIBLE_EDITION=NO" in path.read_bytes()[:1000]


def test_what_bands_show_and_their_statistics_are_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    pixels = _write(path, replace(PROFILE, interpretation=("blue", "green")))
    with rasterio.open(path) as dataset:
        assert [one.name for one in dataset.colorinterp] == ["blue", "green"]
        for index, plane in enumerate(pixels, start=1):
            assert dataset.tags(index)["STATISTICS_MAXIMUM"] == f"{plane[plane > 0].max()}"
            assert "STATISTICS_APPROXIMATE" not in dataset.tags(index)
    assert [file.name for file in tmp_path.iterdir()] == ["a.tif"], "no .aux.xml"


def test_classes_have_a_palette_and_no_mean(tmp_path: Path) -> None:
    path, grid = tmp_path / "a.tif", Grid(GRID.crs, GRID.transform, 8, 8)
    profile = CogProfile("uint8", 255, ("mask",), colours={0: (1, 2, 3)})
    with CogWriter(path, grid, profile) as writer:
        writer.write(grid.window, np.zeros((1, 8, 8), np.uint8))
    with rasterio.open(path) as dataset:
        assert dataset.colorinterp[0].name == "palette"
        assert dataset.tags(1) == {}


def test_creation_options_of_the_user_win(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    _write(path, CogProfile("uint16", 0, ("a", "b"), creation_options={"COMPRESS": "LZW"}))
    with rasterio.open(path) as dataset:
        assert dataset.compression.name == "lzw"


def test_a_failure_leaves_nothing_behind_and_an_old_result_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="broke"), CogWriter(path, GRID, PROFILE):
        raise ValueError("broke")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_files_beside_an_old_raster_go_with_it_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"old")
    beside = [tmp_path / name for name in ("a.tif.aux.xml", "a.tif.ovr", "a.qml")]
    for one in beside:
        one.touch()
    with pytest.raises(ValueError, match="broke"), CogWriter(path, GRID, PROFILE):
        raise ValueError("broke")
    assert sorted(tmp_path.iterdir()) == sorted([path, *beside])
    _write(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_style_is_written_beside_the_raster(tmp_path: Path) -> None:
    (tmp_path / "a.tif").touch()
    (tmp_path / "a.qml").write_text("old")
    _write(tmp_path / "a.tif", replace(PROFILE, style="<qgis/>"))
    assert (tmp_path / "a.qml").read_text() == "<qgis/>"


def test_drafts_are_gone_after_success(tmp_path: Path) -> None:
    _write(tmp_path / "a.tif")
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


def test_the_block_cache_keeps_its_size(tmp_path: Path) -> None:
    before = get_gdal_config("GDAL_CACHEMAX")
    _write(tmp_path / "a.tif")
    assert get_gdal_config("GDAL_CACHEMAX") == before


@pytest.mark.parametrize("size", [(512, 512), (700, 1100), (2048, 304)])
def test_the_overviews_are_those_that_gdal_builds(tmp_path: Path, size: tuple[int, int]) -> None:
    coarse = np.random.default_rng(1).integers(500, 9000, (2, 300, 200), dtype=np.uint16)
    pixels = np.kron(coarse, np.ones((8, 8), np.uint16))[:, : size[0], : size[1]]
    pixels[:, : size[0] // 3, : size[1] // 5] = 0
    for name, chosen in (("ours", {}), ("gdal", {"OVERVIEW_RESAMPLING": "AVERAGE"})):
        profile = CogProfile("uint16", 0, ("a", "b"), creation_options=chosen)
        with CogWriter(
            tmp_path / f"{name}.tif", Grid(GRID.crs, GRID.transform, *size), profile
        ) as w:
            w.write(Window(0, 0, *size), pixels)
    ours, gdal = (_levels(tmp_path / f"{name}.tif") for name in ("ours", "gdal"))
    assert [level.shape for level in ours] == [level.shape for level in gdal]
    for a, b in zip(ours, gdal, strict=True):
        # GDAL weighs the last row and column of an odd side in its own way.
        assert np.abs(a.astype(int) - b)[:, :-1, :-1].max(initial=0) <= 1


@pytest.mark.parametrize("order", ["in pairs", "odd rows", "from below", "in columns", "twice"])
def test_the_overviews_do_not_depend_on_how_the_rows_come(tmp_path: Path, order: str) -> None:
    pixels, height, width = _pixels(), GRID.height, GRID.width
    windows = {
        "in pairs": list(strips(height, width, 64)),
        "odd rows": list(strips(height, width, 33)),
        "from below": list(strips(height, width, 64))[::-1],
        "in columns": [Window(0, 0, height, 200), Window(0, 200, height, width - 200)],
        "twice": list(strips(height, width, 64)),
    }[order]
    with CogWriter(tmp_path / "a.tif", GRID, PROFILE) as writer:
        if order == "twice":
            writer.write(windows[0], pixels[:, -64:])
        for window in windows:
            writer.write(window, pixels[:, *window.slices])
    (level,) = _levels(tmp_path / "a.tif")
    np.testing.assert_array_equal(level, halve(pixels, 0, "AVERAGE"))


def _levels(path: Path) -> list[np.ndarray]:
    with rasterio.open(path) as dataset:
        count = len(dataset.overviews(1))
    return [rasterio.open(path, overview_level=level).read() for level in range(count)]


def test_a_wrong_creation_option_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    profile = CogProfile("uint16", 0, ("a", "b"), creation_options={"BLOCKSIZE": "17"})
    with (
        pytest.raises(OutputError, match=r"BLOCKSIZE=17 for 2 bands of uint16 \('17' is an unex"),
        CogWriter(tmp_path / "a.tif", GRID, profile),
    ):
        raise AssertionError("entered")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("room_kb", [1, 100, 1000, 1450, 1500, 1600, 1700, 1800])
def test_a_full_disk_is_an_output_error_whatever_it_cuts_short(
    tmp_path: Path, room_kb: int
) -> None:
    """The draft, its overviews, the copy's head or its last pixels."""
    noise = np.random.default_rng(0).integers(0, 65535, (2, GRID.height, GRID.width), np.uint16)
    with (
        pytest.raises(OutputError, match=r"a\.tif cannot be written .*free some space") as refusal,
        full_disk(1000 * room_kb),
        CogWriter(tmp_path / "a.tif", GRID, PROFILE) as writer,
    ):
        for window in strips(GRID.height, GRID.width, 100):
            writer.write(window, noise[:, *window.slices])
    assert "\n" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_a_closed_folder_is_an_output_error(tmp_path: Path) -> None:
    path = closed_folder(tmp_path) / "a.tif"
    with pytest.raises(OutputError, match=r"a\.tif cannot be written .*may be written to"):
        _write(path)


def test_the_first_error_is_raised_even_if_the_draft_cannot_be_closed(tmp_path: Path) -> None:
    with (
        full_disk(1000),
        pytest.raises(KeyboardInterrupt),
        CogWriter(tmp_path / "a.tif", GRID, PROFILE) as writer,
    ):
        writer.write(Window(0, 0, 10, GRID.width), _pixels()[:, :10])
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_finished_file_has_no_name_before_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with CogWriter(path, GRID, PROFILE) as writer:
        writer.write(Window(0, 0, GRID.height, GRID.width), _pixels())
        writer.finish()
        assert not path.exists()
        # It takes the room of one file: the draft is gone.
        assert [p.name for p in tmp_path.rglob("*.tif")] == ["a.tif"]
    with Dataset(path) as dataset:
        assert np.array_equal(dataset.read([0, 1]), _pixels())


def test_a_scene_without_coordinates_is_written_without(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    _write(path, grid=Grid(None, rasterio.Affine.identity(), GRID.height, GRID.width))
    with ignored_warning(NotGeoreferencedWarning), rasterio.open(path) as dataset:
        assert dataset.crs is None


def test_threads_read_through_handles_of_their_own(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    pixels = _write(tmp_path / "a.tif")
    windows = list(strips(GRID.height, GRID.width, 64)) * 4
    with Dataset(tmp_path / "a.tif") as dataset, ThreadPoolExecutor(4) as pool:
        read = pool.map(lambda w: (w, dataset.read([0, 1], w)), windows)
        assert all(np.array_equal(part, pixels[:, *w.slices]) for w, part in read)
