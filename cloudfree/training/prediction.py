"""What the network of a run makes of a patch meanwhile."""

from __future__ import annotations

import numpy as np
import torch

from cloudfree.core.radiometry import Float32
from cloudfree.inference.model_card import ModelCard
from cloudfree.training.patch_cache import PatchArrays
from cloudfree.training.sampler import collate, scaled_crop
from cloudfree.training.step import TrainPlan
from cloudfree.training.train_state import TrainState


def predict(run: TrainState, plan: TrainPlan, card: ModelCard, pixels: PatchArrays) -> Float32:
    """Restored reflectance of the bands of the card, (band, y, x); no side more than a crop."""
    batch = collate([scaled_crop(pixels, card, "")]).to(plan.processes.device)
    network = run.result
    learning = network.training
    network.eval()
    with torch.inference_mode():
        image = network(*(batch.inputs[name] for name in plan.inputs))["image"]
    network.train(learning)
    restored = image[0, : len(card.output_bands)].float().cpu().numpy()
    return card.output_scaling.inverse(np.asarray(restored))


def middle(pixels: PatchArrays, side: int) -> PatchArrays:
    """The square of `side` pixels in the middle."""
    row, col = ((length - side) // 2 for length in pixels.size)
    return pixels.part(row, col, side)
