"""What a network learns from, by name.

Losses whose constants belong to reflectance (similarity, spectral angle, Charbonnier, CARL as
published on five times it) see the images on that scale; the others see the network's own, on
which their papers state them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from cloudfree.core.mask_classes import MaskClass
from cloudfree.errors import ErrorCode, InputError, ModelError
from cloudfree.inference.checkpoint import read_tensors
from cloudfree.losses.adversarial import (
    PERCEPTUAL,
    PIX2PIX_SHARE,
    PerceptualDistance,
    attention_loss,
    fusion_loss,
    generator_loss,
)
from cloudfree.losses.ib_hfn_loss import TERMS, joint_objective
from cloudfree.losses.pixel import charbonnier, gaussian_likelihood, l1, spectrum_likelihood
from cloudfree.losses.structural_similarity import (
    RECALLED,
    carl,
    cloud_aware,
    error_and_structure,
    filled_image_loss,
    pixel_and_structure,
    published_cloud_aware,
    recalled_colour_loss,
    surroundings_loss,
)
from cloudfree.training.sampler import Batch

# Weight of L1 beside the adversarial loss in pix2pix, McGAN and SpA GAN.
GAN_L1 = 100.0
# CARL as published sees reflectance times 5.
CARL_SCALE = 5.0


@dataclass(frozen=True)
class LossInput:
    """What a loss is made of: the outputs of a network for a batch.

    `scale` is what reflectance 0 and 1 are to the network; `progress` runs from 0 to 1 within a
    `stage`. `logits` are the discriminator's logits for the image, in a GAN.
    """

    outputs: Mapping[str, Tensor]
    batch: Batch
    scale: tuple[float, float]
    progress: float = 0.0
    stage: int = 0
    logits: Tensor | None = None

    @property
    def image(self) -> Tensor:
        """The predicted image; as the target where that has no data, which costs nothing."""
        return self._known(self.outputs["image"])

    @property
    def target(self) -> Tensor:
        """What it should be."""
        return self.batch.target

    @property
    def unit(self) -> tuple[Tensor, Tensor, Tensor]:
        """Predicted, target and cloudy image on the scale of reflectance."""
        start, stop = self.scale
        image, target, cloudy = (
            (values - start) / (stop - start)
            for values in (self.image, self.target, self.batch.cloudy)
        )
        return image, target, cloudy

    @property
    def clouds(self) -> Tensor:
        """Where the mask says cloud, (n, y, x); snow is a class of its own there."""
        return self._classes() == MaskClass.CLOUD

    @property
    def hidden(self) -> Tensor:
        """Where the mask says cloud or shadow, (n, y, x)."""
        return self.clouds | (self._classes() == MaskClass.SHADOW)

    @property
    def given_logits(self) -> Tensor:
        """The discriminator's logits, without which a GAN has no loss."""
        assert self.logits is not None, "a GAN without a discriminator"
        return self.logits

    def simulated(self) -> Tensor:
        """The optical image made from SAR alone, like `image`."""
        return self._known(self.outputs["simulated"])

    def _known(self, image: Tensor) -> Tensor:
        kept = image[:, : self.target.shape[1]].float()  # a matte may stand behind the bands
        return kept.where(self.batch.valid, self.target)

    def _classes(self) -> Tensor:
        assert self.batch.classes is not None, "a loss that needs the mask is marked in the table"
        return self.batch.classes


@dataclass(frozen=True)
class LossSpec:
    """A loss and what it needs: outputs of the network, the cloud mask, a discriminator.

    `share` is the weight of the discriminator's loss. `stages` are what learns, one part of the run
    after the other: the beginnings of the parameters' names; the last one alone has a
    discriminator. `perceptual` is the weight of a perceptual term, of which `loss` is without.
    """

    loss: Callable[[LossInput], Tensor]
    needs: tuple[str, ...] = ()
    mask: bool = False
    discriminator: Literal["patches", "spatial"] | None = None
    share: float = 1.0
    stages: tuple[str, ...] = ("",)
    perceptual: float = 0.0

    def stage_of(self, progress: float) -> tuple[int, float]:
        """The stage at `progress` of the whole run, and the progress within it."""
        count = len(self.stages)
        stage = min(int(progress * count), count - 1)
        return stage, progress * count - stage

    def __call__(self, seen: LossInput) -> Tensor:
        """The loss.

        Raises
        ------
        ModelError
            The network does not return what the loss needs.
        """
        if missing := [name for name in self.needs if name not in seen.outputs]:
            raise ModelError(
                f"a network that returns {', '.join(seen.outputs)}",
                wanted=f"{', '.join(missing)}, from which this loss is made",
                hint="choose another --loss or another network",
            )
        return self.loss(seen)


def _fusion(seen: LossInput) -> Tensor:
    """First SAR to optical alone, then the fusion against the discriminator."""
    if seen.stage == 0:
        return l1(seen.simulated(), seen.target)
    return fusion_loss(seen.image, seen.target, seen.clouds, seen.given_logits)


def _gan(seen: LossInput) -> Tensor:
    return generator_loss(seen.given_logits) + GAN_L1 * l1(seen.image, seen.target)


def _gan_attention(seen: LossInput) -> Tensor:
    return _gan(seen) + attention_loss(seen.outputs["attention"].float(), seen.hidden)


