"""A scene and its references in files are a stack of what is known of the ground."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from cloudfree.commands.input_files import InputFiles
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.made_masks import made_masks
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.references.open_references import open_references
from cloudfree.commands.remove.references.scene_stack import SceneStack
from cloudfree.core.displacement import Shift
from cloudfree.core.grid import Window, strips
from cloudfree.core.terminal import silent
from cloudfree.gapfilling.stack import Stack
from cloudfree.sentinel1.sar_source import open_sar_source
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.dates_of_a_place import SIDE, write_date
from tests.factories.rasters import write_radar

MIDDLE = (slice(None), slice(40, 80))
BANDS = ("B04", "B03", "B02", "B08")
WHOLE = Window(0, 0, SIDE, SIDE)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[CloudyScene]:
    """A scene of 5 June with a cloud in its middle."""
    path = write_date(tmp_path / "s2_20220605.tif", MIDDLE)
    with ExitStack() as files:
        optical = files.enter_context(OpticalScene(path, 0.0))
        masks = files.enter_context(made_masks())
        mask = masks.open(optical, RemoveOptions(s2=path).mask_settings, silent)
        yield CloudyScene(optical, files.enter_context(mask))


@pytest.fixture
def stack(tmp_path: Path, scene: CloudyScene) -> Iterator[Stack]:
    """The scene with a date as it is, one that is moved and has few bands, and radar."""
    first = write_date(tmp_path / "s2_20220604.tif")
    second = write_date(tmp_path / "s2_20220520.tif", moved=(1.5, -2.0), bands=BANDS)
    radar = write_radar(tmp_path / "s1_20220519.tif", SIDE, SIDE)
    options = RemoveOptions(
        s2=scene.optical.path, references=(first, second), reference_s1=(radar,), max_gap=10
    )
    with ExitStack() as files:
        masks = files.enter_context(made_masks())
        chosen = open_references(options, scene, masks, InputFiles(), files, silent)
        sar = files.enter_context(open_sar_source(radar))
        yield SceneStack(scene, chosen.references, sar, Shift(1.0, 0.0))


def test_it_has_the_size_and_bands_of_the_scene(stack: Stack, scene: CloudyScene) -> None:
    assert (stack.height, stack.width, stack.bands) == (SIDE, SIDE, scene.optical.bands)
    assert [one.name for one in stack.references] == ["s2_20220604.tif", "s2_20220520.tif"]
    assert stack.references[1].bands == ("B02", "B03", "B04", "B08")
    assert [round(one.days or 0) for one in stack.references] == [-1, -16]


def test_today_is_what_is_clear_today(stack: Stack, scene: CloudyScene) -> None:
    today = stack.today(WHOLE)
    hidden = scene.to_fill(WHOLE)
    assert hidden.any() and np.array_equal(np.isnan(today), np.broadcast_to(hidden, today.shape))
    seen = scene.optical.reflectance(stack.bands, WHOLE)
    np.testing.assert_array_equal(today[:, ~hidden], seen[:, ~hidden])


def test_references_show_the_same_ground_in_their_own_bands(
    stack: Stack, scene: CloudyScene
) -> None:
    today = stack.today(WHOLE)
    first, second = (stack.reference(number, WHOLE) for number in (0, 1))
    clear = np.isfinite(today[0])
    np.testing.assert_array_equal(first[:, clear], today[:, clear])
    positions = [stack.bands.index(band) for band in stack.references[1].bands]
    both = np.isfinite(second).all(axis=0) & clear
    both[:4], both[-4:], both[:, :4], both[:, -4:] = False, False, False, False
    assert both.mean() > 0.4
    np.testing.assert_allclose(second[:, both], today[positions][:, both], atol=0.02)


def test_radar_is_of_the_scene_and_of_the_references_of_its_time(stack: Stack) -> None:
    own, other = stack.radar(WHOLE), stack.reference_radar(1, WHOLE)
    assert own is not None and other is not None
    assert own.shape == other.shape == (2, SIDE, SIDE)
    np.testing.assert_allclose(own[:, :-1], other[:, 1:], atol=1e-3)
    assert stack.reference_radar(0, WHOLE) is None


def test_without_radar_there_is_none(scene: CloudyScene) -> None:
    stack = SceneStack(scene, ())
    assert (stack.references, stack.radar(WHOLE)) == ((), None)


def test_strips_with_a_halo_are_the_rows_of_the_whole(stack: Stack) -> None:
    readers = (stack.today, lambda window: stack.reference(1, window), stack.radar)
    for read in readers:
        whole = read(WHOLE)
        assert whole is not None
        for strip in strips(SIDE, SIDE, 30):
            outer = strip.buffered(8, SIDE, SIDE)
            part = read(outer)
            assert part is not None
            np.testing.assert_allclose(part, whole[:, *outer.slices], atol=1e-4)
