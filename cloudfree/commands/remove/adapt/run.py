"""`cloudfree remove --adapt`: what is restored is corrected by the scene's own clear ground."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

from cloudfree.commands.remove.adapt.clear_samples import (
    SUNLIT_BANDS,
    WINDOW_PX,
    ClearSamples,
    find_clear_samples,
)
from cloudfree.commands.remove.adapt.cloud_samples import find_transplants
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.terminal import Progress
from cloudfree.parallel.malloc import trim_malloc
from cloudfree.training.adaptation.fit import Adaptation, AdaptationSettings, adapt

logger = logging.getLogger("cloudfree")

# With fewer grounds to learn from or to check by, nothing is learned.
MIN_LEARNED, MIN_HELD_OUT = 6, 3


@dataclass(frozen=True)
class AdaptationResult:
    """Whether the model was adapted, and why or why not.

    `gain_db` is the gain on held-out clear ground under drawn clouds and `error_db` its standard
    error; None where nothing was learned. `share` is how much of the correction is added.
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
    """The scene with the model that is best for it, and how it came about."""
    settings = settings or AdaptationSettings()
    found = _look(scene, settings.seed)
    if isinstance(found, ClearSamples):
        veils = find_transplants(scene, settings.seed)
        grounds = found.learned, found.held_out
        result = adapt(scene.model, *grounds, veils, settings, progress)
        scene, adapted = replace(scene, model=result.model), _adapted(result, found)
        trim_malloc()
    else:
        adapted = AdaptationResult(False, found)
    logger.info("%s", adapted.summary())
    return scene, adapted


def _look(scene: RemovalScene, seed: int) -> ClearSamples | str:
    """Ground to learn from, or why there is none."""
    optical = scene.optical
    if scene.mask is None:
        return "all of it is restored, and no mask tells its clear ground"
    if missing := [band for band in SUNLIT_BANDS if band not in optical.bands]:
        return f"no band {', '.join(missing)}, which tell clear ground from haze"
    if min(optical.grid.height, optical.grid.width) < WINDOW_PX:
        return f"a scene of less than {WINDOW_PX} pixels is too small to learn from"
    found = find_clear_samples(scene, scene.mask, seed)
    if len(found.learned) < MIN_LEARNED or len(found.held_out) < MIN_HELD_OUT:
        return (
            f"{len(found.learned) + len(found.held_out)} of {found.examined} parts of the scene "
            f"show enough ground that is surely clear, {MIN_LEARNED + MIN_HELD_OUT} are needed"
        )
    return found


def _adapted(result: Adaptation, found: ClearSamples) -> AdaptationResult:
    if math.isnan(result.gain_db):
        return AdaptationResult(False, "nothing could be learned from its clear ground")
    reason = (
        f"{result.gain_db:+.2f} dB (standard error {result.error_db:.2f}) on "
        f"{len(found.held_out)} clear parts that it did not learn from, by {result.share:.0%} of "
        f"what it learned on {len(found.learned)} others"
        + ("" if result.kept else "; that is no sure gain")
    )
    return AdaptationResult(
        result.kept, reason, result.gain_db, result.error_db, result.share, result.seconds
    )
