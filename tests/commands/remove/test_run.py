"""The main job: what is filled, what stays, and what is refused."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning
from rasterio.warp import calculate_default_transform

from cloudfree.commands.remove import opened
from cloudfree.commands.remove import run as remove
from cloudfree.commands.remove.run import RemoveOptions, RemoveResult, run
from cloudfree.core.acquisition import SUN_AZIMUTH_TAG
from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.core.displacement import Shift
from cloudfree.core.journal import journal_of
from cloudfree.core.mask_classes import FILL_COLOURS, FillClass
from cloudfree.core.terminal import silent
from cloudfree.coregistration.measure import ShiftMeasurement
from cloudfree.errors import CloudfreeError, InputError, ModelError, OutputError
from cloudfree.inference.model import Arrays, Model
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.raster.cog import CogWriter
from cloudfree.raster.gdal import ignored_warning
from tests.factories.damage import full_disk
from tests.factories.dates_of_a_place import write_date
from tests.factories.rasters import (
    TEN_METRES,
    UTM31,
    cloudy_scene,
    write_cloudy_scene,
    write_one_band,
    write_radar,
    write_raster,
)
from tests.factories.readiness import OneAtATime, Paired

# What the known network answers everywhere, as a digital number.
ANSWER = 1234


class Known(OneAtATime):
    """A network whose answer is known: one reflectance for every pixel."""

    description = "known"
    batch = 2

    def __init__(self) -> None:
        self.tiles = 0

    def run(self, inputs: Arrays) -> Arrays:
        self.tiles += len(inputs["optical"])
        return {"image": np.full_like(inputs["optical"], ANSWER / 10_000)}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Known:
    """Replaces the default model's network by the known one; its card stays."""
    known = Known()
    card = read_card(find_model(DEFAULT_MODEL))
    monkeypatch.setattr(remove, "load_model", lambda *_: Model(card, known))
    return known


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a cloudy scene and its radar."""
    write_cloudy_scene(tmp_path / "l1c.tif")
    write_radar(tmp_path / "vv_vh.tif")
    return tmp_path


def _remove(folder: Path, **options: Any) -> RemoveResult:
    """By the model alone, whose answer is known, unless other dates are given."""
    given = {"s1": (folder / "vv_vh.tif",), "s2": folder / "l1c.tif", "shift": "none", **options}
    given.setdefault("fill_by", "auto" if "references" in given else "network")
    return run(RemoveOptions(**given), silent)


def _read(path: Path) -> np.ndarray:
    with ignored_warning(NotGeoreferencedWarning), rasterio.open(path) as dataset:
        return dataset.read()


def _inside(cloud: np.ndarray) -> np.ndarray:
    """The middle of the cloud, away from any soft edge."""
    rows, cols = np.mgrid[: cloud.shape[0], : cloud.shape[1]]
    return np.hypot(rows - cloud.shape[0] / 2, cols - cloud.shape[1] / 2) < min(cloud.shape) / 8


def test_clouds_are_replaced_and_clear_pixels_stay_bit_identical(
    folder: Path, network: Known
) -> None:
    result = _remove(folder)
    before, after = _read(folder / "l1c.tif"), _read(result.output)
    marks = _read(result.filled)[0]
    _, cloud = cloudy_scene(96, 96)
    assert (marks[cloud] == FillClass.FILLED).all()
    assert np.array_equal(
        after[:, marks == FillClass.ORIGINAL], before[:, marks == FillClass.ORIGINAL]
    )
    assert (after[:, _inside(cloud)] == ANSWER).all()
    assert result.filled_fraction == pytest.approx((marks == FillClass.FILLED).mean())
    assert 0.1 < result.filled_fraction < 0.5


def test_tiles_are_filled_in_parallel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = read_card(find_model(DEFAULT_MODEL))
    monkeypatch.setattr(remove, "load_model", lambda *_: Model(card, Paired()))
    result = _remove(folder, replace="all", tile=64, overlap=32)
    assert result.tiles == 4
    assert (_read(result.output) == 2000).all()


def test_the_edge_is_soft(folder: Path, network: Known) -> None:
    """From the original to the filled value there is no step as high as their difference."""
    write_raster(folder / "mask.tif", _half_mask(), ["mask"])
    _remove(folder, mask=folder / "mask.tif")
    before, after = (
        _read(folder / name)[7, 10, 44:54].astype(float)
        for name in ("l1c.tif", "l1c_cloudfree.tif")
    )
    share = (after - before) / (ANSWER - before)
    assert share[:4] == pytest.approx(0)
    assert (np.diff(share[3:9]) > 0).all()
    assert share[9] == pytest.approx(1, abs=0.01)


def _half_mask() -> np.ndarray:
    mask = np.zeros((1, 96, 96), np.uint8)
    mask[..., 48:] = 1
    return mask


def test_the_result_is_like_the_input_but_for_its_pixels(folder: Path, network: Known) -> None:
    path = write_raster(
        folder / "named.tif", cloudy_scene(96, 96)[0][::-1].copy(), OPTICAL_BANDS[::-1],
        nodata=0, ACQUIRED="2026-06-01",
    )  # fmt: skip
    result = _remove(folder, s2=path)
    with rasterio.open(path) as one, rasterio.open(result.output) as other:
        for name in ("crs", "transform", "shape", "dtypes", "descriptions", "nodata"):
            assert getattr(one, name) == getattr(other, name), name
        tags = other.tags()
    assert tags["ACQUIRED"] == "2026-06-01"
    assert (tags["CLOUDFREE_S1"], tags["CLOUDFREE_S2"]) == ("vv_vh.tif", "named.tif")
    assert tags["CLOUDFREE_MODEL"] == DEFAULT_MODEL
    assert len(tags["CLOUDFREE_MODEL_SHA256"]) == 64
    assert (_read(result.output)[:, 48, 48] == ANSWER).all()


def test_names_of_the_outputs_follow_the_scene_or_the_user(folder: Path, network: Known) -> None:
    assert _remove(folder).output == folder / "l1c_cloudfree.tif"
    (folder / "out").mkdir()
    result = _remove(folder, output=folder / "out" / "x.tif")
    assert result.filled == folder / "out" / "x_filled.tif"
    with rasterio.open(result.output) as dataset:
        assert dataset.tags()["CLOUDFREE_S2"] == "../l1c.tif"


def test_tiles_without_a_cloud_are_not_run(folder: Path, network: Known) -> None:
    mask = np.zeros((1, 96, 96), np.uint8)
    mask[0, :10, :10] = 1
    write_raster(folder / "mask.tif", mask, ["mask"])
    result = _remove(folder, mask=folder / "mask.tif", tile=32, overlap=0)
    assert (result.tiles, network.tiles) == (9, 1)


def test_shadows_are_filled_and_snow_is_not(folder: Path, network: Known) -> None:
    mask = np.zeros((1, 96, 96), np.uint8)
    mask[0, :30], mask[0, 60:] = 2, 3
    write_raster(folder / "mask.tif", mask, ["mask"])
    marks = _read(_remove(folder, mask=folder / "mask.tif").filled)[0]
    assert (marks[:30] == FillClass.FILLED).all()
    assert (marks[30:] == FillClass.ORIGINAL).all()


def test_the_network_gets_the_shadows_of_the_mask_and_of_none_without_one(
    folder: Path, network: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = np.zeros((1, 96, 96), np.uint8)
    mask[0, :30], mask[0, 30:40] = 2, 1
    write_raster(folder / "mask.tif", mask, ["mask"])
    shadows: list[np.ndarray] = []
    answer = network.run

    def listening(inputs: Arrays) -> Arrays:
        shadows.append(inputs["shadow"][0, 0])
        return answer(inputs)

    monkeypatch.setattr(network, "run", listening)
    _remove(folder, mask=folder / "mask.tif")
    _remove(folder, replace="all", overwrite=True)
    assert shadows[0][:35].all(), "and below the margin of the cloud beside it"
    assert not shadows[0][35:].any()
    assert not shadows[1].any()


def test_all_means_every_pixel_with_data(folder: Path, network: Known) -> None:
    numbers, _ = cloudy_scene(96, 96)
    numbers[:, :8] = 0
    write_raster(folder / "l1c.tif", numbers, OPTICAL_BANDS, nodata=0)
    result = _remove(folder, replace="all")
    marks, after = _read(result.filled)[0], _read(result.output)
    assert (marks[:8] == FillClass.NODATA).all()
    assert (after[:, :8] == 0).all()
    assert (after[:, 20:] == ANSWER).all()


@pytest.mark.parametrize(("height", "width"), [(1, 96), (97, 89), (53, 300), (300, 41)], ids=str)
def test_any_size_works(tmp_path: Path, network: Known, height: int, width: int) -> None:
    write_cloudy_scene(tmp_path / "l1c.tif", height, width)
    write_radar(tmp_path / "vv_vh.tif", height, width)
    result = _remove(tmp_path, replace="all", tile=64, overlap=16)
    assert (_read(result.filled) == FillClass.FILLED).all()
    assert _read(result.output).shape == (13, height, width)


def test_tiling_does_not_show(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that looks at one pixel gives the same picture whatever the tiles."""

    class Inverting(Known):
        def run(self, inputs: Arrays) -> Arrays:
            return {"image": np.asarray(1.0 - inputs["optical"], dtype=np.float32)}

    card = read_card(find_model(DEFAULT_MODEL))
    monkeypatch.setattr(remove, "load_model", lambda *_: Model(card, Inverting()))
    whole = _read(_remove(folder, output=folder / "a.tif", replace="all").output)
    tiled = _read(_remove(folder, output=folder / "b.tif", replace="all", tile=32).output)
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def _in_degrees(path: Path) -> None:
    """Radar in degrees, coarser, larger than the scene."""
    transform, width, height = calculate_default_transform(
        UTM31, "EPSG:4326", 200, 200, *rasterio.transform.array_bounds(200, 200, _MARGIN)
    )
    write_radar(path, height, width, crs="EPSG:4326", transform=transform)


