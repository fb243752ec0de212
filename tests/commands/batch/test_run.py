"""Every scene of a folder: each on its own, so that one that fails does not stop the others."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from cloudfree.commands.batch import retries
from cloudfree.commands.batch import run as batch
from cloudfree.commands.batch.options import BatchOptions, SceneOutcome, Shard
from cloudfree.commands.batch.workers import SceneJob, fill_scene
from cloudfree.commands.remove.run import RemoveOptions
from cloudfree.commands.remove.run import run as remove
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError, ModelError, OutputError
from tests.factories import counted_masks, killed_once
from tests.factories import sentinel1_products as sentinel1
from tests.factories import sentinel2_products as sentinel2
from tests.factories.dates_of_a_place import write_date
from tests.factories.rasters import TEN_METRES, write_cloudy_scene, write_radar


def _scene(folder: Path, name: str) -> None:
    write_cloudy_scene(folder / f"{name}_s2.tif", 64, 64)
    write_radar(folder / f"{name}_s1.tif", 64, 64)


def _options(folder: Path, **given: Any) -> BatchOptions:
    return BatchOptions(**{"source": folder / "in", "output": folder / "out", **given})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which two scenes are whole, one is broken and one has no radar."""
    (tmp_path / "in").mkdir()
    for name in "ab":
        _scene(tmp_path / "in", name)
    write_cloudy_scene(tmp_path / "in" / "alone_s2.tif", 64, 64)
    shutil.copy(tmp_path / "in" / "a_s1.tif", tmp_path / "in" / "broken_s1.tif")
    (tmp_path / "in" / "broken_s2.tif").write_text("no raster")
    return tmp_path


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[SceneJob]:
    """The scenes that would be filled; nothing is."""
    found: list[SceneJob] = []

    @contextmanager
    def in_processes(
        work: Callable[[SceneJob], SceneOutcome], jobs: Iterable[SceneJob], *_: object
    ) -> Iterator[Iterator[SceneOutcome]]:
        assert work is fill_scene
        todo = list(jobs)
        found.extend(todo)
        yield (replace(job.outcome(), state="filled") for job in todo)

    monkeypatch.setattr(batch, "in_processes", in_processes)
    return found


def test_scenes_are_filled_as_alone_and_faults_are_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cloudfree")
    result = batch.run(_options(folder, jobs=2, device="cpu"), silent)
    assert [(scene.name, scene.state) for scene in result.scenes] == [
        ("a", "filled"), ("alone", "failed"), ("b", "filled"), ("broken", "failed"),
    ]  # fmt: skip
    assert result.exit_code == 3
    first, *rest = result.summary().splitlines()
    assert first == f"4 scenes: 2 filled, 2 failed; {folder / 'out' / 'batch.jsonl'}"
    assert rest[0].startswith("  alone: failed: no Sentinel-1 scene; wanted VV and VH")
    assert rest[1].startswith("  broken: failed: ")
    assert "broken_s2.tif cannot be opened" in rest[1]
    whole = {f"{name}_cloudfree{more}.tif" for name in "ab" for more in ("", "_filled")}
    assert {path.name for path in (folder / "out").iterdir()} == {*whole, "batch.jsonl"}
    levels = {record.getMessage(): record.levelname for record in caplog.records}
    assert any(text.startswith("a: filled, ") for text in levels)
    assert levels[rest[0].strip()] == "ERROR"

    alone = RemoveOptions(
        s2=folder / "in" / "a_s2.tif", s1=(folder / "in" / "a_s1.tif",),
        output=folder / "alone.tif", device="cpu",
    )  # fmt: skip
    remove(alone, silent)
    pixels = []
    for path in (alone.result, folder / "out" / "a_cloudfree.tif"):
        with rasterio.open(path) as dataset:
            pixels.append(dataset.read().astype(int))
    assert np.abs(pixels[0] - pixels[1]).max() <= 1


