"""A network added by the recipe of docs/architecture.md: one file, one table, one card."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import cloudfree.networks
from cloudfree.inference import registry as catalogue
from cloudfree.inference.model_card import card_entries_of, model_card, toml_text
from cloudfree.inference.registry import card_entries

FILE = '''
"""Toy: answers one reflectance for each band, a little brighter where SAR is."""

import torch
from torch import Tensor, nn


class Toy(nn.Module):
    """`side` makes it answer tiles of one size alone."""

    def __init__(self, side: int = 1) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.full((13, side, side), 0.1234))

    def forward(self, optical: Tensor, sar: Tensor) -> dict[str, Tensor]:
        return {"image": 0 * optical + self.level, "radar": sar * 2}


def infer_settings(shapes):
    return {"side": shapes["level"][1]} if list(shapes) == ["level"] else None
'''

ROW = """
title = "Toy"
module = "toy"
class = "Toy"
paper = "none"
weights_license = "CC0-1.0"
inputs = ["optical", "sar"]
outputs = ["radar"]
dates = "one"
multiple = 4
tile = 32
overlap = 8
optical = { clip = [0.0, 1.0], scale = [0.0, 1.0] }
sar = { clip = [[-25.0, 0.0], [-32.5, 0.0]], scale = [0.0, 1.0] }
levels = ["L1C"]
"""


def plant(monkeypatch: pytest.MonkeyPatch, folder: Path, side: int = 1) -> Path:
    """Add the file, the row and the card; returns the folder of the model."""
    (folder / "networks").mkdir()
    (folder / "networks" / "toy.py").write_text(FILE)
    monkeypatch.setattr(
        cloudfree.networks, "__path__", [*cloudfree.networks.__path__, str(folder / "networks")]
    )
    table = catalogue._catalogue()
    networks = {**table["networks"], "toy": tomllib.loads(ROW)}
    monkeypatch.setattr(catalogue, "_catalogue", lambda: {**table, "networks": networks})
    model = folder / "models" / "toy-one"
    model.mkdir(parents=True)
    save_file({"level": torch.full((13, side, side), 0.1234)}, model / "weights.safetensors")
    card = {
        **card_entries("toy", {"side": side}),
        "name": "toy-one",
        "weights": "weights.safetensors",
        "weights_sha256": _sha256(model / "weights.safetensors"),
    }
    (model / "card.toml").write_text(toml_text(card_entries_of(model_card(card))))
    monkeypatch.setenv("CLOUDFREE_MODELS", str(model.parent))
    return model


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
