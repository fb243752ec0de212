"""The network before its first step, and the card of the model that it will be."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cloudfree.errors import InputError
from cloudfree.inference.checkpoint import build_network, load_strictly
from cloudfree.inference.load import find_card, load_network
from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.registry import card_entries, network_entry
from cloudfree.training.settings import TrainingSettings


@dataclass(frozen=True)
class InitialisedNetwork:
    """A network with its first weights, and its card without their hash."""

    network: nn.Module
    card: ModelCard


def initialise(
    settings: TrainingSettings, name: str, facts: Mapping[str, Any], start: str | None = None
) -> InitialisedNetwork:
    """Build a network with weights drawn from the seed, or with those of the model `start`.

    `facts` is what the card tells of the training.

    Raises
    ------
    CloudfreeError
        The network cannot be built, the model does not fit it, or it cannot take such crops.
    """
    own = dict(settings.network_settings)
    torch.manual_seed(settings.seed)
    network = build_network(settings.network, own)
    if start:
        before = load_network(find_card(start, settings.network))
        load_strictly(settings.network, network, before.state_dict(), start)
    entries = card_entries(settings.network, own)
    # Fewer levels than usual need less: the network knows better than the catalogue.
    multiple = int(getattr(network, "SIZE_MULTIPLE", entries["tile"]["multiple"]))
    _check_crop(settings, multiple)
    title = network_entry(settings.network)["title"]
    own_settings = {name: getattr(settings, name) for name in ("loss", "seed", "simulate_clouds")}
    training = {**facts, **own_settings}
    card = model_card(
        {
            **entries,
            "name": name,
            "weights": "",
            "weights_sha256": "",
            "description": f"{title}, trained with cloudfree train",
            "license": "none stated",
            "training": training,
        }
    )
    return InitialisedNetwork(network, dataclasses.replace(card, multiple=multiple))


def _check_crop(settings: TrainingSettings, multiple: int) -> None:
    if settings.crop % multiple:
        raise InputError(
            f"crop of {settings.crop} pixels for network {settings.network}",
            wanted=f"a multiple of {multiple}",
            hint="correct --crop",
        )
