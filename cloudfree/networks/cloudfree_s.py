"""CloudfreeS: a small convolutional network that fills cloudy Sentinel-2 tiles.

A U-shaped network works at 1/4, 1/8 and 1/16 of the resolution. What cloud hides is hidden from
it too, so that no texture of clouds shows in the result; its coarsest level alone gets a glimpse of
the colours that show through. Beside it stands the colour recall, which answers "what colour did
clear ground with this backscatter have in this tile?": a soft look-up whose keys are the SAR of the
tile, whose values are the colours of its clear pixels, and whose memory holds learned colours for a
tile without clear pixels. The output is a blend, per pixel and band, of the input, and of the
recalled colour plus a learned correction; where cloud hides the ground the input has no share. In
the shadow of a cloud, which has a correction of its own, the input lends its texture alone.

Shapes: ``n`` tiles of ``y`` times ``x`` pixels, ``y`` and ``x`` multiples of 16.
Units: reflectance 0-1; backscatter scaled to 0-1, VV then VH, where 0 in both bands means that
there is none; shadow 1 where one lies, else 0.
"""

from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cloudfree.networks import Shapes, number_below
from cloudfree.networks.arguments import Counts, Divides, OneOf, SarBands, Size, Sizes

B01, B02, B03, B04, B10, B11 = 0, 1, 2, 3, 10, 11  # places among the 13 bands
SUBPIXEL = 4  # the network works on blocks of 4 x 4 pixels
CLOUDY_SCORE = 0.2  # smoothed cloud score from which a pixel has no clear colour to offer
HIDING_SCORE, HIDDEN_SCORE = 0.15, 0.3  # smoothed score where cloud begins to hide the ground, does
SPECK_HIDING, SPECK_HIDDEN = 0.2, 0.4  # the same for the score of 3 x 3 pixels
SCARCE = 1e-6  # clear share of a block without a clear pixel, too small for its black to count
SHADE_FLOOR = 0.003  # reflectance below which the texture of a shadow is noise
SHADE_CONTRAST = 2.5  # how many times a pixel in a shadow can be as bright as what is around it


def level(features: Tensor) -> Tensor:
    """Bring each pixel of (n, channels, y, x) to unit mean square over its channels.

    Pixel by pixel, so that a pixel does not depend by accident on what else is in its tile.
    """
    return features * torch.rsqrt(features.square().mean(dim=1, keepdim=True) + 1e-4)


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions added to their input; channels and size stay."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.2)

    def forward(self, features: Tensor) -> Tensor:
        """Refine (n, channels, y, x)."""
        hidden = functional.silu(self.first(level(features)))
        refined: Tensor = features + self.second(hidden)
        return refined


