"""Learning, on the clear ground of a scene, how far off a network is that is to restore it.

Clouds, drawn ones and those of the scene, are laid over ground that is surely clear, and a
correction learns what the network lacks where they hide it. Other such ground, which it does not
learn from, tells whether that is better; unless it surely is, the network's result stays as it is.
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
    describe,
)
from cloudfree.training.adaptation.examples import (
    AdaptationExample,
    ClearSample,
    CloudTransplant,
    make_examples,
)

Gains = NDArray[np.float64]

# Fewer held-out grounds tell nothing of how sure a gain is, and fewer blocks nothing at all.
_LEAST_CHECKED, _LEAST_BLOCKS = 2, 64
# Mean squared error that counts as none: 120 dB.
_NO_ERROR = 1e-12
# What a seed is for: the skies to learn under and those to check under are drawn apart.
_CHECKING, _LEARNING = 0, 1


@dataclass(frozen=True)
class AdaptationSettings:
    """How much a correction learns, and when it is kept.

    Grounds are seen under at most `skies` skies each, `lessons` times in all, held-out ones under
    `check_skies`; a network too slow for that sees what it can in `seconds`, half of them for
    either. Of the correction that share of `shares` is added whose mean gain, less its standard
    error, is greatest, if that is at least `margin_db`: never all, since ground under clouds is not
    quite as ground beside them.
    """

    skies: int = 4
    lessons: int = 96
    check_skies: int = 2
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
    """How it went: the model that is better, the gain in dB, and how sure that is.

    `gain_db` and `error_db` are the mean over the held-out grounds and its standard error at the
    best `share`, whether it is kept or not; NaN where nothing was learned.
    """

    model: Model
    kept: bool = False
    gain_db: float = math.nan
    error_db: float = math.nan
    share: float = 0.0
    seconds: float = 0.0


def adapt(
    model: Model,
    learned: Sequence[ClearSample],
    held_out: Sequence[ClearSample],
    veils: Sequence[CloudTransplant],
    settings: AdaptationSettings,
    progress: Progress,
) -> Adaptation:
    """Learn how far off `model` is under drawn clouds and `veils`, and check that.

    The same seed gives the same result where the time does not end it.
    """
    begun = time.monotonic()

    def examples_of(
        grounds: Sequence[ClearSample], times: int, purpose: int
    ) -> Generator[AdaptationExample, None, None]:
        place, half = (settings.seed, purpose), settings.seconds / 2
        return make_examples(model, grounds, veils, times, place, half, progress)

    checks = list(examples_of(held_out, settings.check_skies * len(held_out), _CHECKING))
    times = min(settings.skies * len(learned), settings.lessons)
    with closing(examples_of(learned, times, _LEARNING)) as drawn:
        lessons = [_blocks(lesson) for lesson in drawn]
    checked = len({check.ground for check in checks})
    if checked < _LEAST_CHECKED or sum(len(wanted) for _, wanted in lessons) < _LEAST_BLOCKS:
        return Adaptation(model)
    correction = _fit(lessons, settings)
    gains = {share: _gains_db(correction, checks, share, model) for share in settings.shares}
    share = max(gains, key=lambda one: _sure_db(gains[one]))
    kept = _sure_db(gains[share]) >= settings.margin_db
    return Adaptation(
        _corrected(model, correction, share) if kept else model,
        kept,
        float(gains[share].mean()),
        _error_db(gains[share]),
        share,
        time.monotonic() - begun,
    )


def _blocks(lesson: AdaptationExample) -> tuple[Tensor, Tensor]:
    """Blocks that are wholly hidden: described, (block, features), and wanted, (block, bands)."""
    whole = blocks_of(lesson.hidden.float())[0, 0] == 1
    wanted = blocks_of(lesson.truth - lesson.seen[0])
    return describe(*lesson.seen)[0, :, whole].T, wanted[0, :, whole].T


def _fit(lessons: Sequence[tuple[Tensor, Tensor]], settings: AdaptationSettings) -> SceneCorrection:
    """A correction that knows the blocks; on the CPU, where it takes seconds."""
    described, wanted = (torch.cat(parts) for parts in zip(*lessons, strict=True))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        correction = SceneCorrection(described.shape[1], wanted.shape[1])
        correction.fit_normalisation(described)
        _descend(correction, described, wanted, settings)
    return correction.requires_grad_(requires_grad=False)


def _descend(
    correction: SceneCorrection, described: Tensor, wanted: Tensor, settings: AdaptationSettings
) -> None:
    """Take the steps, each of some blocks at random."""
    rate = settings.learning_rate
    optimiser = torch.optim.AdamW(correction.parameters(), rate, weight_decay=settings.weight_decay)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, settings.steps)
    for _ in range(settings.steps):
        some = torch.randint(len(described), (settings.batch,))
        loss = functional.mse_loss(correction.correct_blocks(described[some]), wanted[some])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        pace.step()


def _gains_db(
    correction: SceneCorrection, checks: Sequence[AdaptationExample], share: float, model: Model
) -> Gains:
    """What a share of the correction gains in PSNR of reflectance, (held-out ground,)."""
    before: dict[int, list[float]] = {}
    after: dict[int, list[float]] = {}
    for check in checks:
        image = check.seen[0]
        answer = image + share * correction(*check.seen)
        before.setdefault(check.ground, []).append(_squared_error(image, check, model))
        after.setdefault(check.ground, []).append(_squared_error(answer, check, model))
    ratios = [np.mean(before[ground]) / np.mean(after[ground]) for ground in before]
    return 10.0 * np.log10(ratios)


def _squared_error(answer: Tensor, check: AdaptationExample, model: Model) -> float:
    """Mean squared error of the hidden pixels in reflectance, which lies between 0 and 1."""
    given, truth = (
        model.card.output_scaling.inverse(scaled.numpy()).clip(0.0, 1.0)
        for scaled in (answer, check.truth)
    )
    error = (given - truth)[0][:, check.hidden[0, 0].numpy()]
    return max(float(np.mean(error**2)), _NO_ERROR)


def _error_db(gains: Gains) -> float:
    """Standard error of the mean gain."""
    return float(gains.std(ddof=1) / math.sqrt(len(gains)))


def _sure_db(gains: Gains) -> float:
    """The mean gain less its standard error; nothing where it is no number."""
    sure = float(gains.mean()) - _error_db(gains)
    return -math.inf if math.isnan(sure) else sure


def _corrected(model: Model, correction: SceneCorrection, share: float) -> Model:
    """The model with the correction, which runs where its network does."""
    if isinstance(model.runtime, TorchRuntime):
        correction = correction.to(model.runtime.device)
    runtime = AdaptedRuntime(model.runtime, correction, model.card.output_indices, share)
    return replace(model, runtime=runtime)
