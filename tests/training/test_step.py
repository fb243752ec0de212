"""One step: what it waits for, what a bad one leaves, and how the average follows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from cloudfree.errors import InputError
from cloudfree.training.settings import SCHEDULES, choose_settings
from cloudfree.training.step import learning_rate, outputs_of, train_step
from tests.factories.tiny_training import batch, begin


def test_glf_cr_halves_its_rate_every_five_epochs() -> None:
    settings = choose_settings("glf_cr", {})
    rates = [learning_rate(settings, epoch * 10, 300, 10) for epoch in (0, 4, 5, 9, 10, 29)]
    assert rates == [1e-4, 1e-4, 5e-5, 5e-5, 2.5e-5, 1e-4 / 32]


def test_sg_bafm_loses_a_fifth_each_epoch() -> None:
    settings = choose_settings("sg_bafm_dfin", {})
    assert learning_rate(settings, 30, 100, 10) == pytest.approx(1e-3 * 0.8**3)


@pytest.mark.parametrize(
    ("network", "halvings"),
    [("glf_cr", (6, 11, 16, 21, 26)), ("cloud_attentive", (10, 15, 20, 25))],
)
def test_in_the_published_code_the_rate_first_halves_later(
    network: str, halvings: tuple[int, ...]
) -> None:
    settings = choose_settings(network, {"preset": "code"})
    rates = [learning_rate(settings, epoch * 10, 300, 10) for epoch in range(30)]
    halved = [e for e in range(1, 30) if rates[e] == pytest.approx(rates[e - 1] / 2)]
    assert halved == list(halvings)
    assert rates[0] == 1e-4


def test_pix2pix_stays_for_half_of_the_run_and_falls_to_nothing() -> None:
    settings = choose_settings("sar2opt", {})
    rates = [learning_rate(settings, step, 200, 1) for step in (0, 100, 150, 200)]
    assert rates == pytest.approx([2e-4, 2e-4, 1e-4, 0.0])


def test_ib_hfn_follows_a_cosine_to_a_millionth() -> None:
    settings = choose_settings("ib_hfn", {})
    rates = [learning_rate(settings, step, 100, 1) for step in (0, 50, 100)]
    assert rates == pytest.approx([2e-4, (2e-4 + 1e-6) / 2, 1e-6])


@given(
    schedule=st.sampled_from(SCHEDULES),
    steps=st.integers(1, 10_000),
    warmup=st.integers(0, 100),
    share=st.floats(0, 1),
)
def test_no_rate_is_above_the_first_or_below_the_last(
    schedule: str, steps: int, warmup: int, share: float
) -> None:
    changes = {"schedule": schedule, "warmup_steps": warmup, "learning_rate": 0.1, "gamma": 0.9}
    settings = choose_settings("dsen2_cr", changes)
    rate = learning_rate(settings, round(share * steps), steps, 7.0)
    assert 0 <= rate <= 0.1


class Waits(TorchDispatchMode):
    """Counts how often the host asks for a number that a device has to compute first."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **kwargs or {})


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waits]:
    mode, tolist = Waits(), Tensor.tolist

    def counted(tensor: Tensor) -> Any:
        mode.count += 1
        return tolist(tensor)

    monkeypatch.setattr(Tensor, "tolist", counted)
    with mode:
        yield mode


@pytest.mark.parametrize(("loss", "learners"), [("l1", 1), ("gan-l1", 2)])
def test_a_step_waits_once_for_each_network_that_learns(
    loss: str, learners: int, waits: Waits
) -> None:
    run, plan = begin(loss, clip_norm=1.0, ema_decay=0.9)
    given = batch()
    waits.count = 0
    result = train_step(run, plan, given)
    assert waits.count == learners
    assert math.isfinite(result.loss)
    assert math.isfinite(result.discriminator_loss) == (learners == 2)
    assert result.gradient > 0


def parameters(network: nn.Module) -> list[Tensor]:
    return [one.detach().clone() for one in network.parameters()]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("loss", ["l1", "gan-l1"])
def test_a_bad_batch_is_named_and_changes_no_weight(loss: str, bad: float) -> None:
    run, plan = begin(loss, ema_decay=0.9)
    networks = [run.model.network, run.result]
    networks += [run.discriminator.network] if run.discriminator else []
    before = [parameters(network) for network in networks]
    with pytest.raises(InputError, match=r"loss.* (nan|inf) at step 0 with 0\.tif, 1\.tif; wanted"):
        train_step(run, plan, batch(factor=bad))
    for network, kept in zip(networks, before, strict=True):
        assert all(map(torch.equal, parameters(network), kept))
    assert run.step == 0


def test_the_average_follows_weights_and_copies_counts() -> None:
    run, plan = begin("l1", ema_decay=0.9, learning_rate=0.1)
    before = {name: value.clone() for name, value in run.result.state_dict().items()}
    train_step(run, plan, batch())
    new = run.model.network.state_dict()
    decay = min(0.9, 1 / 10)  # the average follows quickly at first
    for name, value in run.result.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(value, before[name].lerp(new[name], 1 - decay)), name
        else:
            assert value == new[name] == 1


def test_inputs_beside_those_of_the_card_are_given_by_name() -> None:
    """The days of several dates: a network of one date has no such argument."""

    class Dated(nn.Module):
        def forward(self, optical: Tensor, dates: Tensor | None = None) -> dict[str, Tensor]:
            days = 0.0 if dates is None else dates.mean()
            return {"image": optical + days}

    _, plan = begin("l1")
    single = batch()
    series = replace(single, inputs={**single.inputs, "dates": torch.full((2, 3), 5.0)})
    images = [outputs_of(Dated(), plan, one)["image"] for one in (single, series)]
    torch.testing.assert_close(images[1], images[0] + 5.0)