class SarEncoder(nn.Module):
    """Describe the backscatter around each 8 x 8 block, blind to the optical image."""

    def __init__(self, bands: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(SUBPIXEL),
            nn.Conv2d(bands * SUBPIXEL**2, channels, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.SiLU(),
        )

    def forward(self, sar: Tensor) -> Tensor:
        """(n, bands, y, x) to (n, channels, y/8, x/8)."""
        described: Tensor = self.layers(sar)
        return described


class ColourRecall(nn.Module):
    """Look up, by backscatter, the colours of the clear ground of the same tile.

    Queries stand at 1/8, keys at 1/16 of the resolution. A block counts by its share of clear
    pixels and by a learned trust, which can tell haze and shadow. ``memory`` learned keys with
    their colours stand in where the tile has nothing clear to offer.
    """

    def __init__(self, channels: int, heads: int, memory: int, bands: int) -> None:
        super().__init__()
        self.heads, self.bands = heads, bands
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.memory_key = nn.Parameter(torch.randn(heads, channels // heads, memory))
        self.memory_colour = nn.Parameter(0.05 + 0.2 * torch.rand(heads, memory, bands))
        self.memory_weight = nn.Parameter(torch.full((heads, 1, memory), -5.0))

    def forward(self, sar: Tensor, optical: Tensor, clear: Tensor, trust: Tensor) -> Tensor:
        """Recall one colour per head: (n, heads * bands, y/8, x/8), reflectance.

        Shapes: ``sar`` (n, channels, y/8, x/8), ``optical`` (n, bands, y, x), ``clear``
        (n, 1, y, x) from 0 to 1, ``trust`` (n, 1, y/8, x/8), a logit.
        """
        n, channels, y, x = sar.shape
        depth = channels // self.heads
        share = functional.avg_pool2d(clear, 16)
        colour = functional.avg_pool2d(clear * optical, 16) / (share + SCARCE)  # (n, b, y/16, x/16)
        offered = torch.log(share + SCARCE) + functional.avg_pool2d(trust, 2)

        query = self.query(sar).reshape(n, self.heads, depth, y * x).transpose(2, 3)
        key = self.key(functional.avg_pool2d(sar, 2)).reshape(n, self.heads, depth, -1)
        likeness = query @ key * depth**-0.5 + offered.reshape(n, 1, 1, -1)
        remembered = query @ self.memory_key * depth**-0.5 + self.memory_weight
        weights = torch.cat([likeness, remembered], dim=3).softmax(dim=3)  # (n, h, yx/64, keys)

        seen = colour.reshape(n, 1, self.bands, -1).transpose(2, 3).expand(-1, self.heads, -1, -1)
        known = self.memory_colour.expand(n, -1, -1, -1)
        recalled = weights @ torch.cat([seen, known], dim=2)  # (n, h, yx/64, bands)
        return recalled.transpose(2, 3).reshape(n, self.heads * self.bands, y, x)


class Glimpse(nn.Module):
    """What colour shows through the clouds, too coarse for their texture to show in the result.

    Thin cloud hides the ground from the network like thick cloud does, yet what is dark or green
    below it still tells. Of each 16 x 16 block it gives the mean and the darkest pixel.
    """

    def __init__(self, bands: int, channels: int) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(4 * bands, channels, 1)
        self.shown = nn.Conv2d(channels, channels, 1)
        with torch.no_grad():
            self.shown.weight.mul_(0.2)

    def forward(self, optical: Tensor) -> Tensor:
        """(n, bands, y, x) to (n, channels, y/16, x/16)."""
        mean, darkest = functional.avg_pool2d(optical, 16), -functional.max_pool2d(-optical, 16)
        colours = torch.cat([mean, darkest], dim=1)
        roots = colours.clamp(min=1e-4).sqrt()
        given: Tensor = self.shown(functional.silu(self.hidden(torch.cat([colours, roots], dim=1))))
        return given


def cloud_score(optical: Tensor, smooth: int = 7) -> Tensor:
    """Score how much each pixel looks like cloud: (n, 13, y, x) reflectance to (n, 1, y, x), 0-1.

    The brightness, cirrus and snow ramps of Schmitt et al. (2019), averaged over ``smooth`` times
    ``smooth`` pixels.
    """
    blue, coastal, cirrus = optical[:, B02], optical[:, B01], optical[:, B10]
    visible = optical[:, B02] + optical[:, B03] + optical[:, B04]
    score = torch.minimum((blue - 0.1) / 0.4, (coastal - 0.1) / 0.2)
    score = torch.minimum(score, (coastal + cirrus - 0.15) / 0.05)
    score = torch.minimum(score, (visible - 0.2) / 0.6)
    score = torch.minimum(score, (0.8 - snow_index(optical)[:, 0]) / 0.2)
    score = score.clamp(0.0, 1.0).unsqueeze(1)
    return functional.avg_pool2d(score, smooth, 1, smooth // 2, count_include_pad=False)


def image_cloud_score(optical: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cloud score of one image: (13, y, x) reflectance to (y, x), 0-1."""
    score: NDArray[np.float32] = cloud_score(torch.from_numpy(optical)[None])[0, 0].numpy()
    return score


def snow_index(optical: Tensor) -> Tensor:
    """Normalised difference of green and short-wave infrared: (n, 13, y, x) to (n, 1, y, x)."""
    green, infrared = optical[:, B03 : B03 + 1], optical[:, B11 : B11 + 1]
    return (green - infrared) / (green + infrared).clamp(min=1e-3)


def rise(score: Tensor, start: float, end: float) -> Tensor:
    """0 up to ``start``, 1 from ``end``, a straight line between."""
    return ((score - start) / (end - start)).clamp(0.0, 1.0)


def opacity(optical: Tensor, score: Tensor, specks_hidden: bool) -> Tensor:
    """How far cloud hides the ground, by the ``score`` of (n, 13, y, x): (n, 1, y, x), 0-1."""
    opaque = rise(score, HIDING_SCORE, HIDDEN_SCORE)
    if not specks_hidden:
        return opaque
    specks = rise(cloud_score(optical, smooth=3), SPECK_HIDING, SPECK_HIDDEN)
    return torch.maximum(opaque, specks)


def ground_visibility(opaque: Tensor) -> Tensor:
    """How far the ground shows through, 0 under opaque cloud and 2 pixels around it: (n, 1, y, x).

    What hides the ground is itself hidden from the network: its texture would show in the result.
    """
    columns = functional.max_pool2d(opaque, (5, 1), stride=1, padding=(2, 0))  # sooner than both
    return 1.0 - functional.max_pool2d(columns, (1, 5), stride=1, padding=(0, 2))


def hidden_ground(optical: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels of one image (13, y, x) that clouds hide by half or more: (y, x)."""
    score = cloud_score(torch.from_numpy(optical)[None])
    visible = ground_visibility(rise(score, HIDING_SCORE, HIDDEN_SCORE))[0, 0].numpy()
    return np.asarray(visible < 0.5)


def shade_texture(optical: Tensor, shade: Tensor) -> Tensor:
    """How bright each pixel is in the shadow around it, 1 for the mean: (n, bands, y, x).

    What shadow takes of the light it takes of all its pixels alike. ``shade`` (n, 1, y, x) is 1
    where a shadow is seen; what is around a pixel is its block of 8 x 8 and the eight beside it.
    """
    light = torch.cat([optical * shade, shade], dim=1)
    around = functional.avg_pool2d(functional.avg_pool2d(light, 8), 3, 1, 1)
    around = functional.interpolate(around, scale_factor=8.0, mode="bilinear", align_corners=False)
    mean = around[:, :-1] / around[:, -1:].clamp(min=SCARCE)
    texture = (optical + SHADE_FLOOR) / (mean + SHADE_FLOOR)
    return texture.clamp(1.0 / SHADE_CONTRAST, SHADE_CONTRAST)


class CloudfreeS(nn.Module):
    """Fill a cloudy Sentinel-2 L1C tile with the help of the Sentinel-1 tile of the same ground.

    ``channels`` and ``blocks`` stand for 1/4, 1/8 and 1/16 of the resolution; the first two
    ``blocks`` are used once on the way down and once on the way up. In training, clouds of a few
    pixels are shown to the network if ``specks_shown``, so that it learns to remove what no rule
    finds; a prediction hides them in any case.
    """

    SIZE_MULTIPLE: int = 16
    FULL_PRECISION: tuple[str, ...] = ("recall", "head")

    def __init__(
        self,
        channels: Sizes = (64, 96, 128),
        blocks: Counts = (2, 2, 4),
        sar_channels: Size = 64,
        heads: Annotated[Size, Divides("sar_channels")] = 4,
        memory: Size = 16,
        optical_bands: Annotated[int, OneOf((13,))] = 13,
        sar_bands: SarBands = 2,
        specks_shown: bool = False,
    ) -> None:
        super().__init__()
        self.specks_shown = specks_shown
        fine, middle, coarse = channels
        self.heads, self.optical_bands = heads, optical_bands
        seen_bands = 2 * optical_bands + sar_bands + 4  # optical, its root, SAR, indices, shadow
        self.stem = nn.Conv2d(seen_bands, fine, SUBPIXEL, stride=SUBPIXEL)
        self.down_fine = nn.Sequential(*[ResidualBlock(fine) for _ in range(blocks[0])])
        self.to_middle = nn.Conv2d(fine, middle, 2, stride=2)
        self.down_middle = nn.Sequential(*[ResidualBlock(middle) for _ in range(blocks[1])])
        self.sar_encoder = SarEncoder(sar_bands, sar_channels)
        self.trust = nn.Conv2d(middle, 1, 1)
        self.recall = ColourRecall(sar_channels, heads, memory, optical_bands)
        self.join = nn.Conv2d(middle + sar_channels + heads * optical_bands + 1, middle, 1)
        self.to_coarse = nn.Conv2d(middle, coarse, 2, stride=2)
        self.glimpse = Glimpse(optical_bands, coarse)
        self.bottom = nn.Sequential(*[ResidualBlock(coarse) for _ in range(blocks[2])])
        self.from_coarse = nn.Conv2d(coarse, middle * 4, 1)
        self.up_middle = nn.Sequential(*[ResidualBlock(middle) for _ in range(blocks[1])])
        self.from_middle = nn.Conv2d(middle, fine * 4, 1)
        self.up_fine = nn.Sequential(*[ResidualBlock(fine) for _ in range(blocks[0])])
        self.head = nn.Conv2d(fine, 3 * optical_bands * SUBPIXEL**2, 3, padding=1)
        with torch.no_grad():
            self.head.weight.mul_(0.2)

    def forward(self, optical: Tensor, sar: Tensor, shadow: Tensor) -> dict[str, Tensor]:
        """Fill ``optical`` (n, 13, y, x) with ``sar`` (n, 2, y, x): "image" (n, 13, y, x).

        ``shadow`` (n, 1, y, x) is where shadows of clouds are known to lie. In training there is
        also the recalled "colour" (n, 13, y/8, x/8), which a loss may compare with the target.
        """
        if not self.training:
            return {"image": self.fill(optical, sar, shadow)[0]}
        image, colour = self.fill(optical, sar, shadow, specks_hidden=not self.specks_shown)
        return {"image": image, "colour": colour}

    def fill(
        self, optical: Tensor, sar: Tensor, shadow: Tensor, specks_hidden: bool = True
    ) -> tuple[Tensor, Tensor]:
        """The filled image (n, 13, y, x), and the recalled colour behind it (n, 13, y/8, x/8).

        ``specks_hidden`` hides clouds of a few pixels like larger ones.
        """
        score = cloud_score(optical)
        visible = ground_visibility(opacity(optical, score, specks_hidden))
        shown = optical * visible
        indices = [1.0 - visible, score.clamp(max=HIDDEN_SCORE), snow_index(optical) * visible]
        seen = torch.cat([shown, shown.clamp(min=1e-4).sqrt(), sar, *indices, shadow], dim=1)
        clear = (1.0 - score / CLOUDY_SCORE).clamp(0.0, 1.0) * (1.0 - shadow)

        known, colour = self._understand(seen, sar, optical, clear)
        return self._blend(known, colour, optical, visible, shadow), colour

    def _understand(
        self, seen: Tensor, sar: Tensor, optical: Tensor, clear: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What is known of the ground, (n, channels, y/4, x/4), and its recalled colour."""
        fine = self.down_fine(self.stem(seen))  # y/4
        middle = self.down_middle(self.to_middle(fine))  # y/8
        described = self.sar_encoder(sar)
        recalled = self.recall(described, optical, clear, self.trust(middle))
        share = functional.avg_pool2d(clear, 8)
        middle = middle + self.join(torch.cat([middle, described, recalled, share], dim=1))
        coarse = self.bottom(self.to_coarse(middle) + self.glimpse(optical))  # y/16

        middle = middle + functional.pixel_shuffle(self.from_coarse(coarse), 2)
        middle = self.up_middle(middle)
        fine = fine + functional.pixel_shuffle(self.from_middle(middle), 2)
        colour = recalled.unflatten(1, (self.heads, self.optical_bands)).mean(dim=1)
        return level(self.up_fine(fine)), colour

    def _blend(
        self, known: Tensor, colour: Tensor, optical: Tensor, visible: Tensor, shadow: Tensor
    ) -> Tensor:
        """Blend what can be seen with what is known of the ground: (n, 13, y, x)."""
        blend = functional.pixel_shuffle(self.head(known), SUBPIXEL)  # y
        keep, correction, relighting = blend.chunk(3, dim=1)
        kept = visible * torch.sigmoid(keep)
        wide = functional.interpolate(
            colour, scale_factor=8.0, mode="bilinear", align_corners=False
        )
        filled = (wide + correction).to(optical.dtype)  # half precision under autocast
        lit = torch.lerp(filled, optical, kept)
        # Not from what is filled: beside a shadow that makes up for the haze which is kept.
        texture = shade_texture(optical, shadow * visible)
        relit = (wide + relighting) * torch.lerp(torch.ones_like(kept), texture, kept)
        return torch.lerp(lit, relit, shadow)


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    if "recall.memory_colour" not in shapes or "stem.weight" not in shapes:
        return None
    heads, memory, optical_bands = shapes["recall.memory_colour"]
    levels = ("down_fine", "down_middle", "bottom")
    return {
        "channels": [shapes[f"{level}.0.first.weight"][0] for level in levels],
        "blocks": [number_below(shapes, f"{level}.") for level in levels],
        "sar_channels": shapes["recall.query.weight"][0],
        "heads": heads,
        "memory": memory,
        "optical_bands": optical_bands,
        "sar_bands": shapes["sar_encoder.layers.1.weight"][1] // SUBPIXEL**2,
    }
