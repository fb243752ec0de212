"""The clouds of a scene, to transplant over its clear samples."""

from __future__ import annotations

import numpy as np

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.remove.adapt.clear_samples import WINDOW_PX
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import is_cloud_or_shadow
from cloudfree.simulation.cloud_layer import OPACITY_BANDS
from cloudfree.training.adaptation.examples import CloudTransplant, cut_transplant

# So many are enough for all examples; at most so many windows are examined to find them.
MAX_TRANSPLANTS, MAX_EXAMINED = 40, 400
# With less cloud there is little to train on, with more the network sees no ground beside it.
MIN_HIDDEN, MAX_HIDDEN = 0.15, 0.95


def find_transplants(scene: RemovalScene, seed: int) -> tuple[CloudTransplant, ...]:
    """Clouds and shadows from random windows of a scene, which is at least WINDOW_PX on each side.

    Empty without a mask, and for a model that does not predict all of its optical bands, or not the
    bands that give the opacity.
    """
    card, grid = scene.model.card, scene.optical.grid
    predicts_all = card.output_bands == card.optical_bands
    if scene.mask is None or not predicts_all or not set(OPACITY_BANDS) <= set(card.output_bands):
        return ()
    rng = np.random.default_rng((seed, 1))
    transplants: list[CloudTransplant] = []
    for _ in range(MAX_EXAMINED):
        row = int(rng.integers(grid.height - WINDOW_PX + 1))
        col = int(rng.integers(grid.width - WINDOW_PX + 1))
        found = _transplant(scene, scene.mask, Window(row, col, WINDOW_PX, WINDOW_PX))
        transplants += [found] if found else []
        if len(transplants) == MAX_TRANSPLANTS:
            break
    return tuple(transplants)


def _transplant(scene: RemovalScene, mask: MaskFile, window: Window) -> CloudTransplant | None:
    """The clouds of a window; None if it has too little or too much, or lacks data."""
    classes = mask.classes(window)
    if not MIN_HIDDEN <= is_cloud_or_shadow(classes).mean() <= MAX_HIDDEN:
        return None
    inputs = scene.load(window)
    filled = scene.model.predict([inputs])[0]
    if not (np.isfinite(inputs.optical).all() and np.isfinite(filled).all()):
        return None
    return cut_transplant(inputs.optical, filled, classes, scene.model.card.optical_bands)