def test_every_scene_has_its_mask_if_asked(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    _scene(tmp_path / "in", "a")
    result = batch.run(_options(tmp_path, write_mask=True, device="cpu"), silent)
    assert [(one.state, one.unfilled_fraction) for one in result.scenes] == [("filled", 0.0)]
    assert (tmp_path / "out" / "a_cloudfree_mask.tif").exists()


def test_products_are_filled_as_they_were_downloaded(tmp_path: Path) -> None:
    scene = sentinel2.Safe()
    sentinel2.write_zip(tmp_path / "in", scene)
    shutil.rmtree(tmp_path / "in" / "unpacked")
    corner = (sentinel2.CORNER[0] - 500, sentinel2.CORNER[1] + 500)
    radar = sentinel1.level_scene(200, 200, 0.1, corner_m=corner)
    sentinel1.zipped(sentinel1.write_safe(tmp_path / "in", radar))
    options = _options(tmp_path, replace="all", max_gap=500, device="cpu")
    result = batch.run(options, silent)
    (outcome,) = result.scenes
    assert (outcome.name, outcome.state) == (scene.name, "filled"), outcome.message
    assert outcome.filled_fraction > 0.99
    assert outcome.s1 == tmp_path / "in" / f"{sentinel1.NAME}.SAFE"
    with rasterio.open(outcome.output) as dataset:
        assert dataset.tags()["CLOUDFREE_S1"] == f"../in/{sentinel1.NAME}.SAFE"


def test_the_log_has_a_line_for_each_scene(folder: Path, seen: list[SceneJob]) -> None:
    batch.run(_options(folder), silent)
    batch.run(_options(folder), silent)
    lines = (folder / "out" / "batch.jsonl").read_text().splitlines()
    logged = [json.loads(line) for line in lines]
    assert [one["name"] for one in logged[:4]] == ["a", "alone", "b", "broken"]
    assert len(logged) >= 8, "it goes on where it is"
    assert logged[0]["s2"] == str(folder / "in" / "a_s2.tif")
    assert logged[0]["output"] == str(folder / "out" / "a_cloudfree.tif")
    assert logged[1]["s1"] is None
    assert logged[0]["ended"].endswith("+00:00")


def test_scenes_get_the_options_of_remove(folder: Path, seen: list[SceneJob]) -> None:
    batch.run(_options(folder, adapt=True, tile=128, max_gap=3.0, references="none"), silent)
    first = seen[0]
    assert first == SceneJob(
        "a",
        RemoveOptions(
            s2=folder / "in" / "a_s2.tif", s1=(folder / "in" / "a_s1.tif",),
            output=folder / "out" / "a_cloudfree.tif", adapt=True, tile=128, max_gap=3.0,
        ),
    )  # fmt: skip


def test_scenes_at_once_share_out_the_processors(
    folder: Path, seen: list[SceneJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    batch.run(_options(folder, jobs=5), silent)
    assert {job.threads for job in seen} == {3}


def test_a_list_names_scenes_and_their_masks(folder: Path, seen: list[SceneJob]) -> None:
    table = folder / "list.csv"
    table.write_text("s2,s1,mask,name\nin/a_s2.tif,in/b_s1.tif,in/mask.tif,first\n")
    batch.run(_options(folder, source=table), silent)
    (job,) = seen
    assert (job.name, job.options.mask) == ("first", folder / "in" / "mask.tif")
    assert job.options.s1 == (folder / "in" / "b_s1.tif",)


def test_one_mask_serves_the_scenes_that_have_none(folder: Path, seen: list[SceneJob]) -> None:
    table = folder / "list.csv"
    table.write_text("s2,mask,name\nin/a_s2.tif,in/mask.tif,own\nin/b_s2.tif,,other\n")
    batch.run(_options(folder, source=table, mask="scl", mask_threshold=0.3), silent)
    masks = {job.name: job.options.mask for job in seen}
    assert masks == {"own": folder / "in" / "mask.tif", "other": "scl"}


def test_a_threshold_is_for_the_scenes_with_a_mask(folder: Path, seen: list[SceneJob]) -> None:
    table = folder / "list.csv"
    table.write_text("s2,mask,name\nin/a_s2.tif,in/mask.tif,own\nin/b_s2.tif,,none\n")
    batch.run(_options(folder, source=table, mask_threshold=0.3), silent)
    assert {job.name: job.options.mask_threshold for job in seen} == {"own": 0.3, "none": None}


def test_parts_of_a_batch_are_all_of_it_and_log_apart(folder: Path, seen: list[SceneJob]) -> None:
    results = [batch.run(_options(folder, shard=f"{part}/3"), silent) for part in (1, 2, 3)]
    names = [scene.name for result in results for scene in result.scenes]
    assert set(names) == {"a", "alone", "b", "broken"}
    logs = [path.name for path in sorted((folder / "out").iterdir())]
    assert logs == ["batch-1-of-3.jsonl", "batch-2-of-3.jsonl", "batch-3-of-3.jsonl"]


def test_results_that_exist_are_refused_before_anything_is_done(
    folder: Path, seen: list[SceneJob]
) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "b_cloudfree.tif").touch()
    text = "1 of 4 results exist already, the first is .*b_cloudfree.tif; .*add --skip-existing"
    with pytest.raises(OutputError, match=text):
        batch.run(_options(folder), silent)
    assert not seen
    assert not (folder / "out" / "batch.jsonl").exists()


def test_what_exists_is_skipped_and_left_overs_are_replaced(
    folder: Path, seen: list[SceneJob]
) -> None:
    """A run that was killed can leave marks without the result, which gets its name last."""
    (folder / "out").mkdir()
    for name in ("b_cloudfree.tif", "b_cloudfree_filled.tif", "a_cloudfree_filled.tif"):
        (folder / "out" / name).touch()
    result = batch.run(_options(folder, skip_existing=True), silent)
    assert [job.name for job in seen] == ["a", "alone", "broken"]
    assert all(job.options.overwrite for job in seen)
    states = {scene.name: scene.state for scene in result.scenes}
    assert states == {**dict.fromkeys(("a", "alone", "broken"), "filled"), "b": "skipped"}
    assert "1 skipped" in result.summary()


def _run_again(folder: Path, **changed: Any) -> dict[str, str]:
    """States of the scenes of a second run that skips what exists."""
    result = batch.run(_options(folder, skip_existing=True, **changed), silent)
    return {scene.name: scene.state for scene in result.scenes}


@pytest.fixture
def finished(folder: Path, seen: list[SceneJob]) -> Path:
    """The folder after a run that filled a and b."""
    batch.run(_options(folder, tile=128), silent)
    for name in "ab":
        for ending in ("", "_filled"):
            (folder / "out" / f"{name}_cloudfree{ending}.tif").touch()
    return folder


def test_results_of_the_same_inputs_and_options_are_skipped(finished: Path) -> None:
    states = _run_again(finished, tile=128, device="cpu", jobs=2, batch_size=1)
    assert states == {"a": "skipped", "alone": "filled", "b": "skipped", "broken": "filled"}


def test_a_result_without_a_file_of_its_own_is_not_whole(finished: Path) -> None:
    (finished / "out" / "b_cloudfree_filled.tif").unlink()
    text = r"1 of 2 results were made without b_cloudfree_filled\.tif, the first is b"
    with pytest.raises(OutputError, match=text):
        _run_again(finished, tile=128)
    states = _run_again(finished, tile=128, overwrite=True)
    assert (states["a"], states["b"]) == ("skipped", "filled")


def test_half_a_line_of_a_killed_run_spoils_no_record(finished: Path) -> None:
    log = finished / "out" / "batch.jsonl"
    with log.open("a") as lines:
        lines.write('{"ended": "2026-11')
    _run_again(finished, tile=128)
    records = [line for line in log.read_text().splitlines() if not line.endswith("2026-11")]
    assert {json.loads(line)["name"] for line in records} == {"a", "alone", "b", "broken"}


def test_results_of_other_options_are_refused_or_made_anew(finished: Path) -> None:
    text = "2 of 2 results were made with other options, the first is a; .*--overwrite to make"
    with pytest.raises(OutputError, match=text) as error_info:
        _run_again(finished, tile=256)
    assert error_info.value.code == "output_exists"
    assert set(_run_again(finished, tile=256, overwrite=True).values()) == {"filled"}


def test_results_of_other_inputs_are_refused_or_made_anew(finished: Path) -> None:
    write_radar(finished / "in" / "b_s1.tif", 64, 65)
    text = "1 of 2 results were made from another s1, the first is b"
    with pytest.raises(OutputError, match=text):
        _run_again(finished, tile=128)
    assert _run_again(finished, tile=128, dry_run=True)["b"] == "filled", "what would be done"
    states = _run_again(finished, tile=128, overwrite=True)
    assert (states["a"], states["b"]) == ("skipped", "filled")


def test_results_of_unknown_inputs_are_skipped_with_a_warning(
    finished: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (finished / "out" / "batch.jsonl").unlink()
    assert _run_again(finished, tile=256)["a"] == "skipped"
    assert "2 of 2 results are skipped without a record of what they were made fro" in caplog.text


def test_the_log_says_what_a_failure_is_for_programs(folder: Path) -> None:
    batch.run(_options(folder, device="cpu", jobs=2), silent)
    lines = map(json.loads, (folder / "out" / "batch.jsonl").read_text().splitlines())
    codes = {one["name"]: (one["code"], one["retry"]) for one in lines}
    assert codes == {
        "a": (None, False), "b": (None, False),
        "alone": ("missing_radar", False), "broken": ("unreadable", False),
    }  # fmt: skip


def test_verbose_scenes_say_what_they_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "cloudfree")
    (tmp_path / "in").mkdir()
    _scene(tmp_path / "in", "a")
    batch.run(_options(tmp_path, device="cpu"), silent)
    said = {r.getMessage(): getattr(r, "scene", "") for r in caplog.records}
    assert any(text.startswith("a: evidence of the offset of a_s2.tif, ") for text in said)
    assert any(text.startswith("a: filling and writing: ") for text in said)
    assert {said[text] for text in said if text.startswith("a: ")} == {"a"}


def test_a_dry_run_checks_all_and_writes_nothing(folder: Path) -> None:
    result = batch.run(_options(folder, dry_run=True, device="cpu", jobs=2), silent)
    assert [scene.state for scene in result.scenes] == ["checked", "failed", "checked", "failed"]
    assert not (folder / "out").exists()


def test_scenes_of_one_name_are_refused(folder: Path, seen: list[SceneJob]) -> None:
    table = folder / "list.csv"
    table.write_text("s2,name\nin/a_s2.tif,x\nin/b_s2.tif,x\n")
    with pytest.raises(InputError, match="2 scenes are called x; wanted a unique name"):
        batch.run(_options(folder, source=table), silent)


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/b", "a\\b", '"a\nb"', "a\x1b[2Jb"])
def test_a_name_that_leads_out_of_the_folder_of_results_is_refused(
    folder: Path, seen: list[SceneJob], name: str
) -> None:
    table = folder / "list.csv"
    table.write_text(f"s2,name\nin/a_s2.tif,{name}\n")
    refusal = r"a scene called .*; wanted a name that a file can have|has .* as name in line 2"
    with pytest.raises(InputError, match=refusal):
        batch.run(_options(folder, source=table), silent)
    assert not (folder / "out").exists()


def test_a_name_may_have_spaces_quotes_and_dashes(folder: Path, seen: list[SceneJob]) -> None:
    table = folder / "list.csv"
    table.write_text("s2,name\nin/a_s2.tif,-a 'b' ü..\n")
    batch.run(_options(folder, source=table), silent)
    assert seen[0].options.result == folder / "out" / "-a 'b' ü.._cloudfree.tif"


def test_a_folder_without_scenes_says_what_is_expected(tmp_path: Path) -> None:
    text = "no Sentinel-2 scene in .*; wanted NAME_s2.tif with NAME_s1.tif, a folder with s2.tif a"
    with pytest.raises(InputError, match=text):
        batch.run(_options(tmp_path, source=tmp_path), silent)


def test_a_missing_model_is_reported_once(folder: Path, seen: list[SceneJob]) -> None:
    with pytest.raises(ModelError, match="no model 'nope'"):
        batch.run(_options(folder, model="nope"), silent)
    assert not seen


def test_a_file_in_place_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "out").touch()
    with pytest.raises(OutputError, match="out"):
        batch.run(_options(folder), silent)


def _job(folder: Path) -> SceneJob:
    return SceneJob("x", RemoveOptions(s2=folder / "s2.tif", output=folder / "x.tif"), threads=1)


@pytest.mark.parametrize(
    ("fault", "message", "code"),
    [
        (InputError("found", wanted="more", hint="go"), "found; wanted more; go", "bad_input"),
        (
            MemoryError("1 GB"),
            "not enough memory (1 GB); wanted room for a scene; ask for less",
            "out_of_memory",
        ),
        (
            KeyError("B02"),
            "KeyError ('B02'); wanted none; run `cloudfree remove` for it alone",
            "internal",
        ),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_whatever_goes_wrong_is_the_outcome_of_its_scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, message: str, code: str
) -> None:
    def run(*_: object) -> None:
        logging.getLogger("cloudfree").warning("something is odd")
        raise fault

    monkeypatch.setattr("cloudfree.commands.remove.run.run", run)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    outcome = fill_scene(_job(tmp_path))
    assert (outcome.state, outcome.warnings) == ("failed", ("something is odd",))
    assert outcome.message.startswith(message)
    assert (outcome.code, outcome.retry) == (code, code == "out_of_memory")
    assert os.environ["OMP_NUM_THREADS"] == "1"


def test_a_process_that_is_killed_is_reported(tmp_path: Path) -> None:
    outcome = batch._died(_job(tmp_path), -signal.SIGKILL)
    assert outcome.state == "failed"
    assert outcome.message.startswith("its process is gone (-9); wanted memory for all scenes at w")
    assert (outcome.code, outcome.retry) == ("worker_lost", True)


def test_a_scene_whose_process_is_killed_is_filled_at_the_next_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    _scene(tmp_path / "in", "a")
    monkeypatch.setattr(batch, "fill_scene", killed_once.fill_scene)
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.0)
    (once,) = batch.run(_options(tmp_path, device="cpu"), silent).scenes
    assert (once.state, once.code, once.attempts) == ("failed", "worker_lost", 1)
    (tmp_path / "out" / "a_cloudfree.tried").unlink()
    (twice,) = batch.run(_options(tmp_path, device="cpu", retries=1), silent).scenes
    assert (twice.state, twice.code, twice.attempts) == ("filled", None, 2)


LEFT, MIDDLE, RIGHT = ((slice(None), slice(*cols)) for cols in ((0, 40), (44, 84), (88, 128)))


@pytest.fixture
def season(tmp_path: Path) -> Path:
    """A folder with three dates of a place, each with a cloud elsewhere, none with radar."""
    for day, cloud in (("20220605", LEFT), ("20220615", MIDDLE), ("20220625", RIGHT)):
        write_date(tmp_path / "in" / f"{day}_s2.tif", cloud)
    return tmp_path


@pytest.mark.parametrize("jobs", [1, 2])
def test_scenes_of_a_place_fill_each_other_and_each_mask_is_made_once(
    season: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr(batch, "fill_scene", counted_masks.fill_scene)
    result = batch.run(_options(season, jobs=jobs, device="cpu"), silent)
    assert [one.state for one in result.scenes] == ["filled"] * 3, result.summary()
    assert [one.unfilled_fraction for one in result.scenes] == pytest.approx([0, 0, 0], abs=0.01)
    used = {one.name: set(one.references) for one in result.scenes}
    names = {"20220605", "20220615", "20220625"}
    assert all(used[name] and used[name] <= names - {name} for name in names)
    made = (season / "out" / "masks.txt").read_text().split()
    assert sorted(made) == [f"{name}_s2.tif" for name in sorted(names)]
    lines = (season / "out" / "batch.jsonl").read_text().splitlines()
    logged = {one["name"]: set(one["references"]) for one in map(json.loads, lines)}
    assert logged == used


def test_scenes_of_a_place_take_no_more_references_than_asked_for(
    season: Path, seen: list[SceneJob]
) -> None:
    for text in ("1", "none"):
        batch.run(_options(season, references=text), silent)
    options = {job.name: job.options for job in seen[:3]}["20220615"]
    folder = season / "in"
    assert options.references == (folder / "20220605_s2.tif", folder / "20220625_s2.tif")
    assert (options.max_references, options.of_batch) == (1, True)
    assert all(not job.options.references and not job.options.masks for job in seen[3:])


def test_masks_are_kept_until_the_batch_ends(season: Path, seen: list[SceneJob]) -> None:
    batch.run(_options(season), silent)
    (folder,) = {job.options.masks for job in seen}
    assert folder is not None and folder.name.startswith(".cloudfree.part.")
    assert not folder.exists()


def test_references_may_be_in_another_shard(season: Path, seen: list[SceneJob]) -> None:
    batch.run(_options(season, shard="1/3"), silent)
    (job,) = seen
    assert job.others == ("20220615", "20220625")


def test_the_radar_of_other_scenes_is_that_of_references(
    season: Path, seen: list[SceneJob]
) -> None:
    write_radar(season / "in" / "20220615_s1.tif", 128, 128)
    batch.run(_options(season), silent)
    radars = {job.name: job.options.reference_s1 for job in seen}
    assert radars["20220615"] == ()
    assert radars["20220605"] == radars["20220625"] == (season / "in" / "20220615_s1.tif",)


def test_workers_of_a_cluster_find_everything_from_any_folder(
    season: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(season)
    options = BatchOptions(source=Path("in"), output=Path("out"), scheduler="tcp://x")
    jobs = batch._jobs(options, Shard())
    assert all(path.is_absolute() for job in jobs for path in job.options.references)
    Path("out").mkdir()
    with batch._sharing_masks(jobs, options) as sharing:
        masks = {job.options.masks for job in sharing}
        assert [path.parent for path in masks if path] == [season / "out"]
    assert list(Path("out").iterdir()) == []
    with batch._sharing_masks(jobs, replace(options, dry_run=True)) as sharing:
        assert sharing == jobs


def test_scenes_of_different_places_are_the_same_without_references(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, name in enumerate(("a_20220605", "b_20220615")):
        moved = TEN_METRES @ Affine.translation(1000 * number, 0)
        write_cloudy_scene(tmp_path / "in" / f"{name}_s2.tif", 64, 64, transform=moved)
        write_radar(tmp_path / "in" / f"{name}_s1.tif", 64, 64, transform=moved)
    for text in ("auto", "none"):
        options = _options(tmp_path, output=tmp_path / text, references=text, device="cpu")
        assert batch.run(options, silent).exit_code == 0
    one, other = ({p.name: p for p in (tmp_path / text).glob("*.tif")} for text in ("auto", "none"))
    assert len(one) == 4 and one.keys() == other.keys()
    assert all(one[name].read_bytes() == other[name].read_bytes() for name in one)


def test_files_of_an_earlier_batch_do_not_stay_beside_new_results(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    _scene(tmp_path / "in", "a")
    given = {"device": "cpu", "fill_by": "scene"}
    batch.run(_options(tmp_path, write_mask=True, uncertainty=True, qml=True, **given), silent)
    before = {path.name for path in (tmp_path / "out").iterdir()}
    ends = ("", "_filled", "_mask", "_uncertainty")
    rasters = {f"a_cloudfree{end}.tif" for end in ends}
    assert before == {
        "batch.jsonl", *rasters, *(f"a_cloudfree{end}.qml" for end in ends),
    }  # fmt: skip
    (tmp_path / "out" / "a_cloudfree.tif.aux.xml").touch()
    batch.run(_options(tmp_path, overwrite=True, **given), silent)
    after = {path.name for path in (tmp_path / "out").iterdir()}
    assert after == {"batch.jsonl", "a_cloudfree.tif", "a_cloudfree_filled.tif"}


def test_a_mask_among_the_results_that_the_batch_reads_stays(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in "ab":
        _scene(tmp_path / "in", name)
    given = {"device": "cpu", "fill_by": "scene", "references": "none"}
    batch.run(_options(tmp_path, write_mask=True, **given), silent)
    scenes = tmp_path / "scenes.csv"
    rows = ("a,in/a_s2.tif,", "b,in/b_s2.tif,out/a_cloudfree_mask.tif")
    scenes.write_text("\n".join(["name,s2,mask", *rows]))
    again = batch.run(_options(tmp_path, source=scenes, overwrite=True, **given), silent)
    assert [scene.state for scene in again.scenes] == ["filled", "filled"]
    assert (tmp_path / "out" / "a_cloudfree_mask.tif").exists()
    assert not (tmp_path / "out" / "b_cloudfree_mask.tif").exists()
