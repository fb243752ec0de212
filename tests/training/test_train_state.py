"""What a training remembers: saved and loaded, it goes on as if nothing had been."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from cloudfree.core.choices import Optimiser
from cloudfree.errors import InputError
from cloudfree.training.step import train_step
from cloudfree.training.train_state import TrainState
from tests.factories.damage import full_disk
from tests.factories.tiny_training import batch, begin


def _changed_weight(change):
    """Replaces the first tensor of a saved network."""

    def changed(state: dict) -> None:
        network = state["learner"]["network"]
        name = next(iter(network))
        network[name] = change(network[name])

    return changed


def _numbers(state: Any) -> list[float]:
    """Every number in a state, however deep."""
    if isinstance(state, torch.Tensor):
        return [float(value) for value in state.double().flatten()]
    if isinstance(state, dict):
        return [number for value in state.values() for number in _numbers(value)]
    if isinstance(state, list | tuple):
        return [number for value in state for number in _numbers(value)]
    return [float(state)] if isinstance(state, int | float) else []


def _steps(run: TrainState, plan: Any, seeds: range) -> None:
    for seed in seeds:
        train_step(run, plan, batch(seed=seed))


@pytest.mark.parametrize("optimiser", get_args(Optimiser))
@pytest.mark.parametrize("loss", ["l1", "pix2pix"])
def test_a_run_goes_on_from_its_checkpoint_bit_for_bit(
    tmp_path: Path, loss: str, optimiser: str
) -> None:
    changes = {"optimiser": optimiser, "ema_decay": 0.9, "learning_rate": 1e-3}
    whole, plan = begin(loss, **changes)
    _steps(whole, plan, range(2))
    whole.losses, whole.seconds = [0.5, 0.25], 12.5
    whole.save(tmp_path / "checkpoint.pt")
    resumed, _ = begin(loss, **changes)
    resumed.load(tmp_path / "checkpoint.pt")
    assert (resumed.step, resumed.seconds, resumed.losses) == (2, 12.5, [0.5, 0.25])
    for run in (whole, resumed):
        _steps(run, plan, range(2, 4))
    assert resumed.step == 4
    before, after = (_numbers(run.result.state_dict()) for run in (whole, resumed))
    assert before == after
    assert _numbers(whole.model.state()) == _numbers(resumed.model.state())


def test_the_scale_of_half_precision_is_remembered(tmp_path: Path) -> None:
    run, _ = begin("l1", precision="fp16")
    run.scaler.load_state_dict({**run.scaler.state_dict(), "scale": 1024.0})
    run.save(tmp_path / "checkpoint.pt")
    resumed, _ = begin("l1", precision="fp16")
    resumed.load(tmp_path / "checkpoint.pt")
    assert resumed.scaler.state_dict()["scale"] == 1024.0


def test_the_result_is_the_average_if_there_is_one() -> None:
    plain, _ = begin("l1", ema_decay=0.0)
    averaged, _ = begin("l1", ema_decay=0.9)
    assert plain.result is plain.model.network
    assert averaged.result is averaged.average
    assert averaged.result is not averaged.model.network


@pytest.mark.parametrize(
    ("loss", "has"), [("l1", False), ("pix2pix", True), ("gan-attention", True)]
)
def test_only_a_gan_has_a_discriminator(loss: str, has: bool) -> None:
    assert (begin(loss)[0].discriminator is not None) == has


def test_biases_and_norms_do_not_decay() -> None:
    run, _ = begin("l1", optimiser="adamw", weight_decay=0.5)
    decayed, kept = run.model.optimiser.param_groups
    assert (decayed["weight_decay"], kept["weight_decay"]) == (0.5, 0.0)
    assert [value.ndim for value in decayed["params"]] == [4]
    assert {value.ndim for value in kept["params"]} == {1}


def test_another_optimiser_is_refused() -> None:
    with pytest.raises(InputError, match=r"'rprop', none of adam, adamw, nadam, sgd @"):
        begin("l1", optimiser="rprop")


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("data", "other", "other patches than the run began with"),
        ("processes", 2, "2 processes for a run that began with 1"),
    ],
)
def test_a_run_under_other_conditions_is_refused(
    tmp_path: Path, field: str, value: object, text: str
) -> None:
    run, _ = begin("l1")
    run.save(tmp_path / "checkpoint.pt")
    setattr(run, field, value)
    with pytest.raises(InputError, match=text):
        run.load(tmp_path / "checkpoint.pt")


def test_what_is_no_checkpoint_of_this_version_is_refused(tmp_path: Path) -> None:
    run, _ = begin("l1")
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(InputError, match="cannot be read"):
        run.load(path)
    path.write_text("hello")
    with pytest.raises(InputError, match=r"cannot be read .*begin a new run with --overwrite"):
        run.load(path)
    torch.save({"step": 1}, path)
    with pytest.raises(InputError, match="of another version of cloudfree"):
        run.load(path)


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    run, _ = begin("l1")
    path = tmp_path / "checkpoint.pt"
    run.step = 1
    run.save(path)
    run.step = 2
    with full_disk(1000), pytest.raises(OSError):
        run.save(path)
    run.load(path)
    assert run.step == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda state: state.update(step="one"), "step is str, not int"),
        (lambda state: state.update(losses={}), "losses is dict, not list"),
        (lambda state: state["learner"].pop("optimiser"), "optimiser"),
        (lambda state: state["learner"]["network"].popitem(), "network is"),
        (_changed_weight(lambda weight: weight[:1]), "has the shape"),
        (_changed_weight(lambda weight: weight.tolist()), "is no tensor of numbers"),
        (_changed_weight(lambda weight: weight.to("meta")), "is no tensor of numbers"),
        (_changed_weight(lambda weight: weight.to(torch.complex64)), "is no tensor of numbers"),
    ],
)
def test_a_state_that_is_not_like_that_of_the_run_is_refused(
    tmp_path: Path, change, text: str
) -> None:
    run, _ = begin("l1")
    path = tmp_path / "checkpoint.pt"
    run.save(path)
    state = torch.load(path, weights_only=True)
    change(state)
    torch.save(state, path)
    with pytest.raises(InputError, match=rf"checkpoint\.pt cannot be read \(.*{text}"):
        run.load(path)
