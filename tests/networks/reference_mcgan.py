"""McGAN once more, as plainly as its specification: the yardstick for results and for speed.

No dropout: a reference is for eval mode. Names of the tensors and shapes are those of the network
itself.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ReferenceStep(nn.Module):
    """A 4 x 4 convolution of stride 2, plain or transposed, and its batch norm."""

    def __init__(self, convolution: nn.Module, made: int) -> None:
        super().__init__()
        self.c = convolution
        self.batchnorm = nn.BatchNorm2d(made)

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.batchnorm(self.c(features))
        return result


class ReferenceMcGan(nn.Module):
    """c0..c7 go down, dc0..dc7 come up; decoder before encoder where they meet."""

    def __init__(self, bands_in: int = 4, bands_out: int = 4, channels: int = 64) -> None:
        super().__init__()
        widths = [channels * times for times in (1, 2, 4, 8, 8, 8, 8, 8)]
        self.c0 = nn.Conv2d(bands_in, widths[0], 3, padding=1)
        for level in range(1, 8):
            down = nn.Conv2d(widths[level - 1], widths[level], 4, stride=2, padding=1)
            self.add_module(f"c{level}", ReferenceStep(down, widths[level]))
        for level in range(7):
            seen, made = widths[7 - level] * (1 if level == 0 else 2), widths[6 - level]
            up = nn.ConvTranspose2d(seen, made, 4, stride=2, padding=1)
            self.add_module(f"dc{level}", ReferenceStep(up, made))
        self.dc7 = nn.Conv2d(2 * widths[0], bands_out, 3, padding=1)

    def forward(self, optical: Tensor, sar: Tensor | None = None) -> dict[str, Tensor]:
        seen = optical if sar is None else torch.cat([optical, sar], dim=1)
        encoded = [functional.leaky_relu(self.c0(seen), 0.2)]
        for level in range(1, 8):
            down = self.get_submodule(f"c{level}")
            encoded.append(functional.leaky_relu(down(encoded[-1]), 0.2))
        decoded = functional.relu(self.get_submodule("dc0")(encoded[7]))
        for level in range(1, 7):
            both = torch.cat([decoded, encoded[7 - level]], dim=1)
            decoded = functional.relu(self.get_submodule(f"dc{level}")(both))
        return {"image": self.dc7(torch.cat([decoded, encoded[0]], dim=1))}
