"""A network whose result is corrected by what was learned of one scene.

A network knows how backscatter and colour go together in all the scenes it was trained on. In one
scene, on one day, they go together more closely: this field is dark to the radar and green, that
one bright and bare. A few layers see what a network restored, what the clouds let through, and the
backscatter around each pixel, and tell how far the network is off. They are learned from the clear
ground of the scene in seconds (cloudfree/training/adaptation/fit.py).

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
from cloudfree.inference.devices import memory_errors
from cloudfree.inference.model import Arrays, Runtime

BLOCK_PX = 2  # what is corrected alike: a quarter of the time, and radar is no finer
NEIGHBOURHOODS = (3, 7, 15)  # sides, in blocks, of the squares whose backscatter is averaged
FARTHEST = 4.0  # standard deviations beyond which what is described counts as no farther
# Root mean square of an image's standard deviations up to which its ground is familiar, and from
# which it is not: a correction learned at sea says nothing of land (docs/adapt.md).
FAMILIAR, STRANGE = 1.5, 2.5


class SceneCorrection(nn.Module):
    """Tell, block by block, what to add to an image of ``bands``: nothing before it has learned.

    ``features`` is how many numbers `describe` makes of a block.
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
        """The correction, (n, bands, y, x), of a restored ``image`` of that shape.

        ``optical`` is what the network saw of the same bands, ``sar`` (n, sar_bands, y, x).
        """
        blocks = self.correct_blocks(describe(image, optical, sar).movedim(1, -1)).movedim(-1, 1)
        wide = functional.interpolate(
            blocks, scale_factor=float(BLOCK_PX), mode="bilinear", align_corners=False
        )
        return wide[..., : image.shape[2], : image.shape[3]]

    def correct_blocks(self, described: Tensor) -> Tensor:
        """The correction, (..., bands), of blocks as they are described, (..., features).

        It fades out where the image is unlike those that it learned from.
        """
        standard = (described - self.mean) / self.deviation
        change: Tensor = self.layers(standard.clamp(-FARTHEST, FARTHEST))
        image = standard[..., : change.shape[-1]]
        distance = image.square().mean(dim=-1, keepdim=True).sqrt()
        return change * ((STRANGE - distance) / (STRANGE - FAMILIAR)).clamp(0.0, 1.0)

    def fit_normalisation(self, described: Tensor) -> None:
        """Take the mean and the deviation of blocks, (block, features), for the usual ones."""
        self.mean.copy_(described.mean(dim=0))
        self.deviation.copy_(described.std(dim=0) + torch.finfo(described.dtype).eps)


def describe(image: Tensor, optical: Tensor | None, sar: Tensor | None) -> Tensor:
    """What a correction sees of each block of (n, bands, y, x): (n, features, y/2, x/2).

    The restored image; how far the scene is from it, which tells thin cloud and shadow; the
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
    """Mean of the square around each block, of what of it lies inside; rows first is faster."""
    reach = side // 2
    rows = functional.avg_pool2d(values, (side, 1), 1, (reach, 0), count_include_pad=False)
    return functional.avg_pool2d(rows, (1, side), 1, (0, reach), count_include_pad=False)


@dataclass(frozen=True)
class AdaptedRuntime:
    """Another runtime, to whose image a `share` of a correction is added.

    `places` are those that the bands of the image have among the optical bands.
    """

    runtime: Runtime
    correction: SceneCorrection
    places: Sequence[int]
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
        """What the other runtime predicts, with its image corrected.

        Raises
        ------
        MemoryError
            The batch is too much for the device.
        """
        outputs = self.runtime.run(inputs)
        with memory_errors(torch.cuda.empty_cache), torch.inference_mode():
            seen = tensors_of(outputs["image"], inputs, self.places)
            device = self.correction.mean.device
            image, optical, sar = (None if one is None else one.to(device) for one in seen)
            assert image is not None
            change = self.correction(image, optical, sar)
            corrected = torch.add(image, change, alpha=self.share)
            return {**outputs, "image": corrected.cpu().numpy()}


def tensors_of(
    image: Float32, inputs: Arrays, places: Sequence[int]
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """What a correction looks at: a restored image, what was seen of the same bands, and the SAR.

    Shapes: (n, bands, y, x) of the image and the optical part, (n, sar_bands, y, x). What the
    network does not look at is None.
    """
    optical, sar = inputs.get("optical"), inputs.get("sar")
    if optical is not None and list(places) != list(range(optical.shape[1])):
        optical = optical[:, list(places)]
    return (
        torch.as_tensor(image[:, : len(places)]),
        None if optical is None else torch.as_tensor(optical),
        None if sar is None else torch.as_tensor(sar),
    )
