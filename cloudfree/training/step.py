"""One step of a training: rate, forward, loss, backward, new weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from cloudfree.errors import InputError
from cloudfree.inference.torch_runtime import PRECISIONS
from cloudfree.losses.adversarial import discriminator_loss
from cloudfree.training.distributed import Processes
from cloudfree.training.loss_registry import LossInput, LossSpec
from cloudfree.training.sampler import Batch
from cloudfree.training.settings import TrainingSettings
from cloudfree.training.train_state import ModelAndOptimizer, TrainState


def learning_rate(
    settings: TrainingSettings, step: int, steps: int, steps_per_epoch: float
) -> float:
    """The rate of step 0, 1, ... of a run, or of one of its stages, of `steps`."""
    warmth = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    return warmth * _without_warmup(settings, step, step / max(steps, 1), steps_per_epoch)


def _without_warmup(
    settings: TrainingSettings, step: int, progress: float, steps_per_epoch: float
) -> float:
    start, end = settings.learning_rate, settings.final_rate
    if settings.schedule == "step":
        return start * float(settings.gamma ** _decays(settings, step / steps_per_epoch))
    if settings.schedule == "cosine":
        return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * progress))
    if settings.schedule == "linear":  # of pix2pix: constant, then down in the second half
        return end + (start - end) * min(1.0, 2.0 * (1.0 - progress))
    return start


def _decays(settings: TrainingSettings, epochs: float) -> int:
    """How often the rate has been multiplied by gamma after so many epochs."""
    if not settings.first_decay_epochs:
        return int(epochs / settings.decay_epochs)
    if epochs < settings.first_decay_epochs:
        return 0
    return 1 + int((epochs - settings.first_decay_epochs) / settings.decay_epochs)


# The moving average follows quickly at first: after k steps it looks back over about k / 10.
_AVERAGE_WARMUP = 10


@dataclass(frozen=True)
class TrainPlan:
    """What stays the same over all steps.

    `inputs` are the arguments of the network in their order; `scale` is what reflectance 0 and 1
    are to it.
    """

    settings: TrainingSettings
    objective: LossSpec
    inputs: tuple[str, ...]
    scale: tuple[float, float]
    steps: int
    steps_per_epoch: float
    processes: Processes


@dataclass(frozen=True)
class StepResult:
    """How a step went; `discriminator_loss` is NaN without one."""

    loss: float
    discriminator_loss: float
    learning_rate: float
    gradient: float


def train_step(run: TrainState, plan: TrainPlan, batch: Batch) -> StepResult:
    """Learn from one batch.

    Raises
    ------
    InputError
        The loss or its gradient is no number; names the files. The network has not learned.
    """
    batch = batch.to(plan.processes.device)
    _seed(plan, run.step)
    stage, progress = plan.objective.stage_of(run.step / plan.steps)
    rate = _set_rates(run, plan)
    outputs = _predict(run.model.network, plan, batch)
    seen = LossInput(outputs, batch, plan.scale, progress, stage)
    discriminator = run.discriminator if stage == len(plan.objective.stages) - 1 else None
    loss_of_discriminator = math.nan
    if discriminator is not None:
        loss_of_discriminator = _train_discriminator(run, discriminator, plan, seen)
        seen = replace(seen, logits=_logits(discriminator, plan, seen))
    own = plan.objective.stages[stage]
    loss, gradient = _backward_and_step(run, run.model, plan.objective(seen), plan, batch, own)
    run.scaler.update()
    _update_ema(run, plan)
    run.step += 1
    run.losses.append(loss)
    return StepResult(loss, loss_of_discriminator, rate, gradient)


def _seed(plan: TrainPlan, step: int) -> None:
    """Random numbers of a step come from its number alone, so that nothing else is to be kept."""
    words = np.random.SeedSequence((plan.settings.seed, step, plan.processes.rank))
    torch.manual_seed(int(words.generate_state(1)[0]))


def _set_rates(run: TrainState, plan: TrainPlan) -> float:
    """Every stage runs through the schedule from its start."""
    count = len(plan.objective.stages)
    length = plan.steps / count
    own_step = run.step - int(plan.objective.stage_of(run.step / plan.steps)[0] * length)
    rate = learning_rate(plan.settings, own_step, int(length), plan.steps_per_epoch)
    for model in (run.model, run.discriminator):
        for group in model.optimiser.param_groups if model else ():
            group["lr"] = rate
    return rate


def _autocast(plan: TrainPlan) -> torch.autocast:
    precision = PRECISIONS[plan.settings.precision]
    return torch.autocast(
        plan.processes.device.type, precision, enabled=precision is not torch.float32
    )


def _predict(network: nn.Module, plan: TrainPlan, batch: Batch) -> Mapping[str, Tensor]:
    with _autocast(plan):
        return outputs_of(network, plan, batch)


def outputs_of(network: nn.Module, plan: TrainPlan, batch: Batch) -> Mapping[str, Tensor]:
    """Outputs of a network by name; it takes the days of several dates by name too."""
    others = {name: value for name, value in batch.inputs.items() if name not in plan.inputs}
    outputs: Mapping[str, Tensor] = network(*(batch.inputs[n] for n in plan.inputs), **others)
    return outputs


def _train_discriminator(
    run: TrainState, discriminator: ModelAndOptimizer, plan: TrainPlan, seen: LossInput
) -> float:
    """Let the discriminator learn from true and predicted images; its loss."""
    discriminator.network.requires_grad_(requires_grad=True)
    condition = _condition(plan, seen.batch)
    with _autocast(plan):
        true = discriminator.network(condition, seen.target)
        predicted = discriminator.network(condition, seen.image.detach())
    loss = discriminator_loss(true.float(), predicted.float(), plan.objective.share)
    return _backward_and_step(
        run, discriminator, loss, plan, seen.batch, whose=" of the discriminator"
    )[0]


def _logits(discriminator: ModelAndOptimizer, plan: TrainPlan, seen: LossInput) -> Tensor:
    """The discriminator's logits for the predicted image; it does not learn from them."""
    discriminator.network.requires_grad_(requires_grad=False)
    with _autocast(plan):
        logits: Tensor = discriminator.network(_condition(plan, seen.batch), seen.image)
    return logits.float()


