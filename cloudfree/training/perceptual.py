"""The perceptual term of a loss, for those who have the weights of VGG-16."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from cloudfree.errors import InputError
from cloudfree.inference.checkpoint import read_tensors
from cloudfree.losses.perceptual import PerceptualDistance
from cloudfree.training.loss_registry import LossInput, LossSpec

COLOURS = ("B04", "B03", "B02")


def with_perceptual(
    objective: LossSpec, file: str, bands: Sequence[str], device: torch.device
) -> LossSpec:
    """The objective with its perceptual term in the last stage, by the weights in a file.

    `bands` are those of the restored image; its reflectance stands for the brightness of
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
