"""Two scenes given the wrong way round are named as such, whatever their formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cloudfree.commands.coregister.options import CoregisterOptions
from cloudfree.commands.coregister.run import run as coregister
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.run import run as remove
from cloudfree.commands.swapped_scenes import is_optical, is_radar, swaps_refused
from cloudfree.core.terminal import silent
from cloudfree.errors import ErrorCode, InputError
from tests.factories import sentinel1_products as radars
from tests.factories import sentinel2_products as opticals
from tests.factories.rasters import cloudy_scene, write_cloudy_scene, write_radar, write_raster

SPECKLE = np.full((2, 32, 32), -12, np.float32)


def _grd(folder: Path) -> Path:
    return radars.write_safe(folder, radars.level_scene(60, 80, 0.1))


def _two_files(folder: Path) -> Path:
    for band, pixels in zip(("VV", "VH"), SPECKLE, strict=True):
        write_raster(folder / f"radar_{band}.tif", pixels[np.newaxis], [None])
    return folder / "radar_VH.tif"


def _pair_in_a_folder(folder: Path) -> Path:
    return _two_files(folder).parent


RADARS: dict[str, Callable[[Path], Path]] = {
    "raster": lambda folder: write_radar(folder / "s1.tif"),
    "raster without names": lambda folder: write_raster(folder / "a.tif", SPECKLE, [None] * 2),
    "one of two files": _two_files,
    "folder of two files": _pair_in_a_folder,
    "GRD folder": _grd,
    "GRD zip": lambda folder: radars.zipped(_grd(folder)),
    "GRD measurement": lambda folder: next(_grd(folder).glob("measurement/*-vv-*")),
}
OPTICALS: dict[str, Callable[[Path], Path]] = {
    "raster": lambda folder: write_cloudy_scene(folder / "s2.tif"),
    "raster without names": lambda folder: write_raster(
        folder / "b.tif", cloudy_scene(32, 32)[0], [None] * 13
    ),
    "SAFE folder": lambda folder: opticals.write_safe(folder, opticals.Safe()),
    "SAFE zip": lambda folder: opticals.write_zip(folder, opticals.Safe()),
    "L2A folder": lambda folder: opticals.write_safe(folder, opticals.Safe(level="L2A")),
    "band files": lambda folder: opticals.write_bucket(folder, opticals.ground()),
}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A folder for each scene, as products are found by what lies beside them."""
    for name in ("radar", "optical"):
        (tmp_path / name).mkdir()
    return tmp_path / "radar", tmp_path / "optical"


@pytest.mark.parametrize("make", RADARS.values(), ids=RADARS)
def test_a_radar_is_known_in_each_format(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    assert is_radar(path)
    assert not is_optical(path)


@pytest.mark.parametrize("make", OPTICALS.values(), ids=OPTICALS)
def test_an_optical_scene_is_known_in_each_format(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path)
    assert is_optical(path)
    assert not is_radar(path)


@pytest.mark.parametrize(
    ("radar", "optical"),
    [("raster", "raster"), ("GRD folder", "SAFE folder"), ("GRD zip", "SAFE zip"),
     ("one of two files", "band files")],
)  # fmt: skip
def test_swapped_scenes_are_named_by_both_commands(
    folders: tuple[Path, Path], radar: str, optical: str
) -> None:
    s1, s2 = RADARS[radar](folders[0]), OPTICALS[optical](folders[1])
    output = folders[0].parent / "new" / "out.tif"
    for swapped in (
        lambda: remove(RemoveOptions(s1=(s2,), s2=s1, output=output), silent),
        lambda: coregister(CoregisterOptions(s1=(s2,), s2=s1, output=output), silent),
    ):
        with pytest.raises(InputError) as refusal:
            swapped()
        found = f"these look swapped: --s1 {s2.name} is Sentinel-2, --s2 {s1.name} is Sentinel-1"
        assert str(refusal.value).startswith(f"{found}; wanted ")
        assert refusal.value.code is ErrorCode.SWAPPED
        assert "\n" not in str(refusal.value)
        assert not output.parent.exists()


@pytest.mark.parametrize(
    ("s1", "s2"), [("s2.tif", "s2.tif"), ("s1.tif", "s1.tif"), ("s1.tif", "s2.tif"), ("no", "no")]
)
def test_another_error_stays_where_the_scenes_are_not_swapped(
    tmp_path: Path, s1: str, s2: str
) -> None:
    write_radar(tmp_path / "s1.tif")
    write_cloudy_scene(tmp_path / "s2.tif")
    error = InputError("another", wanted="nothing", hint="nothing")
    with pytest.raises(InputError) as seen, swaps_refused([tmp_path / s1], tmp_path / s2):
        raise error
    assert seen.value is error


def test_without_radar_nothing_is_swapped(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another"), swaps_refused([], tmp_path):
        raise InputError("another", wanted="nothing", hint="nothing")
