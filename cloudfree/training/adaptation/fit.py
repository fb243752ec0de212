"""Fit a correction of a network to the clear samples of one scene, and validate it.

Clouds, simulated ones and those of the scene, are laid over clear samples, and a correction is
trained on the residuals of the network below them. Held-out samples decide whether the correction
is used: unless its gain is significant, the network is left unchanged.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cloudfree.core.terminal import Progress
from cloudfree.inference.model import Model
from cloudfree.inference.torch_runtime import TorchRuntime
from cloudfree.training.adaptation.adapted_runtime import (
    AdaptedRuntime,
    SceneCorrection,
    blocks_of,
    features_of,
)
from cloudfree.training.adaptation.examples import (
    AdaptationExample,
    ClearSample,
    CloudTransplant,
    make_examples,
)

Gains = NDArray[np.float64]

# With fewer held-out samples a gain has no standard error; fewer blocks are too few to train on.
_LEAST_CHECKED, _LEAST_BLOCKS = 2, 64
# Mean squared error that counts as none: 120 dB.
_NO_ERROR = 1e-12
# Purposes of a seed: clouds for training and clouds for validation are drawn independently.
_CHECKING, _LEARNING = 0, 1


@dataclass(frozen=True)
class AdaptationSettings:
    """How a correction is trained, and when it is kept.

    Each sample makes at most `clouds_per_sample` examples under as many clouds, all of them at most
    `max_examples`; each held-out one makes `clouds_per_check`. A slow network makes as many as it
    can in `seconds`, half of them for either. Of the correction that share of `shares` is added
    whose mean gain, less its standard error, is greatest, if that is at least `margin_db`: never
    all, since ground under clouds differs a little from ground beside them.
    """

    clouds_per_sample: int = 4
    max_examples: int = 96
    clouds_per_check: int = 2
    seconds: float = 80.0
    steps: int = 300
    batch: int = 2048
    learning_rate: float = 5e-3
    weight_decay: float = 0.1
    shares: tuple[float, ...] = (0.25, 0.5, 0.75)
    margin_db: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Adaptation:
    """The model to use, the validated gain in dB, and its standard error.

    `gain_db` and `error_db` are the mean over the held-out samples and its standard error at the
    best `share`, whether it is kept or not; NaN if nothing was trained.
    """

    model: Model
    kept: bool = False
    gain_db: float = math.nan
    error_db: float = math.nan
    share: float = 0.0
    seconds: float = 0.0


def adapt(
    model: Model,
    training: Sequence[ClearSample],
    held_out: Sequence[ClearSample],
    transplants: Sequence[CloudTransplant],
    settings: AdaptationSettings,
    progress: Progress,
) -> Adaptation:
    """Fit a correction of `model` under simulated and transplanted clouds, and validate it.

    The same seed gives the same result unless the time limit ends it.
    """
    begun = time.monotonic()

    def examples_of(
        samples: Sequence[ClearSample], count: int, purpose: int
    ) -> Generator[AdaptationExample, None, None]:
        seed, half = (settings.seed, purpose), settings.seconds / 2
        return make_examples(model, samples, transplants, count, seed, half, progress)

    checks = list(examples_of(held_out, settings.clouds_per_check * len(held_out), _CHECKING))
    count = min(settings.clouds_per_sample * len(training), settings.max_examples)
    with closing(examples_of(training, count, _LEARNING)) as examples:
        blocks = [_hidden_blocks(example) for example in examples]
    checked = len({check.sample for check in checks})
    if checked < _LEAST_CHECKED or sum(len(target) for _, target in blocks) < _LEAST_BLOCKS:
        return Adaptation(model)
    correction = _fit(blocks, settings)
    gains = {share: _gains_db(correction, checks, share, model) for share in settings.shares}
    share = max(gains, key=lambda one: _lower_bound_db(gains[one]))
    kept = _lower_bound_db(gains[share]) >= settings.margin_db
    return Adaptation(
        _corrected(model, correction, share) if kept else model,
        kept,
        float(gains[share].mean()),
        _error_db(gains[share]),
        share,
        time.monotonic() - begun,
    )


def _hidden_blocks(example: AdaptationExample) -> tuple[Tensor, Tensor]:
    """Features, (block, features), and target, (block, bands), of blocks that are wholly hidden."""
    whole = blocks_of(example.hidden.float())[0, 0] == 1
    target = blocks_of(example.truth - example.inputs[0])
    return features_of(*example.inputs)[0, :, whole].T, target[0, :, whole].T


def _fit(blocks: Sequence[tuple[Tensor, Tensor]], settings: AdaptationSettings) -> SceneCorrection:
    """A correction trained on the blocks; on the CPU, where it takes seconds."""
    features, target = (torch.cat(parts) for parts in zip(*blocks, strict=True))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        correction = SceneCorrection(features.shape[1], target.shape[1])
        correction.fit_normalisation(features)
        _optimise(correction, features, target, settings)
    return correction.requires_grad_(requires_grad=False)


def _optimise(
    correction: SceneCorrection, features: Tensor, target: Tensor, settings: AdaptationSettings
) -> None:
    """Train in steps, each on a random batch of blocks."""
    rate = settings.learning_rate
    optimiser = torch.optim.AdamW(correction.parameters(), rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, settings.steps)
    for _ in range(settings.steps):
        batch = torch.randint(len(features), (settings.batch,))
        loss = functional.mse_loss(correction.correct_blocks(features[batch]), target[batch])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()


def _gains_db(
    correction: SceneCorrection, checks: Sequence[AdaptationExample], share: float, model: Model
) -> Gains:
    """Gain in PSNR of reflectance by a share of the correction, (held-out sample,)."""
    before: dict[int, list[float]] = {}
    after: dict[int, list[float]] = {}
    for check in checks:
        image = check.inputs[0]
        corrected = image + share * correction(*check.inputs)
        before.setdefault(check.sample, []).append(_squared_error(image, check, model))
        after.setdefault(check.sample, []).append(_squared_error(corrected, check, model))
    ratios = [np.mean(before[sample]) / np.mean(after[sample]) for sample in before]
    return 10.0 * np.log10(ratios)


def _squared_error(image: Tensor, check: AdaptationExample, model: Model) -> float:
    """Mean squared error of the hidden pixels in reflectance, which lies between 0 and 1."""
    predicted, truth = (
        model.card.output_scaling.inverse(scaled.numpy()).clip(0.0, 1.0)
        for scaled in (image, check.truth)
    )
    error = (predicted - truth)[0][:, check.hidden[0, 0].numpy()]
    return max(float(np.mean(error**2)), _NO_ERROR)


def _error_db(gains: Gains) -> float:
    """Standard error of the mean gain."""
    return float(gains.std(ddof=1) / math.sqrt(len(gains)))


def _lower_bound_db(gains: Gains) -> float:
    """The mean gain less its standard error; minus infinity if it is NaN."""
    bound = float(gains.mean()) - _error_db(gains)
    return -math.inf if math.isnan(bound) else bound


def _corrected(model: Model, correction: SceneCorrection, share: float) -> Model:
    """The model with the correction, on the device of its network."""
    if isinstance(model.runtime, TorchRuntime):
        correction = correction.to(model.runtime.device)
    runtime = AdaptedRuntime(model.runtime, correction, model.card.output_indices, share)
    return replace(model, runtime=runtime)
