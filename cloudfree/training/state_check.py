"""A state from which a run goes on is like its own: the same entries, shapes and types.

Torch copies what it finds, and an optimiser stumbles over it steps later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from cloudfree.inference.checkpoint import is_plain


def check_alike(state: Any, own: Any, where: str) -> None:
    """Check what was remembered against what there is; `where` names it.

    Raises
    ------
    ValueError
        Something is missing or of another kind; the text names its place.
    """
    if isinstance(own, Tensor):
        _check_tensor(state, [own.shape], where)
        return
    if isinstance(own, Mapping):
        _require(isinstance(state, Mapping) and state.keys() == own.keys(), where, own, state)
        for key in own:
            check_alike(state[key], own[key], f"{where}.{key}")
        return
    if isinstance(own, list | tuple):
        _require(isinstance(state, list | tuple) and len(state) == len(own), where, own, state)
        for index, value in enumerate(own):
            check_alike(state[index], value, f"{where}[{index}]")
        return
    _require(_is_number(state) if _is_number(own) else type(state) is type(own), where, own, state)


def check_optimiser(state: Any, optimiser: Optimizer, where: str) -> None:
    """Check what an optimiser remembers: its settings, and the moments of its parameters.

    Raises
    ------
    ValueError
        Something is missing or of another kind; the text names its place.
    """
    own = optimiser.state_dict()
    _require(isinstance(state, Mapping) and state.keys() == own.keys(), where, own, state)
    check_alike(state["param_groups"], own["param_groups"], f"{where}.param_groups")
    parameters = list(chain.from_iterable(group["params"] for group in optimiser.param_groups))
    _require(isinstance(state["state"], Mapping), f"{where}.state", {}, state["state"])
    for index, moments in state["state"].items():
        place = f"{where}.state.{index}"
        known = isinstance(index, int) and 0 <= index < len(parameters)
        _require(known and isinstance(moments, Mapping), place, {}, moments)
        for name, value in moments.items():
            if value is not None and not _is_number(value):
                _check_tensor(value, [parameters[index].shape, ()], f"{place}.{name}")


def check_losses(state: Any, where: str) -> None:
    """Check a list of numbers.

    Raises
    ------
    ValueError
        It is none.
    """
    is_list = isinstance(state, list) and all(map(_is_number, state))
    _require(is_list, where, [], state)


def _check_tensor(state: Any, shapes: Sequence[Sequence[int]], where: str) -> None:
    if not (isinstance(state, Tensor) and is_plain(state) and not state.is_complex()):
        raise ValueError(f"{where} is no tensor of numbers")
    if state.shape not in [tuple(shape) for shape in shapes]:
        raise ValueError(f"{where} has the shape {tuple(state.shape)}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require(alike: bool, where: str, own: Any, state: Any) -> None:
    if not alike:
        raise ValueError(f"{where} is {type(state).__name__}, not {type(own).__name__} as here")
