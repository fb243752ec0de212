"""Inputs of a removal are opened, with what belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from cloudfree.commands.input_files import InputFiles
from cloudfree.commands.remove.opened import Opened, open_inputs
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.displacement import NO_SHIFT
from cloudfree.core.terminal import silent
from cloudfree.sentinel1.mosaic import open_sar_sources
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.dates_of_a_place import SIDE, write_date
from tests.factories.rasters import write_radar

CLOUD = (slice(40, 80), slice(40, 80))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Opens a scene of 5 June with a cloud in its middle."""
    path = write_date(tmp_path / "s2_20220605.tif", CLOUD)
    with ExitStack() as files:

        def opener(**options: Any) -> Opened:
            optical = files.enter_context(OpticalScene(path, 0.0))
            given = RemoveOptions(s2=path, **options)
            sar = files.enter_context(open_sar_sources(given.s1)) if given.s1 else None
            return open_inputs(given, sar, optical, InputFiles(), files, silent)

        yield opener


def test_a_mask_is_made_if_none_is_given(opened: Callable[..., Opened]) -> None:
    scene = opened().scene
    assert scene.to_fill(scene.optical.grid.window)[CLOUD].all()


def test_all_pixels_are_filled_without_a_mask(opened: Callable[..., Opened]) -> None:
    assert opened(replace="all").scene.mask is None


def test_masks_are_kept_in_a_folder_dilated_and_not(
    opened: Callable[..., Opened], tmp_path: Path
) -> None:
    (tmp_path / "masks").mkdir()
    opened(masks=tmp_path / "masks")
    dilations = set()
    for path in (tmp_path / "masks").glob("*.tif"):
        with rasterio.open(path) as mask:
            dilations.add(mask.tags()["MASK_DILATE"])
    assert dilations == {"0", "40m"}


def test_without_radar_nothing_is_shifted(opened: Callable[..., Opened]) -> None:
    found = opened()
    assert found.sar is None
    assert found.measurement.applied_shift == NO_SHIFT
    assert found.measurement.reason == "no Sentinel-1 is used"


def test_the_stack_has_the_scene_its_radar_and_references(
    opened: Callable[..., Opened], tmp_path: Path
) -> None:
    earlier = write_date(tmp_path / "s2_20220604.tif")
    radar = write_radar(tmp_path / "s1.tif", SIDE, SIDE)
    stack = opened(references=(earlier,), s1=(radar,), shift="none").stack
    assert [one.name for one in stack.references] == [earlier.name]
    window = opened().scene.optical.grid.window
    assert np.isnan(stack.today(window)[:, *CLOUD]).all()
    assert np.isfinite(stack.reference(0, window)[:, *CLOUD]).all()
    assert stack.radar(window) is not None
