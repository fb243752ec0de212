"""The smallest training: one convolution, and batches of random numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.registry import card_entries
from cloudfree.training.distributed import ALONE, Processes
from cloudfree.training.loss_registry import loss_named
from cloudfree.training.sampler import Batch
from cloudfree.training.settings import choose_settings
from cloudfree.training.step import TrainPlan
from cloudfree.training.train_state import TrainState, start_training_state

BANDS, SIDE = 13, 32


class Tiny(nn.Module):
    """A convolution and, by default, a norm layer that keeps statistics."""

    def __init__(self, norm: bool = True) -> None:
        super().__init__()
        last = nn.BatchNorm2d(BANDS) if norm else nn.Identity()
        self.layers = nn.Sequential(nn.Conv2d(BANDS, BANDS, 3, padding=1), last)

    def forward(self, optical: Tensor) -> dict[str, Tensor]:
        return {"image": self.layers(optical)}


def batch(count: int = 2, seed: int = 0, factor: float = 1.0, part: slice = slice(None)) -> Batch:
    """A part of so many patches; `factor` scales the target."""
    draw = torch.Generator().manual_seed(seed)
    optical, target = torch.rand(2, count, BANDS, SIDE, SIDE, generator=draw)
    files = tuple(f"{number}.tif" for number in range(count))[part]
    valid = torch.ones_like(target).bool()[part]
    return Batch(
        files, {"optical": optical[part]}, optical[part], factor * target[part], valid, None
    )


def begin(
    loss: str, processes: Processes = ALONE, norm: bool = True, **changes: Any
) -> tuple[TrainState, TrainPlan]:
    """A run of ten steps, before the first."""
    settings = choose_settings("none", {"loss": loss, "optimiser": "sgd", **changes})
    torch.manual_seed(1)
    objective = loss_named(loss)
    run = start_training_state(Tiny(norm), _card(), settings, objective, processes)
    return run, TrainPlan(settings, objective, ("optical",), (0.0, 1.0), 10, 5.0, processes)


def _card() -> ModelCard:
    own = {"name": "a", "weights": "", "weights_sha256": ""}
    return model_card({**card_entries("dsen2_cr", {}), **own, "inputs": ["optical"], "sar": None})
