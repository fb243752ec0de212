"""The network of the default cloud detector: classes of cells of 2 x 2 pixels.

A U-shaped network that works at 1/2 to 1/32 of the resolution of the cells, so that it sees a few
kilometres around a pixel and a full tile takes seconds on a processor; what a cell is then follows
from that and from the cell's own spectrum. Which bands a scene has is an input beside the pixels,
so one network serves every level and band subset.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudfree.inference.export import known_warnings_silenced, without_source_paths

BLOCK = 2  # side, in cells, of what the first convolution takes at once
STRIDE = 32  # height and width in cells are multiples of it
MOST_STRIDES = 1000  # of a side, which the exporter wants to know
CLASSES = 5  # clear, cloud, shadow, snow, thin cloud
CELL_FEATURES = 16
SPARED_SHARE = 0.15
# Of which pairs of bands the normalised difference tells sand, snow and plants from cloud, whatever
# the light.
DIFFERENCES = (("B02", "B04"), ("B03", "B11"), ("B08", "B04"))
DARKEST = 0.02  # sum of two bands below which their difference says little


class Refinement(nn.Module):
    """A 3 x 3 convolution with normalisation, added to its input; channels and size stay."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Refine (n, channels, y, x)."""
        refined: Tensor = features + functional.relu(self.norm(self.convolution(features)))
        return refined


class CloudDetector(nn.Module):
    """Logits of the classes of each cell.

    Shapes: ``optical`` (n, bands, y, x), mean reflectance of each cell of 2 x 2 pixels, 0 where a
    band is missing, y and x multiples of 32; ``present`` (n, bands), 1 for each band that the scene
    has, else 0. Gives (n, classes, y, x).
    """

    def __init__(self, names: Sequence[str], widths: Sequence[int] = (16, 32, 64, 96, 96)) -> None:
        super().__init__()
        self.pairs = [(names.index(one), names.index(other)) for one, other in DIFFERENCES]
        bands = len(names)
        seen = bands + len(self.pairs)
        self.look = nn.Conv2d(seen, widths[0], BLOCK, stride=BLOCK)
        self.bands = nn.Linear(bands, widths[0] + widths[-1])
        self.first = Refinement(widths[0])
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        self.described = nn.ModuleList(
            nn.Sequential(Refinement(width), Refinement(width)) for width in widths[1:]
        )
        # A part of what the coarsest level says is held back: alone it is not to decide.
        self.spared = nn.Dropout2d(SPARED_SHARE)
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(pairs))
        self.joined = nn.ModuleList(Refinement(a) for a, _ in reversed(pairs))
        self.around = nn.Conv2d(widths[0], CELL_FEATURES * BLOCK**2, 1)
        self.own = nn.Conv2d(seen, CELL_FEATURES, 1)
        self.classes = nn.Conv2d(CELL_FEATURES, CLASSES, 1)

    def forward(self, optical: Tensor, present: Tensor) -> Tensor:
        """Logits of (n, bands, y, x) and of the bands present, (n, bands)."""
        first, last = self.look.out_channels, self.bands.out_features - self.look.out_channels
        given = self.bands(present)[:, :, None, None]
        near, far = given.split([first, last], dim=1)
        seen = self._seen(optical.clamp(0.0, 2.0), present)
        features = self.first(functional.relu(self.look(seen) + near))
        levels = [features]
        for down, described in zip(self.down, self.described, strict=True):
            features = described(functional.relu(down(features)))
            levels.append(features)
        features = self.spared(levels.pop() + far)
        for up, joined in zip(self.up, self.joined, strict=True):
            # Repeated cells would show the coarsest of them as squares of 640 m.
            wide = functional.interpolate(up(features), scale_factor=2.0, mode="bilinear")
            features = joined(wide + levels.pop())
        around = functional.pixel_shuffle(self.around(features), BLOCK)
        logits: Tensor = self.classes(functional.relu(around + self.own(seen)))
        return logits

    def _seen(self, optical: Tensor, present: Tensor) -> Tensor:
        """What is made of reflectance: its root, and normalised differences of bands."""
        # The square root parts dark from darker, as shadow and water are.
        planes = [optical.sqrt()]
        for one, other in self.pairs:
            first, second = optical[:, one : one + 1], optical[:, other : other + 1]
            known = (present[:, one] * present[:, other])[:, None, None, None]
            planes.append(known * (first - second) / (first + second).clamp(min=DARKEST))
        return torch.cat(planes, dim=1)


class Probabilities(nn.Module):
    """A detector that gives probabilities, (n, classes, y, x), in place of logits."""

    def __init__(self, network: CloudDetector) -> None:
        super().__init__()
        self.network = network

    def forward(self, optical: Tensor, present: Tensor) -> Tensor:
        """Probabilities of the classes; shapes as for the detector."""
        logits = self.network(optical, present)
        # A softmax over channels takes ONNX Runtime a third of the whole; these take a tenth of it.
        shares = (logits - logits.amax(dim=1, keepdim=True)).exp()
        probabilities: Tensor = shares / shares.sum(dim=1, keepdim=True)
        return probabilities


def write_detector(network: CloudDetector, path: Path) -> None:
    """Write a network as the ONNX file of a detector, for scenes of any height and width."""
    bands = network.bands.in_features
    example = (torch.rand(1, bands, 2 * STRIDE, 3 * STRIDE), torch.ones(1, bands))
    rows, cols = (torch.export.Dim(name, min=1, max=MOST_STRIDES) for name in ("rows", "cols"))
    with known_warnings_silenced():
        program = torch.onnx.export(
            Probabilities(network).eval(),
            example,
            dynamo=True,
            external_data=False,
            verbose=False,
            input_names=["optical", "present"],
            output_names=["probabilities"],
            dynamic_shapes={
                "optical": {2: STRIDE * rows, 3: STRIDE * cols},
                "present": None,
            },
        )
    assert program is not None
    path.write_bytes(without_source_paths(program.model_proto).SerializeToString())
