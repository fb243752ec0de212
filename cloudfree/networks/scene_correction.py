"""SceneCorrection: what the radar of one scene tells of its colours, added to a restored image.

A network knows how backscatter and colour go together in all the scenes it was trained on. In one
scene, on one day, they go together more closely: this field is dark to the radar and green, that
one bright and bare. A few layers see what a network restored, what the clouds let through, and the
backscatter around each pixel, and tell how far the network is off. They are learned from the clear
ground of the scene in seconds (cloudfree/training/adaptation.py).

Shapes: ``n`` tiles of ``y`` times ``x`` pixels. Units: the scaled numbers of the network.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

NEIGHBOURHOODS_PX = (3, 7, 15, 31)  # sides of the squares whose backscatter is averaged
FARTHEST = 4.0  # standard deviations beyond which what is described counts as no farther


class SceneCorrection(nn.Module):
    """Tell, pixel by pixel, what to add to an image of ``bands``: nothing before it has learned.

    ``features`` is how many numbers `describe` makes of a pixel.
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
        return self.of_pixels(describe(image, optical, sar).movedim(1, -1)).movedim(-1, 1)

    def of_pixels(self, described: Tensor) -> Tensor:
        """The correction, (..., bands), of pixels as they are described, (..., features)."""
        standard = (described - self.mean) / self.deviation
        corrected: Tensor = self.layers(standard.clamp(-FARTHEST, FARTHEST))
        return corrected

    def get_used_to(self, described: Tensor) -> None:
        """Take the mean and the deviation of pixels, (pixel, features), for the usual ones."""
        self.mean.copy_(described.mean(dim=0))
        self.deviation.copy_(described.std(dim=0) + torch.finfo(described.dtype).eps)


def describe(image: Tensor, optical: Tensor | None, sar: Tensor | None) -> Tensor:
    """What a correction sees of each pixel, (n, features, y, x).

    The restored image; how far the scene is from it, which tells thin cloud and shadow; the
    backscatter of the pixel, its mean over squares around it and its deviation from that.
    """
    features = [image]
    if optical is not None:
        features.append(optical - image)
    if sar is not None:
        features.append(sar)
        for side in NEIGHBOURHOODS_PX:
            mean = _mean_around(sar, side)
            variance = _mean_around(sar.square(), side) - mean.square()
            features += [mean, variance.clamp(min=0.0).sqrt()]
    return torch.cat(features, dim=1)


def _mean_around(values: Tensor, side: int) -> Tensor:
    """Mean of each pixel's square, of what of it lies inside; rows first, which takes less time."""
    reach = side // 2
    rows = functional.avg_pool2d(values, (side, 1), 1, (reach, 0), count_include_pad=False)
    return functional.avg_pool2d(rows, (1, side), 1, (0, reach), count_include_pad=False)
