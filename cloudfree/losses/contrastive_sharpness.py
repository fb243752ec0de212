"""Contrastive sharpness: edges like those of the target, unlike those of haze and blur."""

from torch import Tensor
from torch.nn import functional

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
