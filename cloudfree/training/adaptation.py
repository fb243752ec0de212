"""Fine-tuning a copy of a network on the clear ground of the scene that it is to restore.

Clouds are drawn over ground that is surely clear, and the copy learns to restore what they hide.
Other such ground, which it does not learn from, tells whether it became better; unless it surely
did, the network stays as it was.
"""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cloudfree.core.prefetch import prefetch
from cloudfree.core.progress import Progress
from cloudfree.errors import InputError
from cloudfree.runtimes.model import Model
from cloudfree.runtimes.torch import TorchRuntime
from cloudfree.training.adaptation_check import Check, Ground
from cloudfree.training.batch import Batch
from cloudfree.training.batches import collate, scaled_part, turned
from cloudfree.training.objectives import objective_named
from cloudfree.training.patches import Pixels
from cloudfree.training.processes import Processes
from cloudfree.training.recipe import TrainingSettings
from cloudfree.training.run import Run, start_run
from cloudfree.training.step import Plan, take_step

Gains = NDArray[np.float64]

# Fewer held-out grounds tell nothing of how sure a gain is.
_LEAST_CHECKED = 2

logger = logging.getLogger("cloudfree")


@dataclass(frozen=True)
class AdaptationSettings:
    """How long and how boldly a network adapts.

    It is checked every `check_steps`, and stops at `steps` or before `seconds` are over. It is
    kept where the mean gain, less its standard error, is at least `margin_db`. `average` is the
    decay of the moving average of the weights. What is checked and kept goes only `share` of the
    way from the model's weights to those: most of the gain, and half the loss where the clear
    ground misleads.

    Source: Wortsman et al. (2022), "Robust fine-tuning of zero-shot models", section 3.
    """

    steps: int = 96
    check_steps: int = 16
    seconds: float = 90.0
    batch: int = 4
    learning_rate: float = 1e-4
    weight_decay: float = 0.0
    clip_norm: float = 0.5
    average: float = 0.95
    share: float = 0.5
    skies: int = 2
    margin_db: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Adaptation:
    """How it went: the model that is better, the gain in dB, and how sure that is.

    `gain_db` and `error_db` are the mean over held-out grounds and its standard error, of the best
    moment, whether it is kept or not; NaN where there was none.
    """

    model: Model
    kept: bool
    gain_db: float
    error_db: float
    steps: int
    seconds: float


def adapt(
    model: Model,
    runtime: TorchRuntime,
    learned: Sequence[Ground],
    held_out: Sequence[Ground],
    settings: AdaptationSettings,
    progress: Progress,
) -> Adaptation:
    """Adapt a copy of the network of `model`, which `runtime` runs, and check it.

    The same seed gives the same result where the time does not end it.
    """
    begun = time.monotonic()
    check = Check(held_out, model, settings.skies, settings.seed)
    best = Adaptation(model, False, math.nan, math.nan, 0, 0.0)
    if len(check) < _LEAST_CHECKED:
        return best
    before = check.psnr(model)
    asking_s = time.monotonic() - begun
    run, plan = _start(model, runtime, settings)
    steps = progress(range(1, settings.steps + 1), settings.steps, "adaptation")
    for step, batch in prefetch(lambda step: _batch(learned, model, settings, step), steps):
        if not _learn(run, plan, batch):
            break
        over = time.monotonic() - begun + asking_s > settings.seconds
        if over or step % settings.check_steps == 0 or step == settings.steps:
            learned_so_far = _between(runtime.network, run.result, settings.share)
            adapted = replace(model, runtime=runtime.with_network(learned_so_far))
            best = _better(best, adapted, check.psnr(adapted) - before, step)
        if over:
            break
    kept = best.gain_db - best.error_db >= settings.margin_db
    return replace(
        best,
        model=best.model if kept else model,
        kept=kept,
        seconds=time.monotonic() - begun,
    )


def _start(model: Model, runtime: TorchRuntime, settings: AdaptationSettings) -> tuple[Run, Plan]:
    """The copy before its first step; what its norm layers know of the world stays."""
    device, precision = runtime.place
    training = TrainingSettings(
        network=model.card.network,
        optimiser="adamw",
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        warmup_steps=8,
        clip_norm=settings.clip_norm,
        average=settings.average,
        precision="bf16" if precision is torch.bfloat16 else "fp32",
        seed=settings.seed,
    )
    objective = objective_named("restoration")
    network: nn.Module = copy.deepcopy(runtime.network).requires_grad_(requires_grad=True)
    run = start_run(network, model.card, training, objective, device)
    run.learner.network.eval()
    scale, processes = model.card.optical_scaling.scale, Processes(0, 1, device)
    inputs = tuple(model.card.inputs)
    return run, Plan(training, objective, inputs, scale, settings.steps, 1.0, processes)


def _batch(
    grounds: Sequence[Ground], model: Model, settings: AdaptationSettings, step: int
) -> Batch:
    """Any grounds under any clouds; the loss sees the known pixels that these hide."""
    rng = np.random.default_rng((settings.seed, 1, step))
    card, parts = model.card, []
    for index in rng.choice(len(grounds), settings.batch, replace=len(grounds) < settings.batch):
        ground = grounds[int(index)]
        inputs, hidden = ground.under(card.optical_bands, rng)
        clear = np.where(hidden, ground.inputs.optical, np.float32(np.nan))
        turns, flip = int(rng.integers(4)), bool(rng.integers(2))
        pixels = Pixels(inputs.optical, clear, inputs.sar, None)
        seen = pixels.each(partial(turned, turns=turns, flip=flip))
        parts.append(scaled_part(seen, card, "clear ground of the scene"))
    return collate(parts)


def _learn(run: Run, plan: Plan, batch: Batch) -> bool:
    """Take a step; False where the loss has become no number."""
    try:
        take_step(run, plan, batch)
    except InputError as error:
        logger.warning("adaptation stopped: %s", error.found)
        return False
    return True


def _between(network: nn.Module, learned: nn.Module, share: float) -> nn.Module:
    """A network on the straight line from one to the other."""
    between = copy.deepcopy(learned)
    with torch.no_grad():
        for weight, before in zip(between.parameters(), network.parameters(), strict=True):
            weight.copy_(torch.lerp(before, weight, share))
    return between


def _better(best: Adaptation, model: Model, gains: Gains, step: int) -> Adaptation:
    """The better of two moments: by the gain that is sure."""
    gain = float(gains.mean())
    error = float(gains.std(ddof=1) / math.sqrt(len(gains)))
    logger.debug("adaptation, step %d: %+.2f dB, standard error %.2f dB", step, gain, error)
    if best.steps and gain - error <= best.gain_db - best.error_db:
        return best
    return replace(best, model=model, gain_db=gain, error_db=error, steps=step)
