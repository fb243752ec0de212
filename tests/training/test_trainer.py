"""What a network in training makes of a patch, in reflectance."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from torch import Tensor, nn

from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.training.sampler import PatchArrays
from cloudfree.training.trainer import predict


class Last(nn.Module):
    """Gives the last two of its bands back, the last one first, and a matte behind them."""

    def forward(self, optical: Tensor) -> dict[str, Tensor]:
        return {"image": optical[:, [2, 1, 0]]}


def _card() -> ModelCard:
    limits = [[0.0, 1.0], [0.0, 2.0], [0.0, 4.0]]
    return model_card({
        "name": "toy", "network": "toy", "weights": "", "weights_sha256": "", "description": "",
        "license": "", "levels": ["L1C"], "inputs": ["optical"],
        "optical": {"bands": ["B02", "B03", "B04"], "clip": limits, "scale": [-1.0, 1.0]},
        "output": {"bands": ["B04", "B03"]}, "tile": {"size": 32, "overlap": 8, "multiple": 1},
    })  # fmt: skip


def test_bands_of_the_output_have_their_own_limits_and_a_matte_is_left() -> None:
    seen = np.random.default_rng(0).random((3, 8, 8), dtype=np.float32)
    run = SimpleNamespace(result=Last())
    plan = SimpleNamespace(inputs=("optical",), processes=SimpleNamespace(device="cpu"))
    filled = predict(run, plan, _card(), PatchArrays(seen, seen, None, None))
    assert np.allclose(filled, seen[[2, 1]], atol=1e-6)
