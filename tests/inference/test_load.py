"""Names and paths become models."""

from __future__ import annotations

import shutil
from pathlib import Path

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.inference.load import find_card
from tests.factories.checkpoints import save_checkpoint
from tests.factories.toy_network import plant


def test_an_added_network_is_recognised_by_its_tensors(monkeypatch, tmp_path: Path) -> None:
    weights = plant(monkeypatch, tmp_path) / "weights.safetensors"
    bare = tmp_path / "bare.safetensors"
    shutil.copy(weights, bare)
    card = find_card(str(bare)).card
    assert (card.network, card.optical_bands) == ("toy", OPTICAL_BANDS)
    assert find_card(str(save_checkpoint(tmp_path, "glf_cr"))).card.network == "glf_cr"
