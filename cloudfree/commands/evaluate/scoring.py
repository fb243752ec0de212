"""Scores patch after patch and keeps their figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from cloudfree.commands.evaluate.calibration import Calibrating, Calibration, calibration
from cloudfree.commands.evaluate.patch import (
    NOTHING,
    Clouds,
    FilledPatch,
    Predict,
    find_clouds,
    restore,
    score,
)
from cloudfree.commands.evaluate.summary import ScoredPatch
from cloudfree.core.radiometry import Float32
from cloudfree.datasets.patch import Patch, Sample, Skipped, read_patch
from cloudfree.errors import CloudfreeError, InputError
from cloudfree.inference.model import Model
from cloudfree.metrics.protocol import PatchMetrics, Protocol

# Values of a patch that the calibration of its variances looks at, evenly spread: all values of
# 8,000 patches would not fit into memory.
CALIBRATION_VALUES = 2048


@dataclass(frozen=True)
class Prepared:
    """The part of a patch that counts, and its clouds."""

    patch: Patch
    clouds: Clouds


@dataclass(frozen=True)
class Judged:
    """What each model makes of a patch, and its figures."""

    prepared: Prepared
    restored: Mapping[str, FilledPatch]
    figures: Mapping[str, PatchMetrics]


class Scoring:
    """Scores patches, several at once, and keeps the figures of one after the other."""

    def __init__(
        self,
        models: Mapping[str, Model],
        protocol: Protocol,
        bands: tuple[str, ...],
        uncertainty: bool = False,
    ) -> None:
        self.models, self.protocol, self.bands = models, protocol, bands
        self.calibrating = {n: Calibrating(m) for n, m in models.items()} if uncertainty else {}
        self.patches: list[ScoredPatch] = []
        self.skipped: list[Skipped] = []
        self._variances: dict[str, list[tuple[Float32, Float32]]] = {name: [] for name in models}

    def prepare(self, sample: Sample) -> Prepared | Skipped:
        """Read a patch and find its clouds; what cannot be used comes with the reason."""
        try:
            whole = read_patch(sample)
            whole.require(self.bands, "the comparison")
            for model in self.models.values():
                _require_inputs(whole, model)
            clouds = find_clouds(whole)
        except CloudfreeError as error:
            return Skipped(sample.name, error.found)
        except OSError as error:
            return Skipped(sample.name, str(error))
        window = self.protocol.window(whole.grid.height, whole.grid.width)
        return Prepared(whole.part(window), clouds.part(window))

    def restore(self, prepared: Prepared) -> dict[str, FilledPatch]:
        """What each model makes of a patch."""
        return {
            label: restore(
                model, self._predict(label), prepared.patch, prepared.clouds, self.protocol.tiled
            )
            for label, model in self.models.items()
        }

    def _predict(self, label: str) -> Predict:
        if label in self.calibrating:
            return self.calibrating[label].augmentation.predict
        return self.models[label].predict_with_variance

    @contextmanager
    def parallel_batches(self) -> Iterator[int]:
        """Make the models ready for as many patches at once as suit the device."""
        with ExitStack() as stack:
            runtimes = [model.runtime for model in self.models.values()]
            # The first of those that share a CPU deals out its threads.
            yield max(stack.enter_context(runtime.parallel_batches()) for runtime in runtimes)

    def judge(self, given: tuple[Sample, Prepared | Skipped]) -> Judged | Skipped:
        """Restore a patch with every model and compare the results with the clear image."""
        sample, prepared = given
        if isinstance(prepared, Skipped):
            return prepared
        restored = self.restore(prepared)
        figures = score(self.protocol, prepared.patch, prepared.clouds, restored, self.bands)
        if not figures[NOTHING].all.pixels:
            return Skipped(sample.name, "no pixel with data in all images")
        return Judged(prepared, restored, figures)

    def add(self, sample: Sample, judged: Judged | Skipped) -> None:
        """Take in what was found of a patch."""
        if isinstance(judged, Skipped):
            self.skipped.append(judged)
            return
        patch, clouds = judged.prepared.patch, judged.prepared.clouds
        self.patches.append(
            ScoredPatch(
                sample.name,
                sample.place,
                sample.season,
                cover=float(clouds.found.mean()),
                restored=float(clouds.dilated.mean()),
                figures=judged.figures,
            )
        )
        for label, one in judged.restored.items():
            if label in self.calibrating:
                self.calibrating[label].add(sample.place, patch, clouds, one)
            elif one.prediction.variance is not None:
                mean, variance = one.prediction.mean, one.prediction.variance
                self._variances[label].append(_sampled(patch, mean, variance))

    def calibration(self) -> dict[str, Calibration]:
        """How well the variances fit, of each model that tells one."""
        found = dict(self._calibrated())
        for label, pairs in self._variances.items():
            if pairs:
                variances, errors = (np.concatenate(part) for part in zip(*pairs, strict=True))
                if one := calibration(variances, errors):
                    found[label] = one
        return found

    def _calibrated(self) -> Iterator[tuple[str, Calibration]]:
        """The same in each way to make deviations of what a model tells."""
        for label, one in self.calibrating.items():
            for way, figures in one.calibrations():
                yield f"{label}, {way}", figures

    def error_models(self) -> dict[str, dict[str, Any]]:
        """What the card of each model should say of its errors."""
        entries = {label: one.card_entry() for label, one in self.calibrating.items()}
        return {label: entry for label, entry in entries.items() if entry}


def _require_inputs(patch: Patch, model: Model) -> None:
    patch.require(model.card.optical_bands, f"model {model.card.name}")
    if model.card.uses_sar and patch.sar is None:
        raise InputError(
            f"no Sentinel-1, which model {model.card.name} needs",
            wanted="VV and VH",
            hint="add the file, or give a model that works without",
        )


def _sampled(patch: Patch, image: Float32, variance: Float32) -> tuple[Float32, Float32]:
    """Variances and errors at evenly spread values of a patch, each of one dimension."""
    error = (image - patch.clear).ravel()
    there = np.flatnonzero(np.isfinite(error) & np.isfinite(variance.ravel()))
    chosen = there[:: max(len(there) // CALIBRATION_VALUES, 1)]
    return variance.ravel()[chosen], error[chosen]
