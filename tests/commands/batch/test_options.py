"""Scenes are shared out among machines so that each one is somebody's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.batch.options import Shard
from cloudfree.errors import InputError

TASK = {
    "SLURM_ARRAY_TASK_ID": "7",
    "SLURM_ARRAY_TASK_COUNT": "3",
    "SLURM_ARRAY_TASK_MIN": "3",
    "SLURM_ARRAY_TASK_STEP": "2",
}


@given(items=st.lists(st.integers(), unique=True), count=st.integers(1, 20))
def test_each_item_is_in_exactly_one_part(items: list[int], count: int) -> None:
    parts = [Shard(index, count).part(items) for index in range(1, count + 1)]
    assert sorted(item for part in parts for item in part) == sorted(items)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_all_is_in_the_only_part() -> None:
    assert Shard().part("abc") == "abc"


@given(count=st.integers(1, 1000), data=st.data())
def test_a_shard_reads_as_it_is_written(count: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(1, count))
    assert Shard.from_text(f"{index}/{count}", {}) == Shard(index, count)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "3", "1/3/5", "-1/3", "", "Slurm"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=f"--shard {text}; wanted I/N with I from 1 to N, or sl"):
        Shard.from_text(text, TASK)


def test_tasks_of_an_array_are_numbered_from_its_first_in_its_steps() -> None:
    assert Shard.from_text("slurm", TASK) == Shard(3, 3)
    assert Shard.from_text("slurm", {**TASK, "SLURM_ARRAY_TASK_ID": "3"}) == Shard(1, 3)


def test_steps_are_of_one_where_slurm_gives_none() -> None:
    environment = {name: text for name, text in TASK.items() if not name.endswith("STEP")}
    assert Shard.from_text("slurm", {**environment, "SLURM_ARRAY_TASK_ID": "4"}) == Shard(2, 3)


def test_an_array_with_gaps_is_refused() -> None:
    with pytest.raises(InputError, match=r"--shard 4/3; .*for a Slurm array without gaps, slurm d"):
        Shard.from_text("slurm", {**TASK, "SLURM_ARRAY_TASK_ID": "9"})


def test_slurm_needs_an_array_job() -> None:
    with pytest.raises(InputError, match="no SLURM_ARRAY_TASK_ID in the environment; wanted a ta"):
        Shard.from_text("slurm", {})
