"""Scenes are shared out among machines so that each one is somebody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.batch.options import BatchOptions, SceneOutcome, Shard
from cloudfree.commands.batch.scenes import ScenePair
from cloudfree.commands.options import ReferenceOptions
from cloudfree.commands.remove.options import RemoveOptions
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


def _options(**given: Any) -> BatchOptions:
    return BatchOptions(source=Path("in"), output=Path("out"), **given)


@pytest.mark.parametrize(
    ("text", "most"),
    [("auto", ReferenceOptions.max_references), ("none", 0), ("1", 1), ("7", 7)],
)
def test_references_are_a_word_or_a_number(text: str, most: int) -> None:
    assert _options(references=text).max_references == most


@pytest.mark.parametrize("text", ["0", "-1", "all", "", "1.5", "1000"])
def test_other_references_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=f"--references {text}; wanted auto, none, or 1 to "):
        _options(references=text)


def test_an_age_is_that_of_remove() -> None:
    with pytest.raises(InputError, match="--max-age 0; wanted a positive number of days"):
        _options(max_age=0.0)


SCENE = ScenePair("a", Path("a_s2.tif"), Path("a_s1.tif"))


def test_other_scenes_are_references_and_their_radar_is_that_of_references() -> None:
    others = [ScenePair("b", Path("b_s2.tif"), Path("b_s1.tif")), ScenePair("c", Path("c_s2.tif"))]
    options = _options(references="2", max_age=50.0, any_level=True)
    assert options.remove_options(SCENE, others) == RemoveOptions(
        s2=Path("a_s2.tif"), s1=(Path("a_s1.tif"),), output=Path("out/a_cloudfree.tif"),
        references=(Path("b_s2.tif"), Path("c_s2.tif")), reference_s1=(Path("b_s1.tif"),),
        max_references=2, max_age=50.0, any_level=True, of_batch=True,
    )  # fmt: skip


def test_a_scene_alone_at_its_place_is_filled_as_without_references() -> None:
    alone = _options(max_age=50.0, any_level=True).remove_options(SCENE)
    assert alone == _options(references="none").remove_options(SCENE)


def test_an_outcome_names_its_references() -> None:
    outcome = SceneOutcome(
        "a", "filled", SCENE.s2, SCENE.s1, Path("a.tif"), 2.0, 0.25, references=("b", "c")
    )
    assert outcome.summary() == "a: filled, 25.0% of the pixels, references b, c, 2 s"
