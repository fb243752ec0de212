"""A state that is restored is like the one it replaces, down to the moments of the optimiser."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import AdamW

from cloudfree.training.state_check import check_alike, check_losses, check_optimiser


def _optimiser() -> AdamW:
    layer = nn.Linear(2, 3)
    optimiser = AdamW(layer.parameters(), lr=0.1)
    layer(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    return optimiser


def test_the_state_of_an_optimiser_is_like_itself() -> None:
    optimiser = _optimiser()
    check_optimiser(optimiser.state_dict(), optimiser, "optimiser")
    check_optimiser(AdamW(nn.Linear(2, 3).parameters()).state_dict(), optimiser, "optimiser")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda s: s["state"][0].update(exp_avg="x"), r"optimiser.state.0.exp_avg is no tensor"),
        (lambda s: s["state"][0].update(exp_avg=torch.zeros(0)), r"exp_avg is no tensor"),
        (lambda s: s["state"][0].update(exp_avg=torch.zeros(5)), r"exp_avg has the shape \(5,\)"),
        (lambda s: s["state"].update({9: {}}), r"optimiser.state.9"),
        (lambda s: s.update(state=[]), r"optimiser.state is list"),
        (lambda s: s.pop("param_groups"), r"optimiser is dict"),
        (lambda s: s["param_groups"][0].update(lr="fast"), r"param_groups\[0\].lr is str"),
        (lambda s: s["param_groups"].append({}), r"param_groups is list"),
    ],
)
def test_another_state_is_named_with_its_place(change: Any, text: str) -> None:
    optimiser = _optimiser()
    state = copy.deepcopy(optimiser.state_dict())
    change(state)
    with pytest.raises(ValueError, match=text):
        check_optimiser(state, optimiser, "optimiser")


def test_numbers_may_be_whole_or_not_and_words_are_none() -> None:
    check_alike({"a": [1, 2.0], "b": None}, {"a": [1.5, 2], "b": None}, "state")
    for state in ({"a": [1, True], "b": None}, {"a": [1], "b": None}, {"a": [1, 2]}, []):
        with pytest.raises(ValueError, match="state"):
            check_alike(state, {"a": [1.5, 2], "b": None}, "state")


def test_losses_are_a_list_of_numbers() -> None:
    check_losses([1, 0.5], "losses")
    for state in ({}, ["1"], None):
        with pytest.raises(ValueError, match="losses"):
            check_losses(state, "losses")