def _in_next_zone(path: Path) -> None:
    transform, width, height = calculate_default_transform(
        UTM31, "EPSG:32632", 200, 200, *rasterio.transform.array_bounds(200, 200, _MARGIN),
        resolution=20,
    )  # fmt: skip
    write_radar(path, height, width, crs="EPSG:32632", transform=transform)


_MARGIN = TEN_METRES @ Affine.translation(-50, -50)


@pytest.mark.parametrize("write", [_in_degrees, _in_next_zone], ids=["degrees", "zone"])
def test_radar_on_another_grid_works(
    folder: Path, network: Known, write: Callable[[Path], None]
) -> None:
    write(folder / "vv_vh.tif")
    result = _remove(folder)
    assert result.unfilled_fraction == 0
    assert (_read(result.output)[:, 48, 48] == ANSWER).all()


def test_clouds_without_radar_stay_and_are_reported(
    folder: Path, network: Known, caplog: pytest.LogCaptureFixture
) -> None:
    write_radar(folder / "vv_vh.tif", 96, 48)  # the left half of the scene
    result = _remove(folder)
    before, after = _read(folder / "l1c.tif"), _read(result.output)
    assert np.array_equal(after[:, :, 50:], before[:, :, 50:])
    assert (after[:, 48, 40] == ANSWER).all()
    assert result.unfilled_fraction == pytest.approx(result.filled_fraction, rel=0.2)
    with rasterio.open(result.filled) as filled:
        classes, tags, colours = filled.read(1), filled.tags(), filled.colormap(1)
    cloud = cloudy_scene(96, 96)[1]
    assert (classes[:, 50:][cloud[:, 50:]] == FillClass.UNFILLED).all()
    assert (classes[:, :46][cloud[:, :46]] == FillClass.FILLED).all()
    assert (classes == FillClass.UNFILLED).mean() == pytest.approx(result.unfilled_fraction)
    assert tags["CLASS_2"] == "cloud, not filled"
    assert colours[2][:3] == FILL_COLOURS[FillClass.UNFILLED]
    assert "of the clouds have no Sentinel-1 and remain" in caplog.text
    with rasterio.open(result.output) as dataset:
        assert "no Sentinel-1" in dataset.tags()["CLOUDFREE_WARNINGS"]