def _joint(without: Collection[str] = ()) -> LossSpec:
    """The loss of IB-HFN, without some of its terms and the outputs that these need."""

    def loss(seen: LossInput) -> Tensor:
        image, target, cloudy = seen.unit
        outputs = {name: value.float() for name, value in seen.outputs.items()} | {"image": image}
        return joint_objective(outputs, target, cloudy, seen.progress, seen.clouds, without)

    kept = [needs for term, needs in TERMS.items() if term not in without]
    return LossSpec(loss, needs=tuple(chain.from_iterable(kept)), mask=True)


def _carl(seen: LossInput) -> Tensor:
    image, target, cloudy = (CARL_SCALE * values for values in seen.unit)
    return carl(image, target, cloudy, seen.hidden)


def _recalled_colour(seen: LossInput) -> Tensor:
    image, target, _ = seen.unit
    colour = seen.outputs["colour"].float()
    recalled = recalled_colour_loss(colour, target, seen.batch.valid)
    return filled_image_loss(image, target) + RECALLED * recalled


def _variance(seen: LossInput) -> Tensor:
    return seen.outputs["variance"].float()


OBJECTIVES: Mapping[str, LossSpec] = {
    "l1": LossSpec(lambda seen: l1(seen.image, seen.target)),
    "l2": LossSpec(lambda seen: (seen.image - seen.target).square().mean()),
    "charbonnier": LossSpec(lambda seen: charbonnier(*seen.unit[:2])),
    "l1-structure": LossSpec(lambda seen: pixel_and_structure(*seen.unit[:2])),
    "l2-structure": LossSpec(lambda seen: error_and_structure(*seen.unit[:2])),
    "restoration": LossSpec(lambda seen: surroundings_loss(*seen.unit[:2])),
    "recalled-colour": LossSpec(_recalled_colour, needs=("colour",)),
    "cloud-aware": LossSpec(lambda seen: cloud_aware(*seen.unit[:2], seen.clouds), mask=True),
    "cloud-aware-published": LossSpec(
        lambda seen: published_cloud_aware(*seen.unit[:2], seen.clouds), mask=True
    ),
    "carl": LossSpec(_carl, mask=True),
    "joint": _joint(),
    "gnll": LossSpec(
        lambda seen: gaussian_likelihood(seen.image, seen.target, _variance(seen)),
        needs=("variance",),
    ),
    "mgnll": LossSpec(
        lambda seen: spectrum_likelihood(seen.image, seen.target, _variance(seen)),
        needs=("variance",),
    ),
    "mgnll-published": LossSpec(
        lambda seen: spectrum_likelihood(seen.image, seen.target, _variance(seen), published=True),
        needs=("variance",),
    ),
    "gan-l1": LossSpec(_gan, discriminator="patches"),
    "pix2pix": LossSpec(_gan, discriminator="patches", share=PIX2PIX_SHARE),
    "gan-attention": LossSpec(
        _gan_attention, needs=("attention",), mask=True, discriminator="spatial"
    ),
    "simulation-fusion": LossSpec(
        _fusion, needs=("simulated",), mask=True, discriminator="patches",
        stages=("simulation.", "fusion."), perceptual=PERCEPTUAL,
    ),
}  # fmt: skip


def loss_named(name: str, without: Collection[str] = ()) -> LossSpec:
    """The loss of that name, without some of its terms.

    Raises
    ------
    InputError
        There is no such loss or term; lists those there are.
    """
    if name not in OBJECTIVES:
        raise InputError(
            f"no loss {name!r}",
            wanted=f"one of {', '.join(OBJECTIVES)}",
            hint="correct --loss",
            code=ErrorCode.BAD_OPTION,
        )
    if not without:
        return OBJECTIVES[name]
    terms = list(TERMS) if name == "joint" else []
    unknown = [one for one in without if one not in terms]
    if unknown or set(without) == set(terms):
        raise InputError(
            f"loss {name} without {', '.join(unknown or without)}",
            wanted=f"some of {', '.join(terms)}" if terms else "nothing: its terms have no names",
            hint="correct loss_without",
            code=ErrorCode.BAD_OPTION,
        )
    return _joint(without)


COLOURS = ("B04", "B03", "B02")


def with_perceptual(
    objective: LossSpec, file: str, bands: Sequence[str], device: torch.device
) -> LossSpec:
    """The objective with its perceptual term in the last stage, by the weights in a file.

    `bands` are those of the predicted image; its reflectance stands for the brightness of
    photographs.

    Raises
    ------
    CloudfreeError
        The objective has no such term, the image has no colours, or these are not the weights of
        VGG-16.
    """
    if not objective.perceptual or not set(COLOURS) <= set(bands):
        raise InputError(
            "--perceptual-weights for another loss or network",
            wanted=f"--loss simulation-fusion and the bands {', '.join(COLOURS)}",
            hint="leave --perceptual-weights out",
            code=ErrorCode.BAD_OPTION,
        )
    distance = PerceptualDistance(read_tensors(Path(file))).to(device)
    colours = [bands.index(band) for band in COLOURS]

    def loss(seen: LossInput) -> Tensor:
        if seen.stage < len(objective.stages) - 1:
            return objective.loss(seen)
        image, target, _ = seen.unit
        term: Tensor = distance(image[:, colours], target[:, colours])
        return objective.loss(seen) + objective.perceptual * term

    return replace(objective, loss=loss)
