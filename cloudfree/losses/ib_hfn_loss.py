"""The joint loss of IB-HFN, its terms and how their weights change with the epoch.

First the image: pixels and structure. Soon the spectra and the bottleneck join, sharpness when the
colours have settled. Source: the abstract of arXiv 2606.09347 names the terms; weights and schedule
are our design.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping

from torch import Tensor
from torch.nn import functional

from cloudfree.losses.pixel import charbonnier, over_bands, spectral_angle_loss
from cloudfree.losses.structural_similarity import similarity_loss


def bottleneck_divergence(mu: Tensor, log_sigma: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence of normal distributions from the standard one; in nats.

    ``log_sigma`` is the logarithm of the standard deviation; both shapes broadcast. At least 0.

    Source: Alemi et al., Deep variational information bottleneck, ICLR 2017.
    """
    log_variance = 2 * log_sigma
    return 0.5 * (mu.square() + log_variance.exp() - 1 - log_variance).mean()


BLUR_PX = 5
FLAT = 1e-6  # keeps the ratio finite where nothing has an edge


def contrastive_sharpness(image: Tensor, target: Tensor, cloudy: Tensor) -> Tensor:
    """Distance of edges to the target's over the distances to two bad examples; 0 is best.

    The bad examples are the input ``cloudy`` and the blurred target. One ratio for each image of
    the batch, then their mean.
    """
    edges = laplacian(image)
    good = _distance(edges, laplacian(target))
    bad = _distance(edges, laplacian(cloudy)) + _distance(edges, laplacian(blurred(target)))
    return (good / (bad + FLAT)).mean()


def laplacian(image: Tensor) -> Tensor:
    """Sum of the four neighbours less four times the pixel: (n, band, y, x) to y - 2 and x - 2."""
    rows, columns = image[:, :, :, 1:-1], image[:, :, 1:-1]
    centre = rows[:, :, 1:-1]
    vertical = rows[:, :, :-2] + rows[:, :, 2:]
    return vertical + columns[..., :-2] + columns[..., 2:] - 4 * centre


def blurred(image: Tensor) -> Tensor:
    """Mean of the 5 x 5 pixels around each, or of those inside the image."""
    reach = BLUR_PX // 2
    return functional.avg_pool2d(image, BLUR_PX, 1, reach, count_include_pad=False)


def _distance(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).abs().mean(dim=(1, 2, 3))  # (n,)


# The terms, and the outputs of the network that each needs besides the image.
TERMS: Mapping[str, tuple[str, ...]] = {
    "reconstruction": (),
    "similarity": (),
    "angle": (),
    "sharpness": (),
    "gate": ("gate",),
    "bottleneck": ("mu", "log_sigma"),
}

SIMILARITY, ANGLE, SHARPNESS, BOTTLENECK, GATE = 0.2, 0.1, 0.05, 1e-3, 0.05  # weights at their full
ANGLE_FULL, BOTTLENECK_FULL = 0.1, 0.2  # progress at which a rising weight is full
SHARPNESS_START, SHARPNESS_RISE = 0.3, 0.4


def joint_objective(
    outputs: Mapping[str, Tensor],
    target: Tensor,
    cloudy: Tensor,
    progress: float,
    mask: Tensor | None = None,
    without: Collection[str] = (),
) -> Tensor:
    """The weighted sum of all terms at ``progress``, 0 (first step) to 1 (last step).

    ``outputs`` are those of the network in training mode. With a cloud ``mask`` the gate is taught
    to see clear sky. Terms named in ``without`` are left out.
    """
    found = terms(outputs, target, cloudy, mask, without)
    weight = weights(progress)
    return sum((weight[name] * term for name, term in found.items()), start=target.new_zeros(()))


def terms(
    outputs: Mapping[str, Tensor],
    target: Tensor,
    cloudy: Tensor,
    mask: Tensor | None = None,
    without: Collection[str] = (),
) -> dict[str, Tensor]:
    """Each term by name, not weighted."""
    image = outputs["image"]
    found: dict[str, Callable[[], Tensor]] = {
        "reconstruction": lambda: charbonnier(image, target),
        "similarity": lambda: similarity_loss(image, target),
        "angle": lambda: spectral_angle_loss(image, target),
        "sharpness": lambda: contrastive_sharpness(image, target, cloudy),
        "bottleneck": lambda: bottleneck_divergence(outputs["mu"], outputs["log_sigma"]),
    }
    if mask is not None:
        found["gate"] = lambda: gate_loss(outputs["gate"], mask)
    return {name: term() for name, term in found.items() if name not in without}


def weights(progress: float) -> dict[str, float]:
    """The weight of each term at ``progress``, 0 to 1."""
    risen = min(max((progress - SHARPNESS_START) / SHARPNESS_RISE, 0.0), 1.0)
    return {
        "reconstruction": 1.0,
        "similarity": SIMILARITY,
        "angle": ANGLE * min(1.0, progress / ANGLE_FULL),
        "sharpness": SHARPNESS * 0.5 * (1.0 - math.cos(math.pi * risen)),
        "bottleneck": BOTTLENECK * min(1.0, progress / BOTTLENECK_FULL),
        "gate": GATE,
    }


def gate_loss(gate: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy of ``gate`` (n, 1, y, x), 1 = clear, and the clear share of ``mask``.

    The mask is (n, k * y, k * x) for a whole number k.
    """
    factor = mask.shape[1] // gate.shape[2]
    clear = 1.0 - functional.avg_pool2d(over_bands(mask, gate), factor)
    return functional.binary_cross_entropy(gate, clear)
