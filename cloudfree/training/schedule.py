"""The learning rate of each step."""

from __future__ import annotations

import math

from cloudfree.training.settings import TrainingSettings


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
        return start * float(settings.gamma ** int(step / steps_per_epoch / settings.decay_epochs))
    if settings.schedule == "cosine":
        return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * progress))
    if settings.schedule == "linear":  # of pix2pix: constant, then down in the second half
        return end + (start - end) * min(1.0, 2.0 * (1.0 - progress))
    return start
