"""DSen2-CR once more, as plainly as its specification: the yardstick for results and for speed.

Names of the tensors and shapes are those of the network itself.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ReferenceBlock(nn.Module):
    """h + 0.1 * conv3(ReLU(conv3(h)))."""

    def __init__(self, features: int) -> None:
        super().__init__()
        first = nn.Conv2d(features, features, 3, padding=1)
        second = nn.Conv2d(features, features, 3, padding=1)
        self.conv_block = nn.ModuleDict({"0": first, "2": second})

    def forward(self, h: Tensor) -> Tensor:
        change = functional.relu(self.conv_block["0"](h))
        return h + 0.1 * self.conv_block["2"](change)


class ReferenceDSen2Cr(nn.Module):
    """y = x_opt + Conv_out(Body(ReLU(Conv_in(cat[opt, sar]))))."""

    def __init__(self, features: int = 256, blocks: int = 16) -> None:
        super().__init__()
        body = {str(2 + number): ReferenceBlock(features) for number in range(blocks)}
        self.body = list(body)
        self.model = nn.ModuleDict(
            {
                "0": nn.Conv2d(13 + 2, features, 3, padding=1),
                **body,
                str(2 + blocks): nn.Conv2d(features, 13, 3, padding=1),
            }
        )
        self.last = str(2 + blocks)

    def forward(self, optical: Tensor, sar: Tensor) -> dict[str, Tensor]:
        h = functional.relu(self.model["0"](torch.cat([optical, sar], dim=1)))
        for number in self.body:
            h = self.model[number](h)
        return {"image": optical + self.model[self.last](h)}
