"""IB-HFN once more, as plainly as its specification: the yardstick for results and for speed.

A reference is for eval mode: z is the mean. Names of the tensors and shapes are those of the
network itself.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ReferenceUnit(nn.Module):
    """x + gamma * conv1(SE(GELU(dw3(conv1(GroupNorm(1)(x))))))."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, c)
        self.widen = nn.Conv2d(c, 2 * c, 1)
        self.depthwise = nn.Conv2d(2 * c, 2 * c, 3, padding=1, groups=2 * c)
        self.excite = nn.Conv2d(2 * c, 2 * c, 1)
        self.narrow = nn.Conv2d(2 * c, c, 1)
        self.gamma = nn.Parameter(torch.zeros(c, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        h = functional.gelu(self.depthwise(self.widen(self.norm(x))))
        h = h * torch.sigmoid(self.excite(functional.adaptive_avg_pool2d(h, 1)))
        return x + self.gamma * self.narrow(h)


def chain(c: int, number: int) -> nn.Sequential:
    return nn.Sequential(*(ReferenceUnit(c) for _ in range(number)))


class ReferenceEncoder(nn.Module):
    def __init__(self, bands: int, widths: tuple[int, ...], numbers: tuple[int, ...]) -> None:
        super().__init__()
        self.entries = nn.ModuleList(
            [
                nn.Conv2d(bands, widths[0], 3, padding=1),
                nn.Conv2d(widths[0], widths[1], 2, stride=2),
                nn.Conv2d(widths[1], widths[2], 2, stride=2),
            ]
        )
        self.levels = nn.ModuleList([chain(widths[i], numbers[i]) for i in range(3)])

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        full = self.levels[0](self.entries[0](image))
        half = self.levels[1](self.entries[1](full))
        quarter = self.levels[2](self.entries[2](half))
        return full, half, quarter


def perceptron(c: int, made: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c, c // 4, 1), nn.GELU(), nn.Conv2d(c // 4, made, 1))


class ReferenceGate(nn.Module):
    """sigmoid(conv1(GELU(dw3(conv1([O, S]))) * sigmoid(MLP(GAP(O)))))."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.join = nn.Conv2d(2 * c, c, 1)
        self.surroundings = nn.Conv2d(c, c, 3, padding=1, groups=c)
        self.tile = perceptron(c, c)
        self.decide = nn.Conv2d(c, 1, 1)

    def forward(self, o: Tensor, s: Tensor) -> Tensor:
        local = functional.gelu(self.surroundings(self.join(torch.cat([o, s], dim=1))))
        whole = torch.sigmoid(self.tile(functional.adaptive_avg_pool2d(o, 1)))
        return torch.sigmoid(self.decide(local * whole))


class ReferenceSkip(nn.Module):
    """Dirac3(G * features)."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(c, c, 3, padding=1, bias=False)

    def forward(self, features: Tensor, gate: Tensor) -> Tensor:
        result: Tensor = self.convolution(gate * features)
        return result


class ReferenceFusion(nn.Module):
    """conv3[(1 - G) * O, (1 - G) * conv1(z)] + Dirac3(G * O)."""

    def __init__(self, c: int, bottleneck: int) -> None:
        super().__init__()
        self.gate = ReferenceGate(c)
        self.mu = nn.Conv2d(c, bottleneck, 1)
        self.log_variance = perceptron(c, bottleneck)
        self.widen = nn.Conv2d(bottleneck, c, 1)
        self.rebuild = nn.Conv2d(2 * c, c, 3, padding=1)
        self.skip = ReferenceSkip(c)

    def forward(self, o: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        gate = self.gate(o, s)
        mu = self.mu(s)
        log_variance = self.log_variance(functional.adaptive_avg_pool2d(s, 1)).clamp(-8, 4)
        clouded = torch.cat([(1 - gate) * o, (1 - gate) * self.widen(mu)], dim=1)
        return self.rebuild(clouded) + self.skip(o, gate), gate, mu, 0.5 * log_variance


class ReferenceUp(nn.Module):
    def __init__(self, coarse: int, fine: int, number: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(coarse, 4 * fine, 1)
        self.skip = ReferenceSkip(fine)
        self.refine = chain(fine, number)

    def forward(self, features: Tensor, encoded: Tensor, gate: Tensor) -> Tensor:
        larger = functional.pixel_shuffle(self.spread(features), 2)
        gate = functional.interpolate(gate, larger.shape[2:], mode="bilinear", align_corners=False)
        result: Tensor = self.refine(larger + self.skip(encoded, gate))
        return result


class ReferenceIbHfn(nn.Module):
    def __init__(
        self,
        widths: tuple[int, ...] = (48, 96, 192),
        optical_units: tuple[int, ...] = (2, 2, 4),
        sar_units: tuple[int, ...] = (1, 1, 2),
        bottleneck: int = 96,
        bottom_units: int = 4,
        up_units: int = 2,
    ) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.optical_encoder = ReferenceEncoder(13, widths, optical_units)
        self.sar_encoder = ReferenceEncoder(2, widths, sar_units)
        self.fusion = ReferenceFusion(coarse, bottleneck)
        self.bottom = chain(coarse, bottom_units)
        self.up_middle = ReferenceUp(coarse, middle, up_units)
        self.up_fine = ReferenceUp(middle, fine, up_units)
        self.head = nn.Conv2d(fine, 13, 3, padding=1)

    def forward(self, optical: Tensor, sar: Tensor) -> dict[str, Tensor]:
        full, half, o = self.optical_encoder(optical)
        _, _, s = self.sar_encoder(sar)
        features, gate, mu, log_sigma = self.fusion(o, s)
        features = self.bottom(features)
        features = self.up_middle(features, half, gate)
        features = self.up_fine(features, full, gate)
        image = optical + self.head(features)
        return {"image": image, "gate": gate, "mu": mu, "log_sigma": log_sigma}
