"""What there is to learn of a scene: clear ground under its own clouds.

Drawn clouds have not the colours of the clouds over this scene on this day. So what clouds add to
the light of one place is taken from there and added over another.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cloudfree.core.dihedral import DIHEDRAL_TRANSFORMS
from cloudfree.core.mask_classes import Mask, in_shadow, is_cloud_or_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.inference.model import Model, TileInputs
from cloudfree.parallel.threads import prefetch
from cloudfree.simulation.add_clouds import cloud_over
from cloudfree.simulation.cloud_layer import DENSE, cut_layer
from cloudfree.training.adaptation.adapted_runtime import tensors_of

# Cloud may be so many times as thick, optically, as its brightness tells.
_THICKEST = 2.0
# What thin cloud adds is averaged over so many pixels: less would bring along what the network did
# not restore of the ground below.
_SMOOTH_PX = 8.0


@dataclass(frozen=True)
class CloudTransplant:
    """What clouds and shadows add to a square of a scene, and the ground that is restored there.

    `light` and `restored` are reflectance, (band, y, x), light below zero in shadow; `opacity`,
    (y, x), 0 to 1, is that of cloud as its brightness tells; `mask`, (y, x), is where they are.
    """

    light: Float32
    restored: Float32
    opacity: Float32
    mask: Mask

    def over(self, clear: Float32, rng: np.random.Generator) -> tuple[Float32, Mask]:
        """Another square, (band, y, x), under these clouds, turned at random, and their mask.

        How much ground shows through bright cloud cannot be seen: it is drawn, and what would show
        less of the new ground shows more of the one that the cloud was seen over.
        """
        turn = DIHEDRAL_TRANSFORMS[int(rng.integers(len(DIHEDRAL_TRANSFORMS)))]
        mask, through = turn.apply(self.mask), turn.apply(1.0 - self.opacity)
        shown = through**_THICKEST ** rng.uniform()
        below = shown * clear + (through - shown) * turn.apply(self.restored)
        cloudy = np.where(is_cloud_or_shadow(mask), turn.apply(self.light) + below, clear)
        return cloudy.astype(np.float32), mask


def cut_transplant(
    seen: Float32, restored: Float32, mask: Mask, bands: Sequence[str]
) -> CloudTransplant:
    """The veil over a square of a scene of which `restored` is the ground.

    Raises
    ------
    ValueError
        Bands B02, B03 and B04, which tell opacity, are not among `bands`.
    """
    hidden = is_cloud_or_shadow(mask)
    opacity = cut_layer(seen, np.where(hidden, restored, seen), bands).opacity
    light = np.where(hidden, seen - (1.0 - opacity) * restored, np.float32(0.0))
    near = np.maximum(_blurred(hidden.astype(np.float32)), np.float32(1e-6))
    smooth = np.stack([_blurred(plane) for plane in light]) / near
    own = np.clip(opacity / DENSE, 0.0, 1.0) ** 2
    return CloudTransplant(
        (smooth + own * (light - smooth)).astype(np.float32), restored, opacity, mask
    )


def _blurred(plane: Float32) -> Float32:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), _SMOOTH_PX), dtype=np.float32)


Bits = NDArray[np.bool_]

# A sky that hides fewer pixels of a ground teaches nothing about it.
LEAST_HIDDEN_PX = 64
# How many skies are tried for a ground before it is given up.
_TRIES = 8
# How often a sky is of the scene's own clouds, where it has any to give. Drawn ones are of every
# thickness, which those of one scene may not be.
_OWN_SHARE = 0.75


@dataclass(frozen=True)
class ClearSample:
    """What a network sees of a window, and which of its pixels, (y, x), are surely clear."""

    inputs: TileInputs
    known: Bits

    def under(
        self, bands: Sequence[str], veils: Sequence[CloudTransplant], rng: np.random.Generator
    ) -> tuple[TileInputs, Bits]:
        """The window under drawn clouds or one of `veils`, and the known pixels that these hide."""
        if veils and rng.random() < _OWN_SHARE:
            cloudy, mask = veils[int(rng.integers(len(veils)))].over(self.inputs.optical, rng)
        else:
            cloudy, mask = cloud_over(self.inputs.optical, bands, rng)
        inputs = replace(self.inputs, optical=cloudy, shadow=in_shadow(mask))
        return inputs, is_cloud_or_shadow(mask) & self.known


@dataclass(frozen=True)
class AdaptationExample:
    """A ground under a sky, in the scaled numbers of the network.

    `seen` is what a correction looks at, the restored image first; `truth` is the clear ground,
    (1, band, y, x), and `hidden` tells which of its pixels, (1, 1, y, x), are known and hidden.
    """

    ground: int
    seen: tuple[Tensor, Tensor | None, Tensor | None]
    truth: Tensor
    hidden: Tensor


def make_examples(
    model: Model,
    grounds: Sequence[ClearSample],
    veils: Sequence[CloudTransplant],
    times: int,
    seed: tuple[int, ...],
    seconds: float,
    progress: Progress,
) -> Generator[AdaptationExample, None, None]:
    """Lessons of one ground after the other, under another sky each time, while `seconds` last."""

    def lesson(count: int) -> AdaptationExample | None:
        sky, index = divmod(count, len(grounds))
        rng = np.random.default_rng((*seed, index, sky))
        found = _hide(grounds[index], model.card.optical_bands, veils, rng)
        return _lesson(model, index, grounds[index], *found) if found else None

    until = time.monotonic() + seconds
    counts = progress(range(times), times, "adaptation")
    with (
        model.runtime.parallel_batches() as batches,
        prefetch(lesson, counts, batches, batches) as drawn,
    ):
        for _, found in drawn:
            if found:
                yield found
            if time.monotonic() > until:
                return


def _hide(
    ground: ClearSample,
    bands: Sequence[str],
    veils: Sequence[CloudTransplant],
    rng: np.random.Generator,
) -> tuple[TileInputs, Bits] | None:
    for _ in range(_TRIES):
        inputs, hidden = ground.under(bands, veils, rng)
        if hidden.sum() >= LEAST_HIDDEN_PX:
            return inputs, hidden
    return None


def _lesson(
    model: Model, index: int, ground: ClearSample, cloudy: TileInputs, hidden: Bits
) -> AdaptationExample:
    card, (height, width) = model.card, hidden.shape
    inputs = model.scaled([cloudy])
    seen = tensors_of(model.runtime.run(inputs)["image"], inputs, card.output_indices)
    image, optical, sar = (None if one is None else one[..., :height, :width] for one in seen)
    assert image is not None
    clear = card.optical_scaling.forward(ground.inputs.optical[None])
    truth = torch.as_tensor(clear[:, list(card.output_indices)])
    return AdaptationExample(
        index, (image, optical, sar), truth, torch.as_tensor(hidden[None, None])
    )
