"""The clouds of a scene that an adaptation lays over its clear ground."""

from __future__ import annotations

import numpy as np

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.remove.adapt.clear_samples import WINDOW_PX
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import is_cloud_or_shadow
from cloudfree.simulation.cloud_layer import OPACITY_BANDS
from cloudfree.training.adaptation.examples import CloudTransplant, cut_transplant

# So many are enough for all lessons; to find them so many windows are looked at.
MAX_VEILS, MAX_EXAMINED = 40, 400
# With less cloud there is little to learn from, with more the network sees no ground beside it.
LEAST_HIDDEN, MOST_HIDDEN = 0.15, 0.95


def find_transplants(scene: RemovalScene, seed: int) -> tuple[CloudTransplant, ...]:
    """Clouds and shadows from any places of a scene, which is WINDOW_PX or more high and wide.

    There are none without a mask, nor for a model that does not restore all bands that it sees,
    among them those that tell opacity.
    """
    card, grid = scene.model.card, scene.optical.grid
    restores_all = card.output_bands == card.optical_bands
    if scene.mask is None or not restores_all or not set(OPACITY_BANDS) <= set(card.output_bands):
        return ()
    rng = np.random.default_rng((seed, 1))
    veils: list[CloudTransplant] = []
    for _ in range(MAX_EXAMINED):
        row = int(rng.integers(grid.height - WINDOW_PX + 1))
        col = int(rng.integers(grid.width - WINDOW_PX + 1))
        veil = _veil(scene, scene.mask, Window(row, col, WINDOW_PX, WINDOW_PX))
        veils += [veil] if veil else []
        if len(veils) == MAX_VEILS:
            break
    return tuple(veils)


def _veil(scene: RemovalScene, mask: MaskFile, window: Window) -> CloudTransplant | None:
    """What hides a window; None where that is too little or too much, or where data is missing."""
    classes = mask.classes(window)
    if not LEAST_HIDDEN <= is_cloud_or_shadow(classes).mean() <= MOST_HIDDEN:
        return None
    inputs = scene.load(window)
    restored = scene.model.predict([inputs])[0]
    if not (np.isfinite(inputs.optical).all() and np.isfinite(restored).all()):
        return None
    return cut_transplant(inputs.optical, restored, classes, scene.model.card.optical_bands)
