"""A result is known by what it was made from."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudfree.commands.batch.fingerprints import Fingerprint, fingerprints, read_records
from cloudfree.commands.batch.options import BatchOptions
from cloudfree.commands.batch.workers import SceneJob
from cloudfree.inference.load import find_card
from cloudfree.inference.registry import DEFAULT_MODEL

CARD = find_card(DEFAULT_MODEL).card


@pytest.fixture
def job(tmp_path: Path) -> SceneJob:
    """A scene with radar and a reference, as files that are only looked at from outside."""
    for name in ("s2", "s1", "may"):
        (tmp_path / f"{name}.tif").write_text(name)
    options = _options(tmp_path).remove_options
    scene = options(_pair(tmp_path, "s2", "s1"), [_pair(tmp_path, "may", None)])
    return SceneJob("june", scene, others=("may",))


def _options(folder: Path, **given: Any) -> BatchOptions:
    return BatchOptions(source=folder, output=folder / "out", **given)


def _pair(folder: Path, s2: str, s1: str | None) -> Any:
    from cloudfree.commands.batch.scenes import ScenePair

    return ScenePair(s2, folder / f"{s2}.tif", folder / f"{s1}.tif" if s1 else None)


def _print(job: SceneJob, **given: Any) -> Fingerprint:
    options = _options(job.options.s2.parent, **given)
    return fingerprints([job], options, CARD)["june"]


def _difference(job: SceneJob, record: dict[str, Any], **given: Any) -> str:
    return _print(job, **given).difference(json.loads(json.dumps(record)))


def test_nothing_differs_where_nothing_changed(job: SceneJob) -> None:
    record = _print(job).record(["may"])
    assert _difference(job, record) == ""
    moved = job.options.s2.rename(job.options.s2.with_name("elsewhere.tif"))
    assert _difference(replace(job, options=replace(job.options, s2=moved)), record) == ""


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ({"tile": 128}, False), ({"adapt": True}, False), ({"precision": "fp32"}, False),
        ({"max_age": 30.0}, False), ({"references": "2"}, False), ({"mask": "scl"}, True),
        ({"stac": True}, False),
        ({"device": "cuda"}, True), ({"batch_size": 2}, True), ({"jobs": 2}, True),
        ({"overwrite": True}, True), ({"retries": 3}, True), ({"shard": "1/2"}, True),
    ],
    ids=str,
)  # fmt: skip
def test_options_that_change_pixels_are_part_of_it(
    job: SceneJob, given: dict[str, Any], same: bool
) -> None:
    difference = _difference(job, _print(job).record([]), **given)
    assert difference == ("" if same else "with other options")


def test_another_model_of_the_same_name_is_another_option(job: SceneJob) -> None:
    record = _print(job).record([])
    retrained = replace(CARD, weights_sha256="0" * 64)
    found = fingerprints([job], _options(job.options.s2.parent), retrained)["june"]
    assert found.difference(record) == "with other options"


def test_files_that_changed_are_named(job: SceneJob) -> None:
    record = _print(job).record(["may"])
    os.utime(job.options.s2, ns=(1, 1))
    job.options.references[0].write_text("longer than it was")
    assert _difference(job, record) == "from another s2 and reference may"


def test_a_mask_that_was_added_is_another_input(job: SceneJob, tmp_path: Path) -> None:
    record = _print(job).record([])
    (tmp_path / "mask.tif").touch()
    masked = replace(job, options=replace(job.options, mask=tmp_path / "mask.tif"))
    assert _difference(masked, record) == "from another mask"


def test_references_that_came_or_went_make_nothing_old(job: SceneJob) -> None:
    with_may, without = _print(job).record(["may"]), _print(job).record([])
    alone = replace(job, options=replace(job.options, references=()), others=())
    assert _difference(job, without) == ""
    assert _difference(alone, with_may) == ""


def test_an_item_of_a_collection_is_known_by_its_file_and_its_id(
    job: SceneJob, tmp_path: Path
) -> None:
    items = tmp_path / "items.json"
    items.write_text("{}")

    def named(name: str) -> SceneJob:
        return replace(job, options=replace(job.options, s2=Path(f"{items}#{name}")))

    record = _print(named("a")).record([])
    assert _difference(named("a"), record) == ""
    assert _difference(named("b"), record) == "from another s2"
    items.write_text("[]  ")
    assert _difference(named("a"), record) == "from another s2"


def test_a_product_is_known_by_all_its_files(job: SceneJob, tmp_path: Path) -> None:
    safe = tmp_path / "product.SAFE"
    (safe / "GRANULE").mkdir(parents=True)
    (safe / "GRANULE" / "B02.jp2").write_text("band")
    of_product = replace(job, options=replace(job.options, s2=safe))
    record = _print(of_product).record([])
    (safe / "GRANULE" / "B02.jp2").write_text("another band")
    assert _difference(of_product, record) == "from another s2"


def _line(name: str, ended: str, state: str = "filled", **more: Any) -> str:
    entries = {"options_digest": "x", "input_digests": {}, "reference_digests": {}, **more}
    return json.dumps({"name": name, "ended": ended, "state": state, **entries})


def test_the_last_record_of_all_logs_counts(tmp_path: Path) -> None:
    lines = [
        _line("a", "2026-01-02", options_digest="newer"),
        _line("b", "2026-01-01"),
        _line("b", "2026-01-03", state="failed"),
        json.dumps({"name": "c", "ended": "2026-01-01", "state": "filled"}),
        '{"name": "d", "ended": "2026-0',
    ]
    (tmp_path / "batch.jsonl").write_text("\n".join(lines))
    (tmp_path / "batch-1-of-2.jsonl").write_text(_line("a", "2026-01-01", options_digest="old"))
    found = read_records(tmp_path)
    assert {name: record["options_digest"] for name, record in found.items()} == {
        "a": "newer", "b": "x",
    }  # fmt: skip


def test_a_folder_without_logs_has_no_records(tmp_path: Path) -> None:
    assert read_records(tmp_path / "none") == {}