def _condition(plan: TrainPlan, batch: Batch) -> Tensor:
    return torch.cat([batch.inputs[name] for name in plan.inputs], dim=1)


def _backward_and_step(
    run: TrainState,
    model: ModelAndOptimizer,
    loss: Tensor,
    plan: TrainPlan,
    batch: Batch,
    learning: str = "",
    whose: str = "",
) -> tuple[float, float]:
    """Change the weights whose names begin with `learning`; the loss and the norm of its gradient.

    Both are looked at once, when all is computed but before a weight has changed: every look makes
    the host wait until a GPU has nothing left to do.
    """
    model.optimiser.zero_grad(set_to_none=True)
    run.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    for name, parameter in model.network.named_parameters():
        if not name.startswith(learning):
            parameter.grad = None
    plan.processes.average_gradients(model.network)
    run.scaler.unscale_(model.optimiser)
    limit = plan.settings.clip_norm or math.inf
    norm = nn.utils.clip_grad_norm_(model.network.parameters(), limit)
    value, length = torch.stack([loss.detach(), norm]).tolist()
    _require_finite(value, f"loss{whose}", run, batch)
    if not run.scaler.is_enabled():  # with fp16 the scaler leaves out a step that overflows
        _require_finite(length, f"gradient{whose}", run, batch)
    run.scaler.step(model.optimiser)
    plan.processes.average_statistics(model.network)
    return value, length


def _update_ema(run: TrainState, plan: TrainPlan) -> None:
    """Move the average a little towards the new weights."""
    if run.average is None:
        return
    decay = min(plan.settings.ema_decay, (1 + run.step) / (_AVERAGE_WARMUP + run.step))
    kept, new = run.average.state_dict(), run.model.network.state_dict()
    moving = [name for name, value in kept.items() if value.is_floating_point()]
    with torch.no_grad():
        torch._foreach_lerp_([kept[n] for n in moving], [new[n] for n in moving], 1.0 - decay)
        for name in kept.keys() - set(moving):
            kept[name].copy_(new[name])


def _require_finite(value: float, what: str, run: TrainState, batch: Batch) -> None:
    if math.isfinite(value):
        return
    raise InputError(
        f"{what} {value} at step {run.step} with {', '.join(batch.files)}",
        wanted="a number",
        hint="look at these files, or begin a new run with a lower --learning-rate",
    )
