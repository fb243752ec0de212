"""Checkpoints of small networks, without a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from cloudfree.inference.checkpoint import build_network
from tests.factories.networks import lively
from tests.inference.test_checkpoint import SMALL


def save_checkpoint(folder: Path, name: str, **settings: Any) -> Path:
    """A bare checkpoint of a small network."""
    path = folder / f"{name}.pth"
    network = lively(build_network(name, {**SMALL[name], **settings}))
    torch.save({"epoch": 3, "state_dict": network.state_dict()}, path)
    return path
