"""Scoring of patches one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from cloudfree.commands.evaluate.calibration import Calibration, Calibrator, calibration
from cloudfree.commands.evaluate.cover import cover_of
from cloudfree.commands.evaluate.patch import (
    NOTHING,
    Clouds,
    FilledPatch,
    Predict,
    fill_patch,
    find_clouds,
    score,
)
from cloudfree.commands.evaluate.summary import ScoredPatch
from cloudfree.core.choices import CoverOf
from cloudfree.core.radiometry import Float32
from cloudfree.datasets.date_choice import choose_dates
from cloudfree.datasets.patch import Patch, Sample, Skipped, read_patch
from cloudfree.errors import CloudfreeError, ErrorCode, InputError
from cloudfree.inference.model import Model
from cloudfree.metrics.protocol import PatchMetrics, Protocol

# Values of a patch that the calibration of variances uses, evenly spread: all values of 8,000
# patches do not fit into memory.
CALIBRATION_VALUES = 2048


@dataclass(frozen=True)
class CloudyPatch:
    """The scored part of a patch, its clouds, and the cover of the whole patch."""

    patch: Patch
    clouds: Clouds
    cover: float


@dataclass(frozen=True)
class EvaluatedPatch:
    """A patch as each model fills it, and its metrics by method."""

    cloudy: CloudyPatch
    filled: Mapping[str, FilledPatch]
    figures: Mapping[str, PatchMetrics]


class Scoring:
    """Scores patches, several at once, and collects their metrics."""

    def __init__(
        self,
        models: Mapping[str, Model],
        protocol: Protocol,
        bands: tuple[str, ...],
        uncertainty: bool = False,
        cover: CoverOf = "cloud-and-shadow",
    ) -> None:
        self.models, self.protocol, self.bands, self.cover = models, protocol, bands, cover
        self.calibrators = {n: Calibrator(m) for n, m in models.items()} if uncertainty else {}
        self.patches: list[ScoredPatch] = []
        self.skipped: list[Skipped] = []
        self._variances: dict[str, list[tuple[Float32, Float32]]] = {name: [] for name in models}

    def prepare(self, sample: Sample) -> CloudyPatch | Skipped:
        """Read a patch and find its clouds; an unusable one is skipped with the reason."""
        try:
            whole = read_patch(choose_dates(sample))
            whole.require(self.bands, "the comparison")
            for model in self.models.values():
                _require_inputs(whole, model)
            clouds = find_clouds(whole)
            cover = cover_of(whole, self.cover, self.protocol.is_published)
        except CloudfreeError as error:
            return Skipped(sample.name, error.found)
        except OSError as error:
            return Skipped(sample.name, str(error))
        window = self.protocol.window(whole.grid.height, whole.grid.width)
        return CloudyPatch(whole.part(window), clouds.part(window), cover)

    def fill(self, cloudy: CloudyPatch) -> dict[str, FilledPatch]:
        """The patch as each model fills it."""
        return {
            label: fill_patch(
                model, self._predict(label), cloudy.patch, cloudy.clouds, self.protocol.tiled
            )
            for label, model in self.models.items()
        }

    def _predict(self, label: str) -> Predict:
        if label in self.calibrators:
            return self.calibrators[label].augmentation.predict
        return self.models[label].predict_with_variance

    @contextmanager
    def parallel_batches(self) -> Iterator[int]:
        """Number of patches that suit the device at once, for which the models are prepared."""
        with ExitStack() as stack:
            runtimes = [model.runtime for model in self.models.values()]
            # Of runtimes that share a CPU the first divides its threads.
            yield max(stack.enter_context(runtime.parallel_batches()) for runtime in runtimes)

    def evaluate(self, prepared: tuple[Sample, CloudyPatch | Skipped]) -> EvaluatedPatch | Skipped:
        """Fill a patch with every model and compare the results with the clear image."""
        sample, cloudy = prepared
        if isinstance(cloudy, Skipped):
            return cloudy
        filled = self.fill(cloudy)
        figures = score(self.protocol, cloudy.patch, cloudy.clouds, filled, self.bands)
        if not figures[NOTHING].all.pixels:
            return Skipped(sample.name, "no pixel with data in all images")
        return EvaluatedPatch(cloudy, filled, figures)

    def add(self, sample: Sample, evaluated: EvaluatedPatch | Skipped) -> None:
        """Collect the metrics of a patch."""
        if isinstance(evaluated, Skipped):
            self.skipped.append(evaluated)
            return
        patch, clouds = evaluated.cloudy.patch, evaluated.cloudy.clouds
        self.patches.append(
            ScoredPatch(
                sample.name,
                sample.place,
                sample.season,
                cover=evaluated.cloudy.cover,
                filled=float(clouds.dilated.mean()),
                figures=evaluated.figures,
                dates=patch.dates,
            )
        )
        for label, one in evaluated.filled.items():
            if label in self.calibrators:
                self.calibrators[label].add(sample.place, patch, clouds, one)
            elif one.prediction.variance is not None:
                mean, variance = one.prediction.mean, one.prediction.variance
                self._variances[label].append(_sampled(patch, mean, variance))

    def calibration(self) -> dict[str, Calibration]:
        """Calibration of the variances of each model that predicts one."""
        found = dict(self._calibrated())
        for label, pairs in self._variances.items():
            if pairs:
                variances, errors = (np.concatenate(part) for part in zip(*pairs, strict=True))
                if one := calibration(variances, errors):
                    found[label] = one
        return found

    def _calibrated(self) -> Iterator[tuple[str, Calibration]]:
        """Calibration under each error model that is compared."""
        for label, one in self.calibrators.items():
            for way, figures in one.calibrations():
                yield f"{label}, {way}", figures

    def error_models(self) -> dict[str, dict[str, Any]]:
        """The `[uncertainty]` entry for the card of each model."""
        entries = {label: one.card_entry() for label, one in self.calibrators.items()}
        return {label: entry for label, entry in entries.items() if entry}


def _require_inputs(patch: Patch, model: Model) -> None:
    patch.require(model.card.optical_bands, f"model {model.card.name}")
    if model.card.uses_sar and patch.sar is None:
        raise InputError(
            f"no Sentinel-1, which model {model.card.name} needs",
            wanted="VV and VH",
            hint="add the file, or give a model that works without",
            code=ErrorCode.MISSING_RADAR,
        )


def _sampled(patch: Patch, image: Float32, variance: Float32) -> tuple[Float32, Float32]:
    """Variances and errors at evenly spread values of a patch, each of one dimension."""
    error = (image - patch.clear).ravel()
    there = np.flatnonzero(np.isfinite(error) & np.isfinite(variance.ravel()))
    chosen = there[:: max(len(there) // CALIBRATION_VALUES, 1)]
    return variance.ravel()[chosen], error[chosen]
