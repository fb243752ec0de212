"""One step of a training: look, judge, learn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from cloudfree.errors import InputError
from cloudfree.losses.adversarial import discriminator_loss
from cloudfree.runtimes.torch import PRECISIONS
from cloudfree.training.batch import Batch
from cloudfree.training.objectives import Objective, Seen
from cloudfree.training.processes import Processes
from cloudfree.training.recipe import TrainingSettings
from cloudfree.training.run import Player, Run
from cloudfree.training.schedule import learning_rate

# The moving average follows quickly at first: after k steps it looks back over about k / 10.
_AVERAGE_WARMUP = 10


@dataclass(frozen=True)
class Plan:
    """What stays the same over all steps.

    `inputs` are the arguments of the network in their order; `scale` is what reflectance 0 and 1
    are to it.
    """

    settings: TrainingSettings
    objective: Objective
    inputs: tuple[str, ...]
    scale: tuple[float, float]
    steps: int
    steps_per_epoch: float
    processes: Processes


@dataclass(frozen=True)
class StepResult:
    """How a step went; `opponent_loss` is NaN without one."""

    loss: float
    opponent_loss: float
    learning_rate: float
    gradient: float


def take_step(run: Run, plan: Plan, batch: Batch) -> StepResult:
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
    outputs = _restored(run.learner.network, plan, batch)
    seen = Seen(outputs, batch, plan.scale, progress, stage)
    opponent = run.opponent if stage == len(plan.objective.stages) - 1 else None
    opponent_loss = math.nan
    if opponent is not None:
        opponent_loss = _teach_opponent(run, opponent, plan, seen)
        seen = Seen(outputs, batch, plan.scale, progress, stage, _judge(opponent, plan, seen))
    loss = plan.objective(seen)
    _refuse_no_number(float(loss.detach()), "loss", run, batch)
    gradient = _learn(run, run.learner, loss, plan, batch, plan.objective.stages[stage])
    run.scaler.update()
    _follow(run, plan)
    run.step += 1
    run.losses.append(float(loss.detach()))
    return StepResult(run.losses[-1], opponent_loss, rate, gradient)


def _seed(plan: Plan, step: int) -> None:
    """Random numbers of a step come from its number alone, so that nothing else is to be kept."""
    words = np.random.SeedSequence((plan.settings.seed, step, plan.processes.rank))
    torch.manual_seed(int(words.generate_state(1)[0]))


def _set_rates(run: Run, plan: Plan) -> float:
    """Every stage runs through the schedule from its beginning."""
    count = len(plan.objective.stages)
    length = plan.steps / count
    own_step = run.step - int(plan.objective.stage_of(run.step / plan.steps)[0] * length)
    rate = learning_rate(plan.settings, own_step, int(length), plan.steps_per_epoch)
    players = [run.learner] if run.opponent is None else [run.learner, run.opponent]
    for player in players:
        for group in player.optimiser.param_groups:
            group["lr"] = rate
    return rate


def _autocast(plan: Plan) -> torch.autocast:
    precision = PRECISIONS[plan.settings.precision]
    return torch.autocast(
        plan.processes.device.type, precision, enabled=precision is not torch.float32
    )


def _restored(network: nn.Module, plan: Plan, batch: Batch) -> Mapping[str, Tensor]:
    with _autocast(plan):
        outputs: Mapping[str, Tensor] = network(*(batch.inputs[name] for name in plan.inputs))
    return outputs


def _teach_opponent(run: Run, opponent: Player, plan: Plan, seen: Seen) -> float:
    """Show the discriminator a true and a restored image."""
    opponent.network.requires_grad_(requires_grad=True)
    condition = _condition(plan, seen.batch)
    with _autocast(plan):
        true = opponent.network(condition, seen.target)
        restored = opponent.network(condition, seen.image.detach())
    loss = discriminator_loss(true.float(), restored.float(), plan.objective.share)
    _refuse_no_number(float(loss.detach()), "loss of the discriminator", run, seen.batch)
    _learn(run, opponent, loss, plan, seen.batch)
    return float(loss.detach())


def _judge(opponent: Player, plan: Plan, seen: Seen) -> Tensor:
    """The discriminator's logits for the restored image; it does not learn from them."""
    opponent.network.requires_grad_(requires_grad=False)
    with _autocast(plan):
        logits: Tensor = opponent.network(_condition(plan, seen.batch), seen.image)
    return logits.float()


def _condition(plan: Plan, batch: Batch) -> Tensor:
    return torch.cat([batch.inputs[name] for name in plan.inputs], dim=1)


def _learn(
    run: Run, player: Player, loss: Tensor, plan: Plan, batch: Batch, learning: str = ""
) -> float:
    """Change the weights whose names begin with `learning`; the norm of the gradient."""
    player.optimiser.zero_grad(set_to_none=True)
    run.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    for name, parameter in player.network.named_parameters():
        if not name.startswith(learning):
            parameter.grad = None
    plan.processes.average_gradients(player.network)
    run.scaler.unscale_(player.optimiser)
    limit = plan.settings.clip_norm or math.inf
    norm = float(nn.utils.clip_grad_norm_(player.network.parameters(), limit))
    if not run.scaler.is_enabled():  # with fp16 the scaler leaves out a step that overflows
        _refuse_no_number(norm, "gradient", run, batch)
    run.scaler.step(player.optimiser)
    plan.processes.average_statistics(player.network)
    return norm


def _follow(run: Run, plan: Plan) -> None:
    """Move the average a little towards the new weights."""
    if run.average is None:
        return
    decay = min(plan.settings.average, (1 + run.step) / (_AVERAGE_WARMUP + run.step))
    kept, new = run.average.state_dict(), run.learner.network.state_dict()
    with torch.no_grad():
        for name, value in kept.items():
            if value.is_floating_point():
                value.lerp_(new[name], 1.0 - decay)
            else:
                value.copy_(new[name])


def _refuse_no_number(value: float, what: str, run: Run, batch: Batch) -> None:
    if math.isfinite(value):
        return
    raise InputError(
        f"{what} {value} at step {run.step} with {', '.join(batch.files)}",
        wanted="a number",
        hint="look at these files, or begin a new run with a lower --learning-rate",
    )
