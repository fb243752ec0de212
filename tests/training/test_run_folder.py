"""The folder of a run keeps what is there, and always holds a whole model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from cloudfree.errors import InputError, OutputError
from cloudfree.inference.load import load_model
from cloudfree.inference.model_store import CARD
from cloudfree.training.run_folder import (
    CHECKPOINT,
    SETTINGS,
    InitialisedNetwork,
    begin_run,
    check_run_folder,
    discard_run,
    initialise,
    is_free,
    write_model,
)
from cloudfree.training.settings import choose_settings
from tests.factories.left_drafts import left_by_another_process
from tests.inference.test_checkpoint import SMALL


def _first(network: str = "dsen2_cr", start: str | None = None, **changes: Any):
    own = {"network_settings": SMALL[network], "crop": 32, **changes}
    return initialise(choose_settings(network, own), "a", {"steps": 2}, start)


def _weights(first: InitialisedNetwork) -> dict[str, torch.Tensor]:
    return dict(first.network.state_dict())


def test_a_new_or_empty_folder_is_free(tmp_path: Path) -> None:
    check_run_folder(tmp_path / "new", overwrite=False)
    check_run_folder(tmp_path, overwrite=False)


def test_what_is_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo").touch()
    with pytest.raises(OutputError, match="photo is a file; wanted a folder"):
        check_run_folder(tmp_path / "photo", overwrite=True)
    with pytest.raises(OutputError, match=r"is not empty; wanted a new folder; .*--resume"):
        check_run_folder(tmp_path, overwrite=False)
    with pytest.raises(OutputError, match="holds no run; wanted a run, or an empty folder"):
        check_run_folder(tmp_path, overwrite=True)
    (tmp_path / SETTINGS).touch()
    check_run_folder(tmp_path, overwrite=True)


def _save(path: Path) -> None:
    path.write_text("first")


def test_a_new_run_replaces_what_an_earlier_one_would_resume_from(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "a"
    assert is_free(folder)
    begin_run(folder, "seed = 1\n", _save)
    for name in (CHECKPOINT, CARD, "losses.csv"):
        (folder / name).write_text("old")
    assert not is_free(folder)
    begin_run(folder, "seed = 2\n", _save)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        SETTINGS: "seed = 2\n", CHECKPOINT: "first", CARD: "old", "losses.csv": "old",
    }  # fmt: skip


def test_a_run_begins_with_settings_and_checkpoint_or_not_at_all(tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        raise OSError(28, f"no room for {path.name}")

    begin_run(tmp_path, "seed = 1\n", _save)
    with pytest.raises(OSError, match="no room"):
        begin_run(tmp_path, "seed = 2\n", refuse)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        SETTINGS: "seed = 1\n", CHECKPOINT: "first",
    }  # fmt: skip


def test_what_a_killed_run_left_before_it_began_is_not_in_the_way(tmp_path: Path) -> None:
    left_by_another_process(tmp_path / CHECKPOINT)
    check_run_folder(tmp_path, overwrite=False)
    assert is_free(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        begin_run(tmp_path / "file" / "run", "", _save)


def test_a_refused_run_is_taken_away(tmp_path: Path) -> None:
    begin_run(tmp_path / "run", "", _save)
    discard_run(tmp_path / "run")
    discard_run(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_a_model_with_the_weights_of_the_last_step(tmp_path: Path) -> None:
    first, later = _first(seed=1), _first(seed=2)
    write_model(first.network, first.card, tmp_path, 1)
    card = write_model(later.network, later.card, tmp_path, 20)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {CARD, "weights-000020.safetensors"}
    model = load_model(str(tmp_path), "cpu")
    assert model.card.weights_sha256 == card.weights_sha256 != ""
    assert model.card.training["steps"] == 2


def test_the_seed_decides_the_first_weights() -> None:
    one, same, other = (_weights(_first(seed=seed)) for seed in (1, 1, 2))
    assert all(torch.equal(value, same[name]) for name, value in one.items())
    assert not all(torch.equal(value, other[name]) for name, value in one.items())


def test_the_weights_of_a_model_take_the_place_of_the_seed(tmp_path: Path) -> None:
    before = _first(seed=1)
    write_model(before.network, before.card, tmp_path, 1)
    after = _weights(_first(seed=2, start=str(tmp_path)))
    assert all(torch.equal(value, after[name]) for name, value in _weights(before).items())


def test_the_card_has_what_decided_the_weights() -> None:
    card = _first(seed=7, loss="l1", simulate_clouds=0.5).card
    assert (card.network, card.name, card.license) == ("dsen2_cr", "a", "none stated")
    assert card.training == {"steps": 2, "seed": 7, "loss": "l1", "simulate_clouds": 0.5}


def test_crops_that_a_network_cannot_take_are_refused() -> None:
    multiple = _first("glf_cr").card.multiple
    assert multiple > 1
    with pytest.raises(InputError, match=rf"wanted a multiple of {multiple}; correct --crop"):
        _first("glf_cr", crop=multiple + 1)
