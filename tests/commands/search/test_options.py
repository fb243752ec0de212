"""The options of a search, and its list."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudfree.commands.batch.scenes import ScenePair, read_scene_list
from cloudfree.commands.search.options import FoundScene, SearchOptions, SearchResult
from cloudfree.errors import InputError
from cloudfree.raster.reach import remote_allowed

SCENE = FoundScene(
    "S2B, June", "scene", "https://host/items/S2B?a,b", "https://host/items/S1A",
    datetime(2022, 6, 5, tzinfo=UTC), 12.4, 1.0, 0.72,
)  # fmt: skip
ALONE = FoundScene(
    "S2A", "reference", "https://host/items/S2A", None, datetime(2022, 5, 1, tzinfo=UTC), None,
    0.5, None,
)  # fmt: skip


def test_batch_reads_the_list(tmp_path: Path) -> None:
    text = SearchResult((SCENE, ALONE)).summary()
    assert text.splitlines()[0] == "s2,s1,name"
    path = tmp_path / "list.csv"
    path.write_text(f"{text}\n")
    with remote_allowed(True):
        assert read_scene_list(path) == [
            ScenePair("S2B, June", Path(SCENE.s2), Path("https://host/items/S1A")),
            ScenePair("S2A", Path(ALONE.s2), None),
        ]


def test_a_scene_is_described_in_a_line() -> None:
    assert SCENE.words() == (
        "scene S2B, June of 2022-06-05: covers 100%, 12 % cloud, Sentinel-1 0.7 days"
    )
    assert ALONE.words() == "reference S2A of 2022-05-01: covers 50%, no Sentinel-1 near"


def test_more_references_than_remove_takes_are_refused() -> None:
    with pytest.raises(InputError, match="--references 9; wanted 0 to 8; 4 are enough"):
        SearchOptions(api="x", bbox=(0, 0, 1, 1), date="2022-06-05", references=9)
