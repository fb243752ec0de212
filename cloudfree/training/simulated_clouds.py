"""Clear images under drawn and real clouds, as samples to learn from.

Real clouds come from the patches that are learned from and from no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cloudfree.simulation.add_clouds import draw_cloud_parameters, make_atmosphere
from cloudfree.simulation.atmosphere import apply_atmosphere
from cloudfree.simulation.cloud_layer import OPACITY_BANDS, CloudLayer, cut_layer
from cloudfree.training.patch_cache import PatchArrays, PatchStore

# Patches that are looked at for one with real clouds; then clouds are drawn.
_TRIES = 3
# With less cloud than this a patch has none to give.
_LEAST_COVER = 0.05


def under_simulated_clouds(
    pixels: PatchArrays, bands: Sequence[str], store: PatchStore, rng: np.random.Generator
) -> PatchArrays:
    """The patch with its clear image under any weather in place of the cloudy one.

    Where the loss needs the cloud mask, it is the true one.
    """
    weather = draw_cloud_parameters(rng)
    layers = [layer] if weather.real and (layer := _real_cloud(bands, store, rng)) else []
    sky = make_atmosphere(pixels.size, weather, rng, layers)
    classes = None if pixels.classes is None else sky.mask
    return replace(pixels, cloudy=apply_atmosphere(pixels.clear, sky, bands), classes=classes)


def _real_cloud(
    bands: Sequence[str], store: PatchStore, rng: np.random.Generator
) -> CloudLayer | None:
    """The cloud of any patch; None where none was found."""
    if not set(OPACITY_BANDS) <= set(bands):
        return None
    for index in rng.integers(len(store.samples), size=_TRIES):
        donor = store.get(int(index)) if store.samples[index].has_cloudy else None
        if donor is not None:
            layer = cut_layer(donor.cloudy, donor.clear, bands)
            if layer.cover >= _LEAST_COVER:
                return layer
    return None
