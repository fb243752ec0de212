"""A warning of models that are tested on what they learned from."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from cloudfree.commands.evaluate.seen_places import warn_of_seen_places
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Sample
from tests.factories.sample_folders import TEST, TRAIN, touch_patch


@pytest.fixture
def samples(tmp_path: Path) -> tuple[Sample, ...]:
    for place in (TEST, TRAIN):
        for patch in ("p30", "p31"):
            touch_patch(tmp_path / "data", place, patch)
    return list_samples(tmp_path / "data").samples


def _run(folder: Path, *rows: str) -> Path:
    (folder / "best").mkdir(parents=True)
    for place in (folder, folder / "best"):
        (place / "card.toml").touch()
    (folder / "split.csv").write_text("\n".join(["name,split", *rows, ""]))
    return folder


@pytest.mark.parametrize("model", ["run", "run/best"])
def test_places_of_its_training_are_named(
    samples: tuple[Sample, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture, model: str
) -> None:
    _run(tmp_path / "run", f"{TRAIN},train", f"{TEST},test")
    given = str(tmp_path / model)
    with caplog.at_level(logging.WARNING):
        warn_of_seen_places([given], samples)
    assert caplog.messages == [
        f"{given} was trained on 1 of the 2 places that it is scored on, such as {TRAIN}: its "
        "figures are too good"
    ]


def test_other_places_and_other_models_need_no_warning(
    samples: tuple[Sample, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = _run(tmp_path / "run", "ROIs1158_spring_6,train", f"{TEST},val", f"{TRAIN},test")
    with caplog.at_level(logging.WARNING):
        warn_of_seen_places([str(run), "cloudfree-s", str(tmp_path / "none.pth")], samples)
    assert caplog.messages == []
