"""Laws of tiling: every pixel is seen, and a network that changes nothing changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.grid import Window, strips
from cloudfree.core.radiometry import Float32
from cloudfree.errors import InputError
from cloudfree.inference.model import Prediction
from cloudfree.inference.sliding_window import (
    BatchPredictor,
    StripAccumulator,
    TilePlan,
    predict_rows,
    tile_weight,
)
from tests.factories.patience import PATIENCE_S


@st.composite
def plans(draw: st.DrawFn, largest: int = 97) -> TilePlan:
    tile = draw(st.integers(1, 40))
    overlap = draw(st.integers(0, tile - 1))
    return TilePlan(draw(st.integers(1, largest)), draw(st.integers(1, largest)), tile, overlap)


@given(plans())
def test_every_pixel_is_in_a_tile_and_no_tile_leaves_the_scene(plan: TilePlan) -> None:
    seen = np.zeros((plan.height, plan.width), dtype=int)
    for tile in plan:
        assert tile.row_stop <= plan.height
        assert tile.col_stop <= plan.width
        seen[tile.slices] += 1
    assert (seen > 0).all()


@given(plans())
def test_tiles_are_whole_and_overlap_as_asked(plan: TilePlan) -> None:
    assert {(tile.height, tile.width) for tile in plan} == {
        (min(plan.tile, plan.height), min(plan.tile, plan.width))
    }
    for starts in (plan.rows, plan.cols):
        assert all(b - a <= plan.tile - plan.overlap for a, b in pairwise(starts))
        assert starts == sorted(set(starts))


def test_an_overlap_as_large_as_the_tile_is_refused() -> None:
    with pytest.raises(InputError, match="an overlap of 64 pixels for tiles of 64"):
        TilePlan(100, 100, 64, 64)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 200))
def test_weights_are_positive_symmetric_and_at_most_one(h: int, w: int, overlap: int) -> None:
    weight = tile_weight(h, w, overlap)
    assert weight.shape == (h, w)
    assert weight.min() > 0
    assert weight.max() <= 1
    assert np.allclose(weight, weight[::-1, ::-1])


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 70))
def test_strips_cover_a_raster_once(height: int, width: int, rows: int) -> None:
    seen = np.zeros((height, width), dtype=int)
    for strip in strips(height, width, rows):
        seen[strip.slices] += 1
    assert (seen == 1).all()


def _scene(plan: TilePlan) -> Float32:
    """Two bands whose values tell their own place."""
    rows, cols = np.mgrid[: plan.height, : plan.width].astype(np.float32)
    return np.stack([rows, cols])


@dataclass(frozen=True)
class Tiles:
    """Functions as a scene; tiles and rows are read alike unless `read_rows` is given."""

    read: Callable[[Window], Any]
    is_needed: Callable[[Window], bool] = lambda _: True
    read_rows: Callable[[Window], Any] | None = None

    def needed(self, tile: Window) -> bool:
        return self.is_needed(tile)

    def load(self, tile: Window) -> Any:
        return self.read(tile)

    def load_rows(self, window: Window) -> Any:
        return (self.read_rows or self.read)(window)


def _network(run: Callable[[Sequence[Float32]], Sequence[Float32]], **sizes: int) -> Any:
    """A function of arrays as a predictor."""
    return BatchPredictor(lambda tiles: [Prediction(image) for image in run(tiles)], **sizes)


def _merger(plan: TilePlan, bands: int = 1) -> StripAccumulator:
    return StripAccumulator.for_plan(plan, bands)


def _predict(
    plan: TilePlan, scene: Float32, run, needed=lambda tile: True, batch=3, parallel_batches=1
) -> Float32:
    out = np.full_like(scene, -1.0)
    seen = np.zeros(scene.shape[1:], dtype=int)

    def read(window: Window) -> Float32:
        return scene[:, *window.slices]

    network = _network(run, batch_size=batch, parallel_batches=parallel_batches)
    with predict_rows(plan, Tiles(read, needed), network, _merger(plan, len(scene))) as predicted:
        for window, prediction, rows in predicted:
            assert np.array_equal(rows, read(window)), "rows come with what was loaded for them"
            assert prediction.variance is None
            out[:, *window.slices] = prediction.mean
            seen[window.slices] += 1
    assert (seen == 1).all(), "every pixel is written exactly once"
    return out


@given(plans(), st.integers(1, 5))
def test_an_identity_network_returns_the_scene(plan: TilePlan, batch: int) -> None:
    scene = _scene(plan)
    assert np.allclose(_predict(plan, scene, lambda tiles: tiles, batch=batch), scene, atol=1e-4)


@given(plans(largest=60))
def test_a_doubling_network_doubles(plan: TilePlan) -> None:
    scene = _scene(plan)
    assert np.allclose(_predict(plan, scene, lambda t: [2 * x for x in t]), 2 * scene, atol=1e-3)


@given(plans(largest=60))
def test_a_tile_that_is_not_needed_is_neither_read_nor_run(plan: TilePlan) -> None:
    scene, run = _scene(plan), []

    def record(tiles: Sequence[Float32]) -> Sequence[Float32]:
        run.extend(tile[:, 0, 0].tolist() for tile in tiles)
        return tiles

    def top(tile: Window) -> bool:
        return tile.row == 0

    out = _predict(plan, scene, record, needed=top)
    reach = min(plan.tile, plan.height)
    assert {place[0] for place in run} == {0.0}
    assert len(run) == len(plan.cols)
    assert np.allclose(out[:, :reach], scene[:, :reach], atol=1e-4)
    assert np.isnan(out[:, reach:]).all()


def test_two_tiles_that_disagree_meet_smoothly() -> None:
    plan = TilePlan(1, 100, 60, 20)
    scene = np.zeros((1, 1, 100), dtype=np.float32)
    values = iter([0.0, 1.0])
    out = _predict(plan, scene, lambda tiles: [tile + next(values) for tile in tiles], batch=1)
    assert (out[0, 0, :40] == 0).all()
    assert (out[0, 0, 60:] == 1).all()
    steps = np.diff(out[0, 0])
    assert steps.min() >= 0
    assert steps.max() < 0.1


@pytest.mark.parametrize("fault", ["load", "run", "rows"])
def test_a_fault_in_reading_or_running_stops_the_work_with_its_own_message(fault: str) -> None:
    plan = TilePlan(90, 90, 30, 5)

    def fail(what: str):
        def act(value):
            if what == fault:
                raise OSError(f"{what} broke")
            return value

        return act

    load, run, rows = fail("load"), fail("run"), fail("rows")
    with (
        pytest.raises(OSError, match=f"{fault} broke"),
        predict_rows(
            plan,
            Tiles(
                lambda tile: load(np.zeros((1, tile.height, tile.width), np.float32)),
                read_rows=rows,
            ),
            _network(run),
            _merger(plan),
        ) as predicted,
    ):
        list(predicted)


def test_stopping_early_leaves_no_thread_though_the_error_is_kept() -> None:
    plan, before = TilePlan(300, 30, 30, 5), set(threading.enumerate())

    def load(window: Window) -> Float32:
        return np.zeros((1, window.height, window.width), np.float32)

    network = _network(lambda tiles: tiles, parallel_batches=2)
    with (
        pytest.raises(OSError, match="disk full") as error,
        predict_rows(plan, Tiles(load), network, _merger(plan)) as rows,
    ):
        next(rows)
        raise OSError("disk full")
    assert error.traceback
    assert set(threading.enumerate()) <= before


@given(st.integers(1, 5), st.integers(1, 6))
def test_batches_that_are_too_much_are_halved_and_nothing_else_changes(
    room: int, batch: int
) -> None:
    plan = TilePlan(70, 130, 30, 5)
    scene = _scene(plan)

    def crowded(tiles: Sequence[Float32]) -> Sequence[Float32]:
        if len(tiles) > room:
            raise MemoryError("too much")
        return [2 * tile for tile in tiles]

    whole = _predict(plan, scene, lambda tiles: [2 * tile for tile in tiles], batch=batch)
    assert np.array_equal(_predict(plan, scene, crowded, batch=batch), whole)


@given(plans(largest=70), st.integers(1, 3), st.integers(1, 4))
def test_batches_side_by_side_change_nothing(
    plan: TilePlan, batch: int, parallel_batches: int
) -> None:
    def double(tiles: Sequence[Float32]) -> Sequence[Float32]:
        return [2 * tile for tile in tiles]

    scene = _scene(plan)
    together = _predict(plan, scene, double, batch=batch, parallel_batches=parallel_batches)
    assert np.array_equal(together, _predict(plan, scene, double, batch=batch))


@pytest.mark.parametrize("kept", [0, 1])
def test_fewer_predictions_than_tiles_are_an_error(kept: int) -> None:
    plan = TilePlan(30, 90, 30, 5)
    with pytest.raises(ValueError, match="shorter"):
        _predict(plan, _scene(plan), lambda tiles: tiles[:kept])


@pytest.mark.parametrize("ahead", [1, 2])
def test_so_many_batches_are_run_ahead_of_what_is_passed_on_and_no_more(ahead: int) -> None:
    plan, begun, second = TilePlan(300, 30, 30, 0), list[int](), threading.Event()

    def run(tiles: Sequence[Float32]) -> Sequence[Float32]:
        begun.append(len(tiles))
        if len(begun) >= 2:
            second.set()
        return tiles

    def load(window: Window) -> Float32:
        return np.zeros((1, window.height, window.width), np.float32)

    network = _network(run, batch_size=1, parallel_batches=ahead)
    with predict_rows(plan, Tiles(load), network, _merger(plan)) as rows:
        for passed_on, _ in enumerate(rows, start=1):
            assert second.wait(PATIENCE_S), "the second is run while the first is passed on"
            assert len(begun) <= passed_on + ahead
    assert begun == [1] * len(plan)


def test_one_thread_reads_the_whole_scene_so_that_files_are_opened_once() -> None:
    plan, threads = TilePlan(300, 90, 30, 5), set()

    def load(tile: Window) -> Float32:
        threads.add(threading.get_ident())
        return np.zeros((1, tile.height, tile.width), np.float32)

    network = _network(lambda tiles: tiles, batch_size=2)
    with predict_rows(plan, Tiles(load), network, _merger(plan)) as rows:
        assert len(list(rows)) == len(plan.rows)
    assert len(threads) == 1


def test_memory_is_one_row_of_tiles_whatever_the_height() -> None:
    plan = TilePlan(5000, 8, 32, 8)
    tiles = Tiles(lambda _: None, lambda _: False)
    with predict_rows(plan, tiles, _network(lambda _: []), _merger(plan)) as rows:
        windows = [window for window, _, _ in rows]
    assert max(window.height for window in windows) <= 32
    assert sum(window.height for window in windows) == 5000
