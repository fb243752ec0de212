"""References find the clouds and shadows that the mask of a scene misses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.cloudmask.mask_file import MaskFile, mask_profile
from cloudfree.cloudmask.sun_geometry import Sun
from cloudfree.commands.input_files import InputFiles
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.made_masks import made_masks
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.references.open_references import open_references
from cloudfree.commands.remove.references.refined_mask import refined_mask
from cloudfree.commands.remove.run import run
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.terminal import silent
from cloudfree.raster.cog import CogWriter
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.dates_of_a_place import SIDE, write_date

CLOUD = (slice(20, 60), slice(20, 60))
MISSED = (slice(20, 60), slice(60, 76))
FAR_OFF = (slice(100, 110), slice(118, 126))
WHOLE = Window(0, 0, SIDE, SIDE)
# The sun stands in the east: shadows lie left of their clouds.
EAST = Sun(90.0, "metadata", None)


@pytest.fixture
def refined(tmp_path: Path) -> Iterator[Callable[..., Mask | None]]:
    """The mask of a scene whose mask knows a cloud alone, refined by dates."""
    with ExitStack() as files:

        def of(today: Path, *dates: Path, dilation: str = "0") -> Mask | None:
            optical = files.enter_context(OpticalScene(today, 0.0))
            mask = files.enter_context(_known(tmp_path / "known.tif", optical))
            scene, masks = CloudyScene(optical, mask), files.enter_context(made_masks())
            options = RemoveOptions(s2=today, references=dates)
            chosen = open_references(options, scene, masks, InputFiles(), files, silent)
            with refined_mask(scene, chosen.references, dilation, silent) as found:
                return found.classes(WHOLE) if found else None

        yield of


def _known(path: Path, optical: OpticalScene) -> MaskFile:
    classes = np.zeros((1, SIDE, SIDE), np.uint8)
    classes[0][CLOUD] = MaskClass.CLOUD
    with CogWriter(path, optical.grid, mask_profile()) as file:
        file.write(WHOLE, classes)
    return MaskFile(path, optical.grid, EAST)


def _changed(path: Path, part: tuple[slice, slice], factor: float) -> Path:
    """The scene with a part so many times as bright."""
    with rasterio.open(path, "r+") as file:
        numbers = file.read()
        numbers[:, *part] = np.clip(numbers[:, *part] * factor, 1, 65535)
        file.write(numbers)
    return path


@pytest.fixture
def today(tmp_path: Path) -> Path:
    """A cloud, of which the mask misses the right part."""
    return write_date(tmp_path / "s2_20220605.tif", (CLOUD[0], slice(20, 76)))


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    return write_date(tmp_path / "s2_20220526.tif")


def test_the_part_of_a_cloud_that_is_missed_is_found(
    refined: Callable[..., Mask | None], today: Path, earlier: Path
) -> None:
    found = refined(today, earlier)
    assert found is not None
    assert (found[MISSED] == MaskClass.CLOUD).mean() > 0.95
    outside = np.ones((SIDE, SIDE), bool)
    outside[CLOUD] = outside[MISSED] = False
    assert (found[outside] == MaskClass.CLEAR).all()


def test_a_bright_place_far_from_clouds_stays(
    refined: Callable[..., Mask | None], tmp_path: Path, earlier: Path
) -> None:
    path = write_date(tmp_path / "s2_20220605.tif", CLOUD)
    white = write_date(tmp_path / "white.tif", FAR_OFF)
    with rasterio.open(white) as file, rasterio.open(path, "r+") as scene:
        numbers, bright = scene.read(), file.read()
        numbers[:, *FAR_OFF] = bright[:, *FAR_OFF]
        scene.write(numbers)
    found = refined(path, earlier)
    assert found is not None and (found[FAR_OFF] == MaskClass.CLEAR).all()


def test_dark_ground_is_shadow_where_a_cloud_throws_one(
    refined: Callable[..., Mask | None], tmp_path: Path, earlier: Path
) -> None:
    left, right = (slice(20, 60), slice(4, 18)), (slice(20, 60), slice(90, 110))
    path = write_date(tmp_path / "s2_20220605.tif", CLOUD)
    found = refined(_changed(_changed(path, left, 0.4), right, 0.4), earlier)
    assert found is not None
    assert (found[left] == MaskClass.SHADOW).mean() > 0.9
    assert (found[right] == MaskClass.CLEAR).all()


def test_it_is_dilated_as_asked_for(
    refined: Callable[..., Mask | None], today: Path, earlier: Path
) -> None:
    plain, wider = refined(today, earlier), refined(today, earlier, dilation="40m")
    assert plain is not None and wider is not None
    assert (wider[40, 76:80] == MaskClass.CLOUD).all() and wider[40, 81] == MaskClass.CLEAR
    assert (wider[plain == MaskClass.CLOUD] == MaskClass.CLOUD).all()


def test_without_the_infrared_there_is_nothing_to_tell_by(
    refined: Callable[..., Mask | None], tmp_path: Path, today: Path
) -> None:
    colours = write_date(tmp_path / "s2_20220526.tif", bands=("B04", "B03", "B02"))
    assert refined(today, colours) is None


def test_remove_fills_by_the_refined_mask_and_writes_it(tmp_path: Path, earlier: Path) -> None:
    """Thin cloud beside a cloud, which its mask misses, is filled."""
    thin = (slice(24, 56), slice(66, 90))
    path = write_date(tmp_path / "s2_20220605.tif", CLOUD)
    with rasterio.open(path, "r+") as file:
        numbers = file.read()
        numbers[:, *thin] = np.clip(numbers[:, *thin] + 350, 1, 65535)
        file.write(numbers)
    options = RemoveOptions(s2=path, output=tmp_path / "out.tif", write_mask=True, fill_by="scene")
    run(options, silent)
    by_itself = _read(tmp_path / "out_mask.tif")
    run(RemoveOptions(**{**vars(options), "overwrite": True, "references": (earlier,)}), silent)
    with_date = _read(tmp_path / "out_mask.tif")
    inside = (slice(28, 52), slice(70, 86))
    assert (with_date[inside] == MaskClass.CLOUD).mean() > 0.95
    assert (by_itself[inside] == MaskClass.CLOUD).mean() < 0.5
    with rasterio.open(tmp_path / "out_mask.tif") as file:
        assert file.tags()["MASK_REFERENCES"] == "1"
    original, filled = _read(earlier), _read(tmp_path / "out.tif")
    assert np.abs(filled[inside].astype(int) - original[inside]).mean() < 150


def _read(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read(OPTICAL_BANDS.index("B04") + 1 if file.count > 1 else 1)
