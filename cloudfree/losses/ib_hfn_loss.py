"""The joint objective of IB-HFN and how its weights change while the network learns.

First the image: pixels and structure. Soon the spectra and the bottleneck join, sharpness when the
colours have settled. Source: the abstract of arXiv 2606.09347 names the terms; weights and schedule
are our design.
"""

import math
from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional

from cloudfree.losses.contrastive_sharpness import contrastive_sharpness
from cloudfree.losses.kl_divergence import bottleneck_divergence
from cloudfree.losses.masked import over_bands
from cloudfree.losses.pixel import charbonnier
from cloudfree.losses.spectral_angle import spectral_angle_loss
from cloudfree.losses.structural_similarity import similarity_loss

SIMILARITY, ANGLE, SHARPNESS, BOTTLENECK, GATE = 0.2, 0.1, 0.05, 1e-3, 0.05  # weights at their full
ANGLE_FULL, BOTTLENECK_FULL = 0.1, 0.2  # progress at which a rising weight is full
SHARPNESS_START, SHARPNESS_RISE = 0.3, 0.4


def joint_objective(
    outputs: Mapping[str, Tensor],
    target: Tensor,
    cloudy: Tensor,
    progress: float,
    mask: Tensor | None = None,
) -> Tensor:
    """The weighted sum of all terms at ``progress``, 0 (first step) to 1 (last step).

    ``outputs`` are those of the network in training mode. With a cloud ``mask`` the gate is taught
    to see clear sky.
    """
    found = terms(outputs, target, cloudy, mask)
    weight = weights(progress)
    return sum((weight[name] * term for name, term in found.items()), start=target.new_zeros(()))


def terms(
    outputs: Mapping[str, Tensor], target: Tensor, cloudy: Tensor, mask: Tensor | None = None
) -> dict[str, Tensor]:
    """Each term by name, not weighted."""
    image = outputs["image"]
    found = {
        "reconstruction": charbonnier(image, target),
        "similarity": similarity_loss(image, target),
        "angle": spectral_angle_loss(image, target),
        "sharpness": contrastive_sharpness(image, target, cloudy),
        "bottleneck": bottleneck_divergence(outputs["mu"], outputs["log_sigma"]),
    }
    return found if mask is None else {**found, "gate": gate_loss(outputs["gate"], mask)}


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
