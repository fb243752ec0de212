"""Many scenes, and many runs at once: all results right, and nothing that grows."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
import rasterio

from tests.factories.patience import PATIENCE_S
from tests.factories.rasters import write_cloudy_scene, write_radar
from tests.faults.load import PROC, Sample, grown, sampled
from tests.faults.runs import TEMPORARY, finished, forked, log_of, state

pytestmark = pytest.mark.skipif(not (PROC / "self" / "statm").exists(), reason="counts in /proc")

# Scenes of the batch and runs at once of the long form.
SCENES = int(os.environ.get("CLOUDFREE_LOAD_SCENES", "500"))
RUNS = int(os.environ.get("CLOUDFREE_LOAD_RUNS", "64"))
# Scenes that differ; the others are copies, whose results are the same.
DIFFERENT = 5
# From so many on the start of the workers is a small part of a batch.
LONG = 50
# How much more a run may hold at its end, beside a tenth: by chance of the moment.
SPARE = {"processes": 2, "memory_mb": 20, "open_files": 10, "temporary_files": 6}
OPTIONS = ["--fill-by", "scene", "--references", "none"]


def _pixels(path: Path) -> bytes:
    with rasterio.open(path) as dataset:
        return bytes(dataset.read().tobytes())


def _write_scenes(folder: Path, count: int) -> None:
    for number in range(count):
        scene, radar = (folder / f"a{number:03}_{kind}.tif" for kind in ("s2", "s1"))
        if number < DIFFERENT:
            write_cloudy_scene(scene, 64 + 8 * number, 64)
            write_radar(radar, 64 + 8 * number, 64)
            continue
        for path in (scene, radar):
            original = path.with_name(f"a{number % DIFFERENT:03}_{path.name.partition('_')[2]}")
            shutil.copy(original, path)


def _check_batch(folder: Path, count: int, jobs: int, limit_s: float) -> str:
    """Fill scenes and compare each with `remove` by itself; what was counted, in words."""
    (folder / "in").mkdir(parents=True)
    _write_scenes(folder / "in", count)
    begun = time.monotonic()
    words = ["batch", "in", "-o", "out", "--jobs", str(jobs), *OPTIONS]
    process = forked(folder, words)
    samples = sampled(process, folder / TEMPORARY, limit_s, every_s=0.5)
    seconds = time.monotonic() - begun
    assert process.exitcode == 0, log_of(folder)
    results = sorted((folder / "out").glob("*_cloudfree.tif"))
    assert len(results) == count
    for number in range(DIFFERENT):
        given = [f"--s{kind}=in/a{number:03}_s{kind}.tif" for kind in (1, 2)]
        alone = folder / f"alone{number}.tif"
        run = forked(folder, ["remove", *given, *OPTIONS[:2], "-o", str(alone)])
        assert finished(run) == 0, log_of(folder)
        wanted = _pixels(alone)
        assert all(_pixels(one) == wanted for one in results[number::DIFFERENT])
    left = [name for name in state(folder) if ".part." in name or ".journal" in name]
    assert left == []
    assert list((folder / TEMPORARY).glob("cloudfree*")) == []
    assert max(one.processes for one in samples) > jobs
    held = _check_flat(samples) if count >= LONG else "too few to tell whether it grows"
    return f"{count} scenes, {jobs} jobs, {seconds:.0f} s, {len(samples)} samples: {held}"


def _check_flat(samples: list[Sample]) -> str:
    """Check that a run holds no more at its end than in its second quarter; both, in words."""
    words = []
    for what, spare in SPARE.items():
        early, late = grown(samples, what)
        assert late <= 1.1 * early + spare, (what, early, late)
        words.append(f"{what} {early:.0f} then {late:.0f}")
    return ", ".join(words)


def _check_masks(folder: Path, count: int) -> str:
    """Masks of one scene, all at once, each the same as one that is made alone."""
    folder.mkdir()
    write_cloudy_scene(folder / "s2.tif", 128, 128)
    begun = time.monotonic()
    runs = [forked(folder, ["mask", "s2.tif", "-o", f"m{n}.tif", "-q"]) for n in range(count)]
    assert [finished(run) for run in runs] == [0] * count, log_of(folder)
    seconds = time.monotonic() - begun
    assert finished(forked(folder, ["mask", "s2.tif", "-o", "alone.tif", "-q"])) == 0
    wanted = (folder / "alone.tif").read_bytes()
    assert all((folder / f"m{n}.tif").read_bytes() == wanted for n in range(count))
    assert {path.name for path in folder.iterdir()} == {
        "s2.tif", "alone.tif", TEMPORARY, *(f"m{n}.tif" for n in range(count)),
    }  # fmt: skip
    return f"{count} masks at once, {seconds:.0f} s, all the same"


def test_a_batch_of_a_few_scenes_is_right(tmp_path: Path) -> None:
    print(_check_batch(tmp_path / "work", 2 * DIFFERENT, 2, PATIENCE_S))


def test_a_few_masks_of_one_scene_at_once_are_the_same(tmp_path: Path) -> None:
    print(_check_masks(tmp_path / "work", 4))


@pytest.mark.slow
def test_a_batch_of_many_scenes_holds_no_more_at_its_end(tmp_path: Path) -> None:
    print(_check_batch(tmp_path / "work", SCENES, 4, 4 * 3600))


@pytest.mark.slow
def test_many_masks_of_one_scene_at_once_are_the_same(tmp_path: Path) -> None:
    print(_check_masks(tmp_path / "work", RUNS))