def test_a_corrected_shift_leaves_no_rim_of_cloud(
    folder: Path, network: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both scenes end together; moving the radar by 2.3 rows takes it away from three of them."""
    moved = ShiftMeasurement(Shift(2.3, -1.0), 0.9, True, True, "corrected", 1.0)
    monkeypatch.setattr(opened, "measure", lambda *_: moved)
    write_raster(folder / "mask.tif", np.ones((1, 96, 96), np.uint8), ["mask"])
    result = _remove(folder, mask=folder / "mask.tif")
    assert (_read(result.filled) == FillClass.FILLED).all()


def test_nothing_but_cloud_is_filled_with_a_warning(
    folder: Path, network: Known, caplog: pytest.LogCaptureFixture
) -> None:
    write_raster(folder / "mask.tif", np.ones((1, 96, 96), np.uint8), ["mask"])
    assert _remove(folder, mask=folder / "mask.tif").filled_fraction == 1
    assert "no clear pixel in the scene" in caplog.text


def test_nothing_to_fill_copies_the_scene(
    folder: Path, network: Known, caplog: pytest.LogCaptureFixture
) -> None:
    write_raster(folder / "mask.tif", np.zeros((1, 96, 96), np.uint8), ["mask"])
    result = _remove(folder, mask=folder / "mask.tif")
    assert np.array_equal(_read(result.output), _read(folder / "l1c.tif"))
    assert (result.filled_fraction, network.tiles) == (0, 0)
    assert "nothing to fill" in caplog.text


def test_scenes_without_coordinates_work_when_they_match(
    folder: Path, network: Known, caplog: pytest.LogCaptureFixture
) -> None:
    write_cloudy_scene(folder / "l1c.tif", crs=None)
    write_radar(folder / "vv_vh.tif", crs=None)
    assert (_read(_remove(folder).output)[:, 48, 48] == ANSWER).all()
    assert "no coordinate system" in caplog.text


def test_floats_stay_floats(folder: Path, network: Known) -> None:
    numbers, cloud = cloudy_scene(96, 96)
    reflectance = (numbers / 10_000).astype(np.float32)
    reflectance[:, :5] = np.nan
    write_raster(folder / "l1c.tif", reflectance, OPTICAL_BANDS)
    after = _read(_remove(folder).output)
    assert after.dtype == np.float32
    assert np.isnan(after[:, :5]).all()
    assert after[:, _inside(cloud)] == pytest.approx(ANSWER / 10_000)


def test_bands_the_model_does_not_know_stay(folder: Path, network: Known) -> None:
    numbers = np.concatenate([cloudy_scene(96, 96)[0], np.full((1, 96, 96), 77, np.uint16)])
    write_raster(folder / "l1c.tif", numbers, [*OPTICAL_BANDS, "SCL"])
    after = _read(_remove(folder).output)
    assert (after[13] == 77).all()
    assert (after[:13, 48, 48] == ANSWER).all()


def test_the_offset_of_newer_products_is_taken_off_and_put_back(
    folder: Path, network: Known
) -> None:
    write_raster(folder / "l1c.tif", cloudy_scene(96, 96)[0] + np.uint16(1000), OPTICAL_BANDS)
    after = _read(_remove(folder, s2_offset=-1000.0).output)
    assert (after[:, 48, 48] == ANSWER + 1000).all()


def test_a_fault_of_the_network_leaves_no_output(
    folder: Path, network: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("broke")

    monkeypatch.setattr(network, "run", fail)
    before = sorted(folder.iterdir())
    with pytest.raises(RuntimeError, match="broke"):
        _remove(folder)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("broken", ["network", "mask", "result"])
def test_no_thread_outlives_a_fault_though_the_error_is_kept(
    folder: Path, network: Known, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """It would read files that are closed, and the garbage collector would have to end it."""

    def fail(*_: Any) -> None:
        raise OSError("broke")

    mask = write_raster(folder / "mask.tif", _half_mask(), ["mask"]) if broken == "result" else None
    monkeypatch.setattr(*(network, "run") if broken == "network" else (CogWriter, "write"), fail)
    before = set(threading.enumerate())
    with pytest.raises(OSError, match="broke") as error:
        _remove(folder, mask=mask, tile=16, overlap=4, batch_size=1)
    assert error.traceback
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("room_kb", [1, 20, 100])
def test_a_full_disk_leaves_no_output(folder: Path, network: Known, room_kb: int) -> None:
    mask = write_raster(folder / "mask.tif", _half_mask(), ["mask"])
    before = sorted(folder.iterdir())
    with (
        full_disk(1000 * room_kb),
        pytest.raises(OutputError, match=r"cannot be written .*free some space"),
    ):
        _remove(folder, mask=mask)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("ending", ["", "_filled", "_uncertainty", "_mask"])
def test_a_file_that_cannot_be_finished_takes_the_others_with_it(
    folder: Path, network: Known, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    copy = rasterio.shutil.copy

    def full_by_then(source: Path, target: Path, **options: Any) -> None:
        if target.name == f"l1c_cloudfree{ending}.tif" and "COG" in str(options):
            raise OSError("No space left on device")
        copy(source, target, **options)

    monkeypatch.setattr(rasterio.shutil, "copy", full_by_then)
    before = sorted(folder.iterdir())
    with pytest.raises(OutputError, match=rf"cloudfree{ending}\.tif cannot be written \(No space"):
        _remove(folder, uncertainty=True, write_mask=True)
    assert sorted(folder.iterdir()) == before


def test_the_result_has_its_name_last(
    folder: Path, network: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that skips results which are there finds the others beside them."""
    named: list[Path] = []
    link = os.link

    def watched(draft: Path, path: Path) -> None:
        named.append(path)
        link(draft, path)

    monkeypatch.setattr(os, "link", watched)
    result = _remove(folder, uncertainty=True, write_mask=True)
    files = {result.uncertainty, result.mask, result.filled, result.output}
    assert named[0] == journal_of(result.output)
    assert named[-1] == result.output
    assert set(named[1:]) == files
    assert len(files) == 4


def test_an_input_that_changes_meanwhile_leaves_no_output(
    folder: Path, network: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = CogWriter.write

    def changing(self: CogWriter, *window: Any) -> None:
        os.utime(folder / "vv_vh.tif", ns=(1, 1))
        write(self, *window)

    monkeypatch.setattr(CogWriter, "write", changing)
    before = sorted(folder.iterdir())
    with pytest.raises(InputError, match=r"vv_vh\.tif was changed while it was read"):
        _remove(folder, uncertainty=True)
    assert sorted(folder.iterdir()) == before


def test_a_result_that_another_run_makes_meanwhile_stays(
    folder: Path, network: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = CogWriter.write

    def racing(self: CogWriter, *window: Any) -> None:
        (folder / "l1c_cloudfree_filled.tif").write_text("of another run")
        write(self, *window)

    monkeypatch.setattr(CogWriter, "write", racing)
    before = sorted(folder.iterdir())
    with pytest.raises(OutputError, match=r"filled\.tif was made by another program meanwhile"):
        _remove(folder)
    assert sorted(folder.iterdir()) == sorted([*before, folder / "l1c_cloudfree_filled.tif"])


def _elsewhere(folder: Path) -> dict[str, Any]:
    write_radar(folder / "vv_vh.tif", transform=TEN_METRES @ Affine.translation(5000, 0))
    return {}


def _radar_beside_the_cloud(folder: Path) -> dict[str, Any]:
    write_radar(folder / "vv_vh.tif", 10, 96)
    return {}


def _no_cirrus(folder: Path) -> dict[str, Any]:
    keep = [i for i, band in enumerate(OPTICAL_BANDS) if band != "B10"]
    names = [OPTICAL_BANDS[i] for i in keep]
    write_raster(folder / "l1c.tif", cloudy_scene(96, 96)[0][keep], names)
    return {}


def _one_polarisation(folder: Path) -> dict[str, Any]:
    return {"s1": (write_one_band(folder / "vv.tif", folder / "vv_vh.tif", "VV"),)}


def _no_polarisation(folder: Path) -> dict[str, Any]:
    write_raster(folder / "vv_vh.tif", np.zeros((2, 96, 96), np.float32), ["HH", "HV"])
    return {}


def _other_size_without_coordinates(folder: Path) -> dict[str, Any]:
    write_cloudy_scene(folder / "l1c.tif", crs=None)
    write_radar(folder / "vv_vh.tif", 50, 50, crs=None)
    return {}


def _picture(folder: Path) -> dict[str, Any]:
    write_raster(folder / "l1c.tif", np.ones((13, 96, 96), np.uint8), OPTICAL_BANDS)
    return {}


def _no_radar(_: Path) -> dict[str, Any]:
    return {"s1": ()}


def _mask_of_another_scene(folder: Path) -> dict[str, Any]:
    far = TEN_METRES @ Affine.translation(500, 0)
    pixels = np.ones((1, 9, 9), np.uint8)
    return {"mask": write_raster(folder / "mask.tif", pixels, ["mask"], transform=far)}


def _mask_of_another_size(folder: Path) -> dict[str, Any]:
    pixels = np.ones((1, 9, 9), np.uint8)
    return {"mask": write_raster(folder / "mask.tif", pixels, ["mask"], crs=None)}


def _all_nodata(folder: Path) -> dict[str, Any]:
    write_raster(folder / "l1c.tif", np.zeros((13, 96, 96), np.uint16), OPTICAL_BANDS)
    return {}


REFUSALS: list[tuple[Callable[[Path], dict[str, Any]], type[CloudfreeError], str]] = [
    (_elsewhere, InputError, r"does not meet Sentinel-2 .*; wanted two scenes of the same place"),
    (_radar_beside_the_cloud, InputError, "no Sentinel-1 pixel over any of the clouds"),
    (
        _no_cirrus,
        InputError,
        r"no band B10 in l1c\.tif .*; wanted the bands that model cloudfree-s",
    ),
    (
        _one_polarisation,
        InputError,
        r"VV alone in vv\.tif; wanted VV and VH, which model cloudfree",
    ),
    (_no_polarisation, InputError, r"Sentinel-1 bands \['HH', 'HV'\]; wanted one VV and one VH"),
    (_other_size_without_coordinates, InputError, "50 x 50 pixels in vv_vh.tif against 96 x 96"),
    (_mask_of_another_scene, InputError, r"mask mask\.tif covers nothing of the scene: x 505000"),
    (_mask_of_another_size, InputError, r"mask\.tif has 9 x 9 pixels, the scene 96 x 96, and the"),
    (lambda _: {"mask": "scl"}, InputError, r"no scene classification \(SCL\) in l1c\.tif"),
    (_picture, InputError, r"8-bit numbers in l1c\.tif; wanted reflectance .*true-colour picture"),
    (_no_radar, InputError, "no Sentinel-1 scene; wanted VV and VH, which model cloudfree-s needs"),
    (_all_nodata, InputError, "no valid pixel in l1c.tif"),
    (lambda _: {"model": "none"}, ModelError, "no model 'none'; wanted one of .*cloudfree-s"),
    (lambda _: {"tile": 32, "overlap": 32}, InputError, "an overlap of 32 pixels for tiles of 32"),
    (lambda f: {"output": f / "l1c.tif"}, OutputError, r"l1c\.tif is an input or another"),
    (
        lambda f: {"report": f / "l1c_cloudfree.tif"},
        OutputError,
        "cloudfree.tif is .*another",
    ),
    (lambda f: {"report": f / "l1c_cloudfree_filled.tif"}, OutputError, "filled.tif is .*another"),
    (
        lambda f: {"output": f / "mask.tif", "mask": f / "mask.tif"},
        OutputError,
        "mask.tif is an",
    ),
    (lambda _: {"creation_options": {"COMPRESS": "JPEG"}}, OutputError, r"--co COMPRESS=JPEG for"),
    (lambda f: {"output": f / "l1c.tif" / "a.tif"}, OutputError, r"l1c\.tif cannot be written"),
    (
        lambda f: {"output": f / "new" / "newer" / "a.tif", "model": "none"},
        ModelError,
        "no model 'none'",
    ),
    (lambda _: {"dilate": "far"}, InputError, "a distance of 'far'; wanted a length"),
]


@pytest.mark.parametrize(("change", "kind", "text"), REFUSALS, ids=[text for *_, text in REFUSALS])
def test_refusals_say_what_was_found_and_leave_nothing(
    folder: Path,
    network: Known,
    change: Callable[[Path], dict[str, Any]],
    kind: type[CloudfreeError],
    text: str,
) -> None:
    options = change(folder)
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(kind, match=text) as refusal:
        _remove(folder, **options)
    assert "\n" not in str(refusal.value)
    assert sorted(path.name for path in folder.iterdir()) == before


def test_existing_results_are_kept_by_default(folder: Path, network: Known) -> None:
    _remove(folder)
    with pytest.raises(OutputError, match=r"l1c_cloudfree\.tif exists already"):
        _remove(folder)
    _remove(folder, overwrite=True)


def test_a_dry_run_checks_and_writes_nothing(folder: Path, network: Known) -> None:
    before = sorted(path.name for path in folder.iterdir())
    result = _remove(folder, dry_run=True)
    assert not result.written
    assert "nothing written" in result.summary()
    assert sorted(path.name for path in folder.iterdir()) == before


def test_missing_folders_of_outputs_are_made(folder: Path, network: Known) -> None:
    output, report = folder / "new" / "newer" / "a.tif", folder / "pages" / "a.html"
    dry = _remove(folder, output=output, report=report, dry_run=True)
    assert not dry.written
    assert not (folder / "new").exists()
    _remove(folder, output=output, report=report)
    assert {"a.tif", "a_filled.tif"} <= {path.name for path in output.parent.iterdir()}
    assert report.exists()


def test_stated_dates_and_sun_count_and_stand_in_the_tags(folder: Path, network: Known) -> None:
    seen = {"s1_date": datetime(2021, 5, 1, 12, tzinfo=UTC),
            "s2_date": datetime(2021, 4, 24, 12, tzinfo=UTC)}  # fmt: skip
    with pytest.raises(InputError, match=r"7\.0 days between Sentinel-1 \(2021-05-01\) and Sent"):
        _remove(folder, max_gap=6, **seen)
    result = _remove(folder, max_gap=7, sun_azimuth=150.5, write_mask=True, **seen)
    with rasterio.open(result.output) as dataset:
        tags = dataset.tags()
    assert tags["CLOUDFREE_GAP_DAYS"] == "7.00"
    assert tags["CLOUDFREE_S1_SENSED"] == "2021-05-01T12:00:00+00:00"
    assert tags["PRODUCT_START_TIME"] == "2021-04-24T12:00:00Z"
    assert tags[SUN_AZIMUTH_TAG] == "150.5"
    assert result.mask is not None
    with rasterio.open(result.mask) as dataset:
        assert dataset.tags()["MASK_SUN_AZIMUTH_DEG"] == "150.5"


def test_a_report_is_written_beside_the_result(folder: Path, network: Known) -> None:
    _remove(folder, report=folder / "report.html")
    assert "l1c_cloudfree.tif" in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("units", "tag"),
    [("auto", "db (negative numbers, median -14)"), ("linear", "linear (as given)")],
)
def test_the_result_states_the_units_of_the_radar(
    folder: Path, network: Known, units: str, tag: str
) -> None:
    if units == "linear":
        power = 10 ** (_read(folder / "vv_vh.tif") / 10)
        write_raster(folder / "vv_vh.tif", power.astype(np.float32), SAR_BANDS)
    result = _remove(folder, s1_units=units, replace="all")
    with rasterio.open(result.output) as dataset:
        assert dataset.tags()["CLOUDFREE_S1_UNITS"] == tag


def test_radar_bands_are_found_by_name(folder: Path, network: Known) -> None:
    radar = _read(folder / "vv_vh.tif")
    write_raster(folder / "vv_vh.tif", radar[::-1].copy(), SAR_BANDS[::-1])
    assert (_read(_remove(folder).output)[:, 48, 48] == ANSWER).all()


def test_a_report_shows_the_mask_that_was_written(folder: Path, network: Known) -> None:
    _remove(folder, report=folder / "report.html", write_mask=True)
    assert "Mask of the cloudy scene" in (folder / "report.html").read_text()


def _tags(path: Path) -> dict[str, str]:
    with rasterio.open(path) as dataset:
        tags: dict[str, str] = dataset.tags()
    return tags


def test_a_scene_classification_of_20_m_hides_the_clouds(folder: Path, network: Known) -> None:
    scl = np.full((1, 48, 48), 4, np.uint8)
    scl[0, :10], scl[0, 10:20] = 9, 3
    path = write_raster(folder / "SCL.tif", scl, ["scl"], transform=TEN_METRES @ Affine.scale(2))
    result = _remove(folder, mask=path, report=folder / "report.html")
    marks = _read(result.filled)[0]
    assert (marks[:40] == FillClass.FILLED).all()
    assert (marks[40:] == FillClass.ORIGINAL).all()
    assert _tags(result.output)["CLOUDFREE_MASK"] == "SCL.tif"
    assert "cloud mask cannot" not in (folder / "report.html").read_text()


def test_the_edge_of_a_users_mask_stays_unless_a_dilation_is_given(
    folder: Path, network: Known
) -> None:
    path = write_raster(folder / "mask.tif", _half_mask(), ["mask"])
    marks = _read(_remove(folder, mask=path).filled)[0]
    assert (marks == FillClass.FILLED).sum() == 48 * 96
    result = _remove(folder, mask=path, dilate="3px", overwrite=True)
    assert (_read(result.filled)[0] == FillClass.FILLED).sum() == 51 * 96
    assert _tags(result.output)["CLOUDFREE_MASK_DILATE"] == "3px"


def test_probabilities_are_cloud_from_the_threshold_on(folder: Path, network: Known) -> None:
    probability = np.linspace(0, 1, 96, dtype=np.float32).repeat(96).reshape(1, 96, 96)
    path = write_raster(folder / "probability.tif", probability, ["p"])
    shares = []
    for threshold in (None, 0.75):
        result = _remove(folder, mask=path, mask_threshold=threshold, overwrite=True)
        shares.append((_read(result.filled) == FillClass.FILLED).mean())
    assert shares == pytest.approx([0.6, 0.25], abs=0.02)
    assert _tags(result.output)["CLOUDFREE_MASK_THRESHOLD"] == "0.75"


def test_pixels_outside_the_mask_stay(
    folder: Path, network: Known, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_raster(folder / "mask.tif", np.full((1, 60, 96), 255, np.uint8), ["mask"])
    marks = _read(_remove(folder, mask=path).filled)[0]
    assert (marks[:60] == FillClass.FILLED).all()
    assert (marks[60:] == FillClass.ORIGINAL).all()
    assert "leaves out 37.5 % of the scene" in caplog.text


def test_no_temporary_mask_stays(
    folder: Path, network: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder / "tmp"))
    path = write_raster(folder / "mask.tif", np.full((1, 48, 48), 1, np.uint8), ["m"], crs=None)
    _remove(folder, mask=path)
    assert not list((folder / "tmp").iterdir())


CLOUD, SEEN = (slice(40, 80), slice(40, 80)), (slice(46, 74), slice(46, 74))


@pytest.fixture
def fields(tmp_path: Path) -> Path:
    """A folder with a scene below a cloud, and radar that shows its fields."""
    write_date(tmp_path / "s2_20220605.tif", CLOUD)
    with rasterio.open(write_date(tmp_path / "clear_20220605.tif")) as dataset:
        band = dataset.read(8).astype(np.float32)
        noise = np.random.default_rng(1).normal(0, 0.5, (2, *band.shape))
        radar = (-20 + band / 300 + noise).astype(np.float32)
        write_raster(
            tmp_path / "s1.tif", radar, SAR_BANDS, dataset.crs.to_string(), dataset.transform
        )
    return tmp_path


def _of_fields(folder: Path, **options: Any) -> RemoveResult:
    given = {
        "s1": (folder / "s1.tif",),
        "s2": folder / "s2_20220605.tif",
        "shift": "none",
        **options,
    }
    return run(RemoveOptions(s2_offset=0.0, overwrite=True, **given), silent)


def _error(folder: Path, result: RemoveResult) -> float:
    truth, after = _read(folder / "clear_20220605.tif"), _read(result.output)
    return float(np.abs(after[:, *SEEN].astype(int) - truth[:, *SEEN]).mean())


def test_clear_ground_tells_how_much_a_network_counts(fields: Path, network: Known) -> None:
    wrong = _error(fields, _of_fields(fields, fill_by="network"))
    result = _of_fields(fields)
    assert _error(fields, result) < wrong / 3
    assert (_read(result.filled)[0][SEEN] == FillClass.FILLED_BY_SCENE).all()
    assert result.parts is not None
    assert result.parts.network_weight < 0.1
    assert result.parts.together_error <= 1.01 * result.parts.scene_error
    assert result.parts.network_error > 2 * result.parts.scene_error
    assert result.parts.summary() in result.summary()
    with rasterio.open(result.output) as dataset:
        assert float(dataset.tags()["CLOUDFREE_NETWORK_WEIGHT"]) < 0.1


def test_clear_pixels_stay_bit_identical_whatever_fills(fields: Path, network: Known) -> None:
    before = _read(fields / "s2_20220605.tif")
    for fill_by in ("auto", "network", "scene"):
        result = _of_fields(fields, fill_by=fill_by)
        original = _read(result.filled)[0] == FillClass.ORIGINAL
        assert np.array_equal(_read(result.output)[:, original], before[:, original])


def test_a_scene_fills_itself_without_loading_a_model(
    fields: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remove, "load_model", lambda *_: pytest.fail("a model is loaded"))
    result = _of_fields(fields, fill_by="scene")
    assert (result.model, result.parts, result.tiles) == (None, None, 0)
    assert _error(fields, result) < 400
    without_radar = _of_fields(fields, fill_by="scene", s1=())
    assert without_radar.unfilled_fraction == 0
    assert _error(fields, without_radar) < 800


def test_a_clear_scene_needs_no_model_to_stay_as_it_is(
    fields: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remove, "load_model", lambda *_: pytest.fail("a model is loaded"))
    clear = fields / "clear_20220605.tif"
    result = _of_fields(fields, s2=clear, fill_by="scene", output=fields / "same.tif")
    assert np.array_equal(_read(result.output), _read(clear))


def test_without_clear_ground_the_model_fills_and_the_scene_cannot(
    fields: Path, network: Known, caplog: pytest.LogCaptureFixture
) -> None:
    overcast = write_raster(fields / "mask.tif", np.ones((1, 128, 128), np.uint8), ["mask"])
    result = _of_fields(fields, mask=overcast)
    assert result.parts is None
    assert (_read(result.filled)[0] == FillClass.FILLED).all()
    assert (_read(result.output)[:, 60, 60] == ANSWER).all()
    assert "no clear pixel in the scene: its colours come from the model alone" in caplog.text
    with pytest.raises(InputError, match="no clear pixel in the scene, from which"):
        _of_fields(fields, mask=overcast, fill_by="scene")


@pytest.mark.parametrize("bands", [10, 4])
def test_a_scene_of_fewer_bands_is_filled_by_scene_and_model(
    fields: Path, network: Known, bands: int
) -> None:
    kept = ("B02", "B03", "B04", "B08", "B05", "B06", "B07", "B8A", "B11", "B12")[:bands]
    with rasterio.open(fields / "s2_20220605.tif") as dataset:
        numbers = dataset.read([OPTICAL_BANDS.index(band) + 1 for band in kept])
        crs, transform = dataset.crs.to_string(), dataset.transform
    few = write_raster(fields / "few_20220605.tif", numbers, kept, crs, transform, nodata=0)
    result = _of_fields(fields, s2=few, output=fields / "few.tif")
    assert network.tiles
    assert result.unfilled_fraction == 0
    with rasterio.open(fields / "clear_20220605.tif") as dataset:
        truth = dataset.read([OPTICAL_BANDS.index(band) + 1 for band in kept])[:, *SEEN]
    assert np.abs(_read(result.output)[:, *SEEN].astype(int) - truth).mean() < 400
    with pytest.raises(InputError, match="no band B01"):
        _of_fields(fields, s2=few, fill_by="network", output=fields / "alone.tif")


@pytest.mark.parametrize("cloud", [0, 1], ids=["clear", "overcast"])
def test_a_scene_of_four_bands_without_clouds_or_without_clear_ground_keeps_its_bands(
    fields: Path, network: Known, cloud: int
) -> None:
    kept = ("B02", "B03", "B04", "B08")
    with rasterio.open(fields / "s2_20220605.tif") as dataset:
        numbers = dataset.read([OPTICAL_BANDS.index(band) + 1 for band in kept])
        crs, transform = dataset.crs.to_string(), dataset.transform
    few = write_raster(fields / "few_20220605.tif", numbers, kept, crs, transform, nodata=0)
    mask = write_raster(fields / "mask.tif", np.full((1, 128, 128), cloud, np.uint8), ["mask"])
    result = _of_fields(fields, s2=few, mask=mask, uncertainty=True, output=fields / "few.tif")
    assert result.filled_fraction == cloud
    expected = np.full_like(numbers, ANSWER) if cloud else numbers
    assert np.array_equal(_read(result.output), expected)


@pytest.fixture
def dates(tmp_path: Path) -> Path:
    """A folder with a cloudy scene, and an earlier one in `earlier`."""
    write_date(tmp_path / "s2_20220605.tif", CLOUD)
    write_date(tmp_path / "earlier" / "s2_20220526.tif")
    return tmp_path


def _from_references(folder: Path, **options: Any) -> RemoveResult:
    given = {"s2": folder / "s2_20220605.tif", "references": (folder / "earlier",), **options}
    return run(RemoveOptions(s2_offset=0.0, **given), silent)


def test_an_earlier_scene_fills_clouds_without_radar_and_model(dates: Path) -> None:
    result = _from_references(dates)
    truth, after = _read(dates / "earlier" / "s2_20220526.tif"), _read(result.output)
    assert np.abs(after[:, *SEEN].astype(int) - truth[:, *SEEN]).mean() < 30
    assert (_read(result.filled)[0][SEEN] == FillClass.REFERENCE_1).all()
    assert (result.model, result.tiles) == (None, 0)
    (used,) = result.references
    assert used.path.as_posix() == "earlier/s2_20220526.tif"
    assert used.days == pytest.approx(-10)
    assert used.share == pytest.approx(1, abs=0.01)


def test_the_tags_name_the_references(dates: Path) -> None:
    with rasterio.open(_from_references(dates).output) as dataset:
        tags = dataset.tags()
    assert tags["CLOUDFREE_REFERENCE_1"] == "earlier/s2_20220526.tif"
    assert float(tags["CLOUDFREE_REFERENCE_1_SHARE"]) == pytest.approx(1, abs=0.01)
    assert "CLOUDFREE_MODEL" not in tags


def test_a_network_is_not_loaded_where_references_see_all(
    dates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remove, "load_model", lambda *_: pytest.fail("a model is loaded"))
    radar = write_radar(dates / "s1.tif", 128, 128)
    assert _from_references(dates, s1=(radar,), shift="none").model is None


def test_a_network_fills_what_no_reference_shows(dates: Path, network: Known) -> None:
    write_date(dates / "earlier" / "s2_20220526.tif", (slice(40, 60), slice(40, 80)))
    radar = write_radar(dates / "s1.tif", 128, 128)
    result = _from_references(dates, s1=(radar,), shift="none")
    classes = _read(result.filled)[0]
    assert network.tiles > 0
    assert (classes[66:74, 46:74] == FillClass.REFERENCE_1).all()
    assert np.isin(classes[46:56, 46:74], (FillClass.FILLED, FillClass.FILLED_BY_SCENE)).all()


def test_without_a_reference_that_can_be_used_the_result_is_that_without(
    folder: Path, network: Known, caplog: pytest.LogCaptureFixture
) -> None:
    plain = _read(_remove(folder, fill_by="auto").output)
    again = _remove(folder, references=(folder / "l1c.tif",), output=folder / "again.tif")
    assert np.array_equal(plain, _read(again.output))
    assert [one.reason for one in again.left_out] == ["is the scene itself"]
    assert "no reference can be used: the scene is filled without" in caplog.text


def test_no_usable_reference_and_no_radar_is_refused(dates: Path) -> None:
    with pytest.raises(InputError, match="no Sentinel-1 scene"):
        _from_references(dates, references=(dates / "s2_20220605.tif",))


def test_a_clear_scene_needs_neither_radar_nor_references(dates: Path) -> None:
    clear, cloudy = dates / "earlier" / "s2_20220526.tif", dates / "s2_20220605.tif"
    result = _from_references(dates, s2=clear, references=(cloudy,), output=dates / "out.tif")
    assert result.warnings == ("nothing to fill: the mask has no cloud and no shadow",)
    assert np.array_equal(_read(result.output), _read(clear))


def test_references_can_be_required(dates: Path) -> None:
    with pytest.raises(InputError, match="no reference can be used"):
        _from_references(dates, references=(dates / "s2_20220605.tif",), require_references=True)


def test_deviations_of_what_references_filled_are_written(dates: Path) -> None:
    result = _from_references(dates, uncertainty=True)
    assert result.uncertainty is not None
    deviations = _read(result.uncertainty)
    assert (deviations[:, *SEEN] < 65535).all()
    assert (deviations[:, :30] == 65535).all()
