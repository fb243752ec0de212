"""Training examples from one scene: its clear samples under its own clouds.

Simulated clouds do not have the colours of the clouds over this scene on this day. So what clouds
add to the light of one place is taken from there and added over another.
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

# Cloud may be so many times as thick, optically, as its brightness suggests.
_THICKEST = 2.0
# What thin cloud adds is averaged over so many pixels: with fewer, details of the ground below that
# the network did not predict would be transplanted too.
_SMOOTH_PX = 8.0


@dataclass(frozen=True)
class CloudTransplant:
    """What clouds and shadows add to a square of a scene, and the ground predicted below them.

    `light` and `filled` are reflectance, (band, y, x), light below zero in shadow; `opacity`,
    (y, x), 0 to 1, is that of cloud by its brightness; `mask`, (y, x), holds their classes.
    """

    light: Float32
    filled: Float32
    opacity: Float32
    mask: Mask

    def over(self, clear: Float32, rng: np.random.Generator) -> tuple[Float32, Mask]:
        """Another square, (band, y, x), under these clouds, rotated at random, and their mask.

        The transmittance of bright cloud is unknown: it is drawn, and a lower one of the new ground
        is made up for by the ground that the cloud was over.
        """
        transform = DIHEDRAL_TRANSFORMS[int(rng.integers(len(DIHEDRAL_TRANSFORMS)))]
        mask, transmittance = transform.apply(self.mask), transform.apply(1.0 - self.opacity)
        shown = transmittance**_THICKEST ** rng.uniform()
        below = shown * clear + (transmittance - shown) * transform.apply(self.filled)
        cloudy = np.where(is_cloud_or_shadow(mask), transform.apply(self.light) + below, clear)
        return cloudy.astype(np.float32), mask


def cut_transplant(
    cloudy: Float32, filled: Float32, mask: Mask, bands: Sequence[str]
) -> CloudTransplant:
    """The transplant of a square of a scene, (band, y, x), where `filled` is the ground below.

    Raises
    ------
    ValueError
        Bands B02, B03 and B04, which give the opacity, are not among `bands`.
    """
    hidden = is_cloud_or_shadow(mask)
    opacity = cut_layer(cloudy, np.where(hidden, filled, cloudy), bands).opacity
    light = np.where(hidden, cloudy - (1.0 - opacity) * filled, np.float32(0.0))
    near = np.maximum(_blurred(hidden.astype(np.float32)), np.float32(1e-6))
    smooth = np.stack([_blurred(plane) for plane in light]) / near
    detail = np.clip(opacity / DENSE, 0.0, 1.0) ** 2
    return CloudTransplant(
        (smooth + detail * (light - smooth)).astype(np.float32), filled, opacity, mask
    )


def _blurred(plane: Float32) -> Float32:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), _SMOOTH_PX), dtype=np.float32)


Bits = NDArray[np.bool_]

# Clouds that hide fewer known pixels of a sample make no example.
LEAST_HIDDEN_PX = 64
# How many clouds are tried for a sample before it is given up.
_TRIES = 8
# Share of examples under the scene's own clouds, if it has any. Simulated ones are of every
# thickness, which those of one scene may not be.
_OWN_SHARE = 0.75


@dataclass(frozen=True)
class ClearSample:
    """The inputs of a network in a window, and which of its pixels, (y, x), are surely clear."""

    inputs: TileInputs
    known: Bits

    def under(
        self, bands: Sequence[str], transplants: Sequence[CloudTransplant], rng: np.random.Generator
    ) -> tuple[TileInputs, Bits]:
        """The window under simulated or transplanted clouds, and the known pixels they hide."""
        if transplants and rng.random() < _OWN_SHARE:
            transplant = transplants[int(rng.integers(len(transplants)))]
            cloudy, mask = transplant.over(self.inputs.optical, rng)
        else:
            cloudy, mask = cloud_over(self.inputs.optical, bands, rng)
        inputs = replace(self.inputs, optical=cloudy, shadow=in_shadow(mask))
        return inputs, is_cloud_or_shadow(mask) & self.known


@dataclass(frozen=True)
class AdaptationExample:
    """A clear sample under clouds, in the scaled numbers of the network.

    `sample` is its index. `inputs` are those of a correction, the predicted image first; `truth` is
    the clear image, (1, band, y, x), and `hidden`, (1, 1, y, x), is true for pixels that are known
    and hidden.
    """

    sample: int
    inputs: tuple[Tensor, Tensor | None, Tensor | None]
    truth: Tensor
    hidden: Tensor


def make_examples(
    model: Model,
    samples: Sequence[ClearSample],
    transplants: Sequence[CloudTransplant],
    count: int,
    seed: tuple[int, ...],
    seconds: float,
    progress: Progress,
) -> Generator[AdaptationExample, None, None]:
    """At most `count` examples of the samples in turn, each under other clouds, for `seconds`."""

    def make(number: int) -> AdaptationExample | None:
        repeat, index = divmod(number, len(samples))
        rng = np.random.default_rng((*seed, index, repeat))
        covered = _cover(samples[index], model.card.optical_bands, transplants, rng)
        return _example(model, index, samples[index], *covered) if covered else None

    deadline = time.monotonic() + seconds
    numbers = progress(range(count), count, "adaptation")
    with (
        model.runtime.parallel_batches() as batches,
        prefetch(make, numbers, batches, batches) as examples,
    ):
        for _, example in examples:
            if example:
                yield example
            if time.monotonic() > deadline:
                return


def _cover(
    sample: ClearSample,
    bands: Sequence[str],
    transplants: Sequence[CloudTransplant],
    rng: np.random.Generator,
) -> tuple[TileInputs, Bits] | None:
    """The sample under clouds that hide enough of it; None if none of several does."""
    for _ in range(_TRIES):
        inputs, hidden = sample.under(bands, transplants, rng)
        if hidden.sum() >= LEAST_HIDDEN_PX:
            return inputs, hidden
    return None


def _example(
    model: Model, index: int, sample: ClearSample, cloudy: TileInputs, hidden: Bits
) -> AdaptationExample:
    card, (height, width) = model.card, hidden.shape
    inputs = model.scaled([cloudy])
    tensors = tensors_of(model.runtime.run(inputs)["image"], inputs, card.output_indices)
    image, optical, sar = (None if one is None else one[..., :height, :width] for one in tensors)
    assert image is not None
    clear = card.optical_scaling.forward(sample.inputs.optical[None])
    truth = torch.as_tensor(clear[:, list(card.output_indices)])
    return AdaptationExample(
        index, (image, optical, sar), truth, torch.as_tensor(hidden[None, None])
    )
