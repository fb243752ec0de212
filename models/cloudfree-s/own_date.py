"""Score what clouds hide against the same date: held-out clear images under clouds of other places.

The clear image of a triplet is of another date than the cloudy one, and often of another season.
Here the truth is known: the clear image itself, under clouds lifted from the places that the fold
has learned from, three times each, with 15 to 65 % of the ground hidden.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from imagined_radar import Image
from numpy.typing import NDArray
from patches import Library, Patch
from samples import simulate_clouds
from torch import nn

from cloudfree.networks.cloudfree_s import (
    HIDDEN_SCORE,
    HIDING_SCORE,
    cloud_score,
    ground_visibility,
    rise,
)

SEED, TIMES, TRIALS = 77, 3, 60
HIDDEN_SHARE = (0.15, 0.65)
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


def score_own_date(network: nn.Module, patches: list[Patch], library: Library) -> dict[str, Any]:
    """Means over patches and clouds of PSNR and MAE of hidden pixels, raw result.

    ``mean_colour`` gives every hidden pixel the mean colour of those that are not.
    """
    rows = []
    for patch in patches:
        for cloudy, hidden in covered(patch, library):
            assert patch.clear is not None and patch.sar is not None
            with torch.inference_mode():
                seen = (torch.from_numpy(image)[None] for image in (cloudy, patch.sar))
                result = network(*seen)["image"][0].numpy().clip(0.0, 1.0)
            mean = cloudy[:, ~hidden].mean(axis=1, keepdims=True)
            truth = patch.clear[:, hidden]
            rows.append((*closeness(result[:, hidden], truth), *closeness(mean, truth)))
    psnr, mae, mean_psnr, mean_mae = np.mean(rows, axis=0).tolist()
    plain = {"psnr": mean_psnr, "mae": mean_mae}
    return {"images": len(rows), "raw": {"psnr": psnr, "mae": mae}, "mean_colour": plain}


def closeness(result: Image, truth: Image) -> tuple[float, float]:
    """PSNR in dB and MAE."""
    error = result - truth
    return float(-10.0 * np.log10(np.mean(error**2))), float(np.abs(error).mean())
