"""Trainings of seconds: a small data set made by code, and small networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cloudfree.commands.train import run as train
from cloudfree.commands.train.options import TrainOptions
from cloudfree.core.terminal import silent
from cloudfree.training.trainer import TrainResult
from tests.factories.sample_folders import write_triplet
from tests.inference.test_checkpoint import SMALL

SIDE = 64

# What a network needs beyond its small settings, and a crop that it can be trained on.
LEVELS = {"sar_opt_cgan": {"levels": 5}, "sar2opt": {"levels": 5}}
CROPS = {"mcgan": 128}


def write_patches(folder: Path, count: int = 3, side: int = SIDE) -> Path:
    """A folder of small patches with a round cloud each."""
    for number in range(count):
        write_triplet(folder, f"p{number}", side, seed=number)
    return folder


def words(settings: dict[str, Any]) -> tuple[str, ...]:
    """Settings of a network as they are given on the command line."""
    texts = {name: str(value).lower() for name, value in settings.items()}
    return tuple(f"{name}={text}" for name, text in texts.items())


def small(network: str) -> tuple[str, ...]:
    """The small form of a network."""
    return words({**SMALL.get(network, {}), **LEVELS.get(network, {})})


def run_training(
    data: Path, output: Path, network: str = "dsen2_cr", **options: Any
) -> TrainResult:
    """Train two steps on two crops by default."""
    own: dict[str, Any] = {
        "network_setting": small(network), "steps": 2, "batch_size": 2, "device": "cpu",
        "crop": CROPS.get(network, 32), "s2_offset": 0.0, **options,
    }  # fmt: skip
    return train.run(TrainOptions(network, (data,), output, **own), silent)
