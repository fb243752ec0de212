"""A network whose result is corrected by a small network fitted to one scene.

A network relates backscatter to colour over all the scenes it was trained on. In one scene, on one
day, the relation is closer: this field is dark to the radar and green, that one bright and bare. A
few layers take the predicted image, the light that passes the clouds, and the backscatter around
each pixel, and predict the residual of the network. They are trained on the clear ground of the
scene in seconds (cloudfree/training/adaptation/fit.py).

Shapes: ``n`` tiles of ``y`` times ``x`` pixels. Units: the scaled numbers of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudfree.core.radiometry import Float32
from cloudfree.inference.date_series import DATES
from cloudfree.inference.devices import memory_errors
from cloudfree.inference.model import Arrays, Runtime

BLOCK_PX = 2  # pixels that share a correction: a quarter of the time, and radar is no finer
NEIGHBOURHOODS = (3, 7, 15)  # sides, in blocks, of the squares whose backscatter is averaged
FARTHEST = 4.0  # standard deviations at which features are clipped
# Root mean square of an image's standard scores up to which the correction holds in full, and from
# which not at all: one trained at sea does not hold on land (docs/adapt.md).
FAMILIAR, STRANGE = 1.5, 2.5


class SceneCorrection(nn.Module):
    """Predict, block by block, what to add to an image of ``bands``; zero before training.

    ``features`` is how many numbers `features_of` gives for a block.
    """

    def __init__(self, features: int, bands: int, channels: int = 64) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        last = nn.Linear(channels, bands)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(
            nn.Linear(features, channels), nn.SiLU(),
            nn.Linear(channels, channels), nn.SiLU(),
            last,
        )  # fmt: skip

    def forward(self, image: Tensor, optical: Tensor | None, sar: Tensor | None) -> Tensor:
        """The correction, (n, bands, y, x), of a predicted ``image`` of that shape.

        ``optical`` is the cloudy input of the same bands, ``sar`` (n, sar_bands, y, x).
        """
        blocks = self.correct_blocks(features_of(image, optical, sar).movedim(1, -1)).movedim(-1, 1)
        wide = functional.interpolate(
            blocks, scale_factor=float(BLOCK_PX), mode="bilinear", align_corners=False
        )
        return wide[..., : image.shape[2], : image.shape[3]]

    def correct_blocks(self, features: Tensor) -> Tensor:
        """The correction, (..., bands), of blocks with ``features``, (..., features).

        It fades out where the image is unlike those that it was trained on.
        """
        standard = (features - self.mean) / self.deviation
        change: Tensor = self.layers(standard.clamp(-FARTHEST, FARTHEST))
        image = standard[..., : change.shape[-1]]
        distance = image.square().mean(dim=-1, keepdim=True).sqrt()
        return change * ((STRANGE - distance) / (STRANGE - FAMILIAR)).clamp(0.0, 1.0)

    def fit_normalisation(self, features: Tensor) -> None:
        """Set mean and standard deviation to those of blocks, (block, features)."""
        self.mean.copy_(features.mean(dim=0))
        self.deviation.copy_(features.std(dim=0) + torch.finfo(features.dtype).eps)


def features_of(image: Tensor, optical: Tensor | None, sar: Tensor | None) -> Tensor:
    """Features of each block of (n, bands, y, x): (n, features, y/2, x/2).

    The predicted image; the difference of the cloudy one, which shows thin cloud and shadow; the
    backscatter of the block, its mean over squares around it and its deviation from that.
    """
    features = [blocks_of(image)]
    if optical is not None:
        features.append(blocks_of(optical) - features[0])
    if sar is not None:
        coarse = blocks_of(sar)
        features.append(coarse)
        for side in NEIGHBOURHOODS:
            mean = _mean_around(coarse, side)
            variance = _mean_around(coarse.square(), side) - mean.square()
            features += [mean, variance.clamp(min=0.0).sqrt()]
    return torch.cat(features, dim=1)


def blocks_of(pixels: Tensor) -> Tensor:
    """Means over blocks, (n, bands, y/2, x/2); the last ones may be narrower."""
    return functional.avg_pool2d(pixels, BLOCK_PX, ceil_mode=True)


def _mean_around(values: Tensor, side: int) -> Tensor:
    """Mean of the square around each block, within the image; rows first is faster."""
    reach = side // 2
    rows = functional.avg_pool2d(values, (side, 1), 1, (reach, 0), count_include_pad=False)
    return functional.avg_pool2d(rows, (1, side), 1, (0, reach), count_include_pad=False)


@dataclass(frozen=True)
class AdaptedRuntime:
    """Another runtime, to whose image a `share` of a correction is added.

    `indices` are those of the bands of the image among the optical bands.
    """

    runtime: Runtime
    correction: SceneCorrection
    indices: Sequence[int]
    share: float

    @property
    def description(self) -> str:
        """That of the other runtime."""
        return self.runtime.description

    @property
    def batch(self) -> int:
        """That of the other runtime."""
        return self.runtime.batch

    def parallel_batches(self) -> AbstractContextManager[int]:
        """That of the other runtime."""
        return self.runtime.parallel_batches()

    def run(self, inputs: Arrays) -> Arrays:
        """The outputs of the other runtime, with the image corrected.

        Raises
        ------
        MemoryError
            The batch is too much for the device.
        """
        outputs = self.runtime.run(inputs)
        with memory_errors(torch.cuda.empty_cache), torch.inference_mode():
            tensors = tensors_of(outputs["image"], inputs, self.indices)
            device = self.correction.mean.device
            image, optical, sar = (None if one is None else one.to(device) for one in tensors)
            assert image is not None
            correction = self.correction(image, optical, sar)
            corrected = torch.add(image, correction, alpha=self.share)
            return {**outputs, "image": corrected.cpu().numpy()}


def tensors_of(
    image: Float32, inputs: Arrays, indices: Sequence[int]
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Inputs of a correction: predicted image, cloudy image of the same bands, and SAR.

    Shapes: (n, bands, y, x) of both images, (n, sar_bands, y, x). Inputs that the network does not
    use are None. Of several dates it is that of the tile, the first.
    """
    optical, sar = inputs.get("optical"), inputs.get("sar")
    if DATES in inputs:
        optical, sar = (None if one is None else one[:, 0] for one in (optical, sar))
    if optical is not None and list(indices) != list(range(optical.shape[1])):
        optical = optical[:, list(indices)]
    return (
        torch.as_tensor(image[:, : len(indices)]),
        None if optical is None else torch.as_tensor(optical),
        None if sar is None else torch.as_tensor(sar),
    )
