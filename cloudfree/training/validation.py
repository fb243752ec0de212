"""How a network does on patches that it does not learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from cloudfree.core.radiometry import Float32
from cloudfree.inference.model_card import ModelCard
from cloudfree.metrics.bootstrap import mean_metrics
from cloudfree.metrics.image_metrics import Metrics, score
from cloudfree.metrics.protocol import NATIVE
from cloudfree.training.patch_cache import PatchArrays, PatchStore
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


# Patches of a validation, spread over those there are: enough to see a run go astray, few enough
# to look after every epoch.
VALIDATED = 64


@dataclass(frozen=True)
class Validation:
    """The patches that tell; of each the square in its middle that has the size of a crop."""

    store: PatchStore

    def figures(self, run: TrainState, plan: TrainPlan, card: ModelCard) -> Metrics:
        """Means over the patches of the figures of the raw prediction, in the native protocol."""
        places = [card.optical_bands.index(band) for band in card.output_bands]

        def figures_of(pixels: PatchArrays) -> Metrics:
            seen = middle(pixels, plan.settings.crop)
            restored = NATIVE.restored(predict(run, plan, card, seen))
            return score(NATIVE.observed(seen.clear[places]), restored)

        there = (self.store.get(index) for index in range(len(self.store.samples)))
        return mean_metrics([figures_of(pixels) for pixels in there if pixels]).figures
