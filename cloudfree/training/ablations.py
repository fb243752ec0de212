"""The ablations of the papers by name: a preset with something left out."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudfree.errors import ErrorCode, InputError


@dataclass(frozen=True)
class Ablation:
    """What a network is trained without: `settings` go before those of its preset.

    `source` is the table of the paper that has it.
    """

    network: str
    name: str
    without: str
    source: str
    settings: Mapping[str, Any]


@functools.cache
def ablations() -> tuple[Ablation, ...]:
    """All ablations, network by network, as the papers list them."""
    text = importlib.resources.files("cloudfree.training") / "ablations.toml"
    tables = tomllib.loads(text.read_text(encoding="utf-8"))
    return tuple(
        Ablation(network, name, entries.pop("without"), entries.pop("source"), entries)
        for network, named in tables.items()
        for name, entries in named.items()
    )


def ablation_names(network: str) -> list[str]:
    """The ablations of a network."""
    return [one.name for one in ablations() if one.network == network]


def ablation_named(network: str, name: str) -> Ablation:
    """The ablation of a network of that name.

    Raises
    ------
    InputError
        The network has none of that name; lists those it has.
    """
    for one in ablations():
        if (one.network, one.name) == (network, name):
            return one
    names = ablation_names(network)
    raise InputError(
        f"no ablation {name!r} of network {network}",
        wanted=f"one of {', '.join(names)}" if names else "no --ablation: it has none",
        hint="see `cloudfree train --list-ablations`",
        code=ErrorCode.BAD_OPTION,
    )
