"""`cloudfree remove --adapt`: the model is corrected by the scene's own clear ground."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

from cloudfree.commands.remove.adapt_samples import (
    CLEAR_BANDS,
    WINDOW_PX,
    ClearSamples,
    find_clear_samples,
    find_transplants,
)
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.terminal import Progress
from cloudfree.parallel.environment import trim_malloc
from cloudfree.training.adaptation.fit import Adaptation, AdaptationSettings, adapt

logger = logging.getLogger("cloudfree")

# With fewer samples for training or validation the model is not adapted.
MIN_TRAINING, MIN_HELD_OUT = 6, 3


@dataclass(frozen=True)
class AdaptationResult:
    """Whether the model was adapted, and the reason.

    `gain_db` is the gain on held-out samples under clouds and `error_db` its standard error; None
    if nothing was trained. `share` is the share of the correction that is added.
    """

    adapted: bool
    reason: str
    gain_db: float | None = None
    error_db: float | None = None
    share: float = 0.0
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """`yes`, or `no` and the reason, for the tags of the result."""
        return "yes" if self.adapted else f"no: {self.reason}"

    def summary(self) -> str:
        """One line for people."""
        return f"{'adapted' if self.adapted else 'not adapted'} to the scene: {self.reason}"


def adapt_to_scene(
    scene: RemovalScene, progress: Progress, settings: AdaptationSettings | None = None
) -> tuple[RemovalScene, AdaptationResult]:
    """The scene with the model adapted to it where that is better, and what was measured."""
    settings = settings or AdaptationSettings()
    found = _find_samples(scene, settings.seed)
    if isinstance(found, ClearSamples):
        transplants = find_transplants(scene, settings.seed)
        result = adapt(scene.model, found.training, found.held_out, transplants, settings, progress)
        scene, adapted = replace(scene, model=result.model), _adapted(result, found)
        trim_malloc()
    else:
        adapted = AdaptationResult(False, found)
    logger.info("%s", adapted.summary())
    return scene, adapted


def _find_samples(scene: RemovalScene, seed: int) -> ClearSamples | str:
    """The clear samples of a scene, or why there are too few."""
    optical = scene.optical
    if scene.mask is None:
        return "every pixel is filled, and no mask gives its clear ground"
    if missing := [band for band in CLEAR_BANDS if band not in optical.bands]:
        return f"no band {', '.join(missing)}, which separate clear ground from haze"
    if min(optical.grid.height, optical.grid.width) < WINDOW_PX:
        return f"a scene of less than {WINDOW_PX} pixels is too small to train on"
    found = find_clear_samples(scene, scene.mask, seed)
    if len(found.training) < MIN_TRAINING or len(found.held_out) < MIN_HELD_OUT:
        return (
            f"{len(found.training) + len(found.held_out)} of {found.examined} parts of the scene "
            f"have enough surely clear ground, {MIN_TRAINING + MIN_HELD_OUT} are needed"
        )
    return found


def _adapted(result: Adaptation, found: ClearSamples) -> AdaptationResult:
    if math.isnan(result.gain_db):
        return AdaptationResult(False, "its clear ground made too few training examples")
    reason = (
        f"{result.gain_db:+.2f} dB (standard error {result.error_db:.2f}) on "
        f"{len(found.held_out)} held-out clear parts, by {result.share:.0%} of the correction "
        f"fitted to {len(found.training)} others"
        + ("" if result.kept else "; not a significant gain")
    )
    return AdaptationResult(
        result.kept, reason, result.gain_db, result.error_db, result.share, result.seconds
    )
