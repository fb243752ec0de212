"""Score what clouds hide against the same date: held-out clear images under clouds of other places.

The clear image of a triplet is of another date than the cloudy one, and often of another season.
Here the truth is known: the clear image itself, under clouds lifted from other places, three
times each, with 15 to 65 % of the ground hidden. What lies in their shadows
is scored apart.
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from patches import Library, Patch
from samples import find_shade, simulate_clouds
from torch import nn

from cloudfree.core.radiometry import Float32 as Image
from cloudfree.networks.cloudfree_s import (
    HIDDEN_SCORE,
    HIDING_SCORE,
    cloud_score,
    ground_visibility,
    rise,
)

SEED, TIMES, TRIALS = 77, 3, 60
HIDDEN_SHARE = (0.15, 0.65)
OWN_DATE = ("own_date", "own_date_shadow")  # what is hidden by clouds, what lies in shadow
LEAST_PX = 300  # with fewer pixels in shadow an image tells nothing of shadows
MARGIN = np.ones((5, 5), np.uint8)  # how far masks reach beyond a shadow
Mask = NDArray[np.bool_]  # (y, x)


def covered(patch: Patch, library: Library) -> Iterator[tuple[Image, Mask]]:
    """Lay other places' clouds over a clear image: cloudy images, and what they hide."""
    assert patch.clear is not None
    found = 0
    for trial in range(TRIALS):
        rng = np.random.default_rng((SEED, int(patch.name), trial))
        cloudy = simulate_clouds(rng, patch.clear, library)
        score = cloud_score(torch.from_numpy(cloudy)[None])
        hidden = ground_visibility(rise(score, HIDING_SCORE, HIDDEN_SCORE))[0, 0].numpy() < 0.5
        if HIDDEN_SHARE[0] < hidden.mean() < HIDDEN_SHARE[1]:
            yield cloudy, hidden
            found += 1
        if found == TIMES:
            return


def score_own_date(
    network: nn.Module, patches: list[Patch], library: Library
) -> dict[str, dict[str, Any]]:
    """Means over patches and clouds of PSNR and MAE, raw result, by the names of OWN_DATE.

    ``mean_colour`` gives every hidden pixel the mean colour of those that are not.
    """
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in ("mean_colour", *OWN_DATE)}
    for patch in patches:
        for cloudy, hidden in covered(patch, library):
            assert patch.clear is not None and patch.sar is not None
            shade = find_shade(cloudy, patch.clear)
            result = restore(network, cloudy, patch.sar, cv2.dilate(shade, MARGIN))
            mean = cloudy[:, ~hidden].mean(axis=1, keepdims=True)
            rows["mean_colour"].append(closeness(mean, patch.clear[:, hidden]))
            dim = (shade > 0) & ~hidden
            for name, pixels in zip(OWN_DATE, (hidden, dim), strict=True):
                if pixels.sum() >= LEAST_PX:
                    rows[name].append(closeness(result[:, pixels], patch.clear[:, pixels]))
    return {name: means(found) for name, found in rows.items()}


def restore(network: nn.Module, cloudy: Image, sar: Image, shadow: NDArray[np.uint8]) -> Image:
    """Let the network restore an image: reflectance from 0 to 1."""
    inputs = (cloudy, sar, shadow[None].astype(np.float32))
    with torch.inference_mode():
        image = network(*(torch.from_numpy(one)[None] for one in inputs))["image"]
    restored: Image = image[0].numpy().clip(0.0, 1.0)
    return restored


def means(rows: list[tuple[float, float]]) -> dict[str, Any]:
    """Mean PSNR and MAE, and of how many images."""
    psnr, mae = np.mean(rows, axis=0).tolist()
    return {"images": len(rows), "psnr": psnr, "mae": mae}


def closeness(result: Image, truth: Image) -> tuple[float, float]:
    """PSNR in dB and MAE."""
    error = result - truth
    return float(-10.0 * np.log10(np.mean(error**2))), float(np.abs(error).mean())
