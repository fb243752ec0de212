"""The images of a training by kind: each is put where it is of use, and nowhere else."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.radiometry import Float32
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Sample
from cloudfree.datasets.scene_library import (
    CIRRUS,
    KINDS,
    TRUTH,
    SceneLibrary,
    ScenePatch,
    is_sea,
    list_dates,
    open_library,
)
from cloudfree.errors import InputError
from tests.factories.sample_folders import write_triplet
from tests.simulation.test_cloud_transplants import cloudy, ground

SIDE = 64


def scaled(decibel: Float32) -> Float32:
    return (1.0 + decibel / 30.0).clip(0.0, 1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A triplet, a pair without radar, a clear image with radar, a simulated scene, a small one."""
    root = tmp_path_factory.mktemp("data")
    for seed, name in enumerate(("triplet", "pair", "alone")):
        write_triplet(root, name, SIDE, seed)
    write_triplet(root / "simulated", "", SIDE, seed=5)
    (root / "simulated" / TRUTH).touch()
    write_triplet(root, "small", 32, seed=6)
    (root / "pair_s1.tif").unlink()
    (root / "alone_s2_cloudy.tif").unlink()
    return root


@pytest.fixture(scope="module")
def samples(folder: Path) -> Sequence[Sample]:
    return list_samples(folder, SIDE, 0.0, ("clear",)).samples


def names(library: SceneLibrary) -> dict[str, list[str]]:
    return {kind: [patch.name for patch in library.of_kind(kind)] for kind in KINDS}


def test_every_image_is_of_its_kind(
    samples: Sequence[Sample], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        library = open_library(samples, (), scaled, SIDE)
    assert names(library) == {
        "simulated": ["simulated"],
        "real": ["triplet"],
        "clear": ["alone", "triplet"],
        "no_sar": ["pair"],
        "sea": [],
    }
    assert library.count == 4
    assert len(library.clouds.cloudy) == len(library.clouds.transplants) == 2
    assert library.radar is not None
    assert "patch small skipped: 32 x 32 pixels" in caplog.text
    (real,) = library.real
    assert real.sar is not None
    assert 0.0 <= real.sar.min() < real.sar.max() <= 1.0
    assert real.shadow is not None
    assert real.shadow.shape == (1, SIDE, SIDE)


def test_processes_share_the_simulated_scenes_alone(samples: Sequence[Sample]) -> None:
    other = open_library(samples, (), scaled, SIDE, slice(1, None, 2))
    assert not other.simulated
    assert len(other.clear) == 2


def test_donors_give_clouds_and_are_no_target(samples: Sequence[Sample]) -> None:
    donors = [one for one in samples if one.name == "pair"]
    library = open_library([one for one in samples if one.name == "alone"], donors, scaled, SIDE)
    assert names(library)["no_sar"] == []
    assert len(library.clouds.cloudy) == 1
    assert not library.clouds.transplants


def test_without_clouds_there_is_no_training(samples: Sequence[Sample]) -> None:
    with pytest.raises(InputError, match="0 cloudy images among 1 patches; wanted clear images"):
        open_library([one for one in samples if one.name == "alone"], (), scaled, SIDE)


def test_a_hazy_target_gives_clouds_alone_and_sea_is_known_by_its_darkness() -> None:
    library = SceneLibrary()
    hazy = ground()
    hazy[CIRRUS] = 0.04
    library.add(ScenePatch("hazy", hazy, cloudy(hazy)))
    assert (len(library.clouds.cloudy), len(library.clouds.transplants), library.count) == (1, 0, 0)
    sea = 0.02 * np.ones_like(hazy)
    assert is_sea(sea)
    sea[:, :8] = 0.3  # an eighth is land
    assert not is_sea(sea)


def test_dates_have_the_nearest_clear_one_below_them(folder: Path, tmp_path: Path) -> None:
    series = tmp_path / "place"
    series.mkdir()
    for kind, days in {
        "clear": ("2020-01-01", "2020-01-25"),
        "cloudy": ("2020-01-20", "2020-06-01"),
    }.items():
        for day in days:
            shutil.copy(folder / f"triplet_s2_{kind}.tif", series / f"image_{day}.tif")
    (series / "image_2020-03-03.tif").write_text("broken")
    found = list_dates(tmp_path, 0.0)
    assert [(one.name[-5:], one.clear.stem[-5:], one.cloudy is None) for one in found.samples] == [
        ("01-01", "01-01", True),
        ("01-25", "01-25", True),
        ("01-20", "01-25", False),
    ]
    assert [one.name[-5:] for one in found.donors] == ["06-01"]  # no clear date within 20 days
    assert {one.place for one in (*found.samples, *found.donors)} == {"place"}
