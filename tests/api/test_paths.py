"""The functions on paths: their keywords are those of the commands, and they run them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import cloudfree
from cloudfree.api import paths
from cloudfree.commands.coregister.options import CoregisterOptions
from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.commands.mask.options import MaskOptions
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.choices import MaskSettings
from cloudfree.core.grid import Window
from tests.factories.areas import bounds_of, write_area
from tests.factories.rasters import write_cloudy_scene


@pytest.mark.parametrize(
    ("keywords", "options", "arguments"),
    [
        (paths.MaskRules, MaskSettings, set()),
        (paths.MaskKeywords, MaskOptions, {"scene"}),
        (paths.CoregisterKeywords, CoregisterOptions, {"s1", "s2"}),
        (paths.RemoveKeywords, RemoveOptions, {"s1", "s2", "masks", "of_batch", "kept"}),
        (paths.EvaluateKeywords, EvaluateOptions, {"data", "model"}),
    ],
    ids=["rules", "mask", "coregister", "remove", "evaluate"],
)
def test_keywords_are_the_options_of_the_command(
    keywords: type, options: Any, arguments: set[str]
) -> None:
    hints = get_type_hints(keywords)
    fields = {field.name: field for field in dataclasses.fields(options)}
    assert hints.keys() | arguments == fields.keys()
    assert not hints.keys() & arguments
    files = {name for name, hint in hints.items() if "PathLike" in str(hint)} - {"model"}
    assert files == {name for name in hints if "Path" in str(fields[name].type)}
    assert files <= paths._FILES


def test_a_keyword_that_is_not_known_is_refused() -> None:
    with pytest.raises(
        TypeError,
        match="unexpected keyword 'dilated'; known are allow_remote, aoi, bbox, creation_options",
    ):
        cloudfree.mask("a.tif", dilated="40m")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cloudfree.remove("a", "b", shift="off"), "shift='off'; wanted one of auto, none;"),
        (
            lambda: cloudfree.evaluate("a", "b", protocol="x"),
            "protocol='x'; wanted one of native, ",
        ),
    ],
    ids=["choice", "choice or none"],
)
def test_a_value_that_is_none_of_the_choices_is_refused(call: Any, message: str) -> None:
    with pytest.raises(cloudfree.InputError) as error:
        call()
    assert str(error.value).startswith(message)


def test_a_scene_is_scored_by_paths(folder: Path) -> None:
    found = cloudfree.evaluate(folder, ["cloudfree-s"], patch=160, device="cpu", limit=1)
    assert {row.method for row in found.of_kind("pixels")} == {
        "do nothing", "cloudfree-s, raw", "cloudfree-s, written",
    }  # fmt: skip


def test_progress_is_a_callback(folder: Path) -> None:
    seen: dict[str, int] = {}

    def count(steps: Iterable[Any], total: int, what: str, unit: str = "step") -> Iterator[Any]:
        seen[what] = total
        yield from steps

    cloudfree.mask(folder / "s2_cloudy.tif", output=folder / "count.tif", progress=count)
    assert seen == {"cloud detector default": 1, "cloud mask": 1}


def test_references_are_one_path_or_several() -> None:
    known = paths.RemoveKeywords
    one = paths.checked_keywords(known, {"references": "a"})
    several = paths.checked_keywords(known, {"references": ["a", "b.tif"]})
    assert one == {"references": (Path("a"),)}
    assert several == {"references": (Path("a"), Path("b.tif"))}


def test_radar_is_one_path_or_several() -> None:
    assert paths._paths("a.tif") == (Path("a.tif"),)
    assert paths._paths(["a.tif", Path("b.tif")]) == (Path("a.tif"), Path("b.tif"))


def test_a_mask_of_an_area_is_written(tmp_path: Path) -> None:
    scene, part = write_cloudy_scene(tmp_path / "l1c.tif"), Window(10, 20, 30, 40)
    field = write_area(tmp_path / "field.geojson", part)
    for number, area in enumerate(({"bbox": bounds_of(part)}, {"aoi": str(field)})):
        result = cloudfree.mask(scene, output=tmp_path / f"{number}.tif", **area)
        assert result.pixels == 30 * 40


def test_a_mask_is_a_path_or_the_word_for_that_of_the_product() -> None:
    known = paths.RemoveKeywords
    assert paths.checked_keywords(known, {"mask": "scl"}) == {"mask": "scl"}
    assert paths.checked_keywords(known, {"mask": "a/scl.tif"}) == {"mask": Path("a/scl.tif")}
    assert paths.checked_keywords(known, {"mask": None}) == {"mask": None}
