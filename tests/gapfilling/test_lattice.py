from __future__ import annotations

import numpy as np
import pytest

from cloudfree.core.grid import Window, strips
from cloudfree.core.terminal import silent
from cloudfree.gapfilling.lattice import MAX_NODES, STRIP_ROWS, Lattice, collect
from tests.factories.fields import ground, stack_of

STEPS = [1, 2, 3, 7]
SCENE = ground(0, 80)


@pytest.mark.parametrize(("side", "step"), [(64, 1), (387, 1), (388, 2), (10980, 29)])
def test_a_lattice_is_as_dense_as_memory_allows(side: int, step: int) -> None:
    assert Lattice.of_scene(side, side).step == step
    assert (side / step) ** 2 <= MAX_NODES


@pytest.mark.parametrize("step", STEPS)
def test_a_node_lies_at_whole_numbers_and_has_its_own_value_there(step: int) -> None:
    lattice = Lattice(step)
    nodes = lattice.nodes(SCENE, Window(0, 0, 80, 80))
    rows, cols = np.indices(nodes.shape[1:]).reshape(2, -1)
    first = lattice.first
    position = lattice.position(first + step * rows, first + step * cols)
    assert np.array_equal(position.rows, rows)
    assert np.array_equal(position.cols, cols)
    assert np.array_equal(position.of(nodes), nodes[:, rows, cols].T)


def test_halfway_between_nodes_is_their_mean_and_outside_is_the_nearest() -> None:
    field = np.array([[[0, 1], [2, 3]]], np.float32)
    position = Lattice(3).position(np.array([1, 2.5, 0]), np.array([2.5, 2.5, 0]))
    assert position.of(field)[:, 0] == pytest.approx([0.5, 1.5, 0], abs=0.05)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("height", [1, 5, 16, 80])
def test_strips_of_any_height_have_the_same_nodes(step: int, height: int) -> None:
    lattice = Lattice(step)
    found = [lattice.nodes(SCENE[:, *strip.slices], strip) for strip in strips(80, 80, height)]
    whole = lattice.nodes(SCENE, Window(0, 0, 80, 80))
    assert np.array_equal(np.concatenate(found, axis=1), whole)


@pytest.mark.parametrize("step", STEPS)
def test_nodes_around_a_window_are_all_that_its_pixels_lie_between(step: int) -> None:
    lattice, window = Lattice(step), Window(13, 22, 20, 9)
    spans = lattice.around(window)
    ends = np.array([window.row, window.row_stop - 1]), np.array([window.col, window.col_stop - 1])
    position = lattice.position(*ends)
    for span, part in zip(spans, (position.rows, position.cols), strict=True):
        assert span.start <= np.floor(part[0])
        assert span.stop > np.ceil(part[1])


def test_nodes_are_collected_across_strips() -> None:
    side = STRIP_ROWS + 16
    scene, other = ground(0, side), ground(1, side)
    radar = ground(2, side)[:2]
    stack = stack_of(scene, (other, other), radar=radar, radars=(radar, None))
    nodes = collect(stack, Lattice(3), silent)
    assert np.array_equal(nodes.today, scene[:, 1::3, 1::3])
    assert np.array_equal(nodes.observation.references[1][:3], other[:, 1::3, 1::3])
    assert nodes.observation.radar is not None
    assert nodes.observation.shape == nodes.observation.radar.shape[1:] == nodes.known.shape
    assert nodes.observation.changes[0] is not None
    assert nodes.observation.changes[1] is None
    assert nodes.known.all()


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_nodes_below_gaps_are_those_whose_pixels_are(step: int) -> None:
    rng = np.random.default_rng(step)
    lattice, whole = Lattice(step), np.zeros((60, 45), np.bool_)
    windows = (Window(0, 0, 20, 45), Window(17, 4, 31, 23), Window(50, 30, 10, 15))
    gaps = [(window, rng.random((window.height, window.width)) < 0.3) for window in windows]
    for window, gap in gaps:
        whole[window.slices] |= gap
    expected = lattice.nodes(whole[None].astype(np.float32), Window(0, 0, 60, 45))[0] > 0
    assert np.array_equal(lattice.below(gaps, expected.shape), expected)


def test_nodes_without_references_keep_radar_and_today() -> None:
    radar = ground(2)[:2]
    stack = stack_of(ground(0), (ground(1),), radar=radar, radars=(radar,))
    nodes = collect(stack, Lattice(1), silent)
    alone = nodes.without_references
    assert (alone.observation.references, alone.observation.changes) == ((), ())
    assert alone.observation.radar is nodes.observation.radar
    assert alone.today is nodes.today
