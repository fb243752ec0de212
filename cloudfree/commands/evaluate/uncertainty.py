"""Calibrating a model: how large its errors are where `remove` restores, by what it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cloudfree.commands.evaluate.calibration import Calibration
from cloudfree.commands.evaluate.error_model_fit import (
    Residuals,
    calibration_under,
    fit_error_model,
    held_out,
)
from cloudfree.commands.evaluate.patch import Clouds, FilledPatch
from cloudfree.core.radiometry import Float32
from cloudfree.datasets.patch import Patch
from cloudfree.inference.error_model import uncalibrated
from cloudfree.inference.model import Model
from cloudfree.inference.test_time_augmentation import TestTimeAugmentation
from cloudfree.inference.uncertainty import calibration_of

# Pixels kept of a patch, evenly spread: neighbours err alike, and thousands of patches must fit
# into memory.
PATCH_PIXELS = 512
# Places are held out in so many groups at most: each costs a fit.
GROUPS = 5

COVERAGE = "within_1 and within_2 are the shares of errors within one and two standard deviations \
at places that were not fitted to"


class Calibrating:
    """Keeps residuals of one model by place, and finds its error model."""

    def __init__(self, model: Model) -> None:
        self.model, self.spread = model, TestTimeAugmentation(model)
        self._places: dict[str, list[Residuals]] = {}

    def add(self, place: str, patch: Patch, clouds: Clouds, restored: FilledPatch) -> None:
        """Keep some of the restored pixels of a patch."""
        found = residuals(self.model, patch, clouds, restored)
        if found.error.size:
            self._places.setdefault(place, []).append(found)

    @property
    def groups(self) -> dict[str, Residuals]:
        """What was kept, places in a few groups."""
        return grouped({place: Residuals.joined(own) for place, own in self._places.items()})

    def calibrations(self) -> Iterator[tuple[str, Calibration]]:
        """How well each way to tell the errors does."""
        if self._places and self.spread.source:
            yield from calibrations(self.model, self.spread.source, self.groups)

    def card_entry(self) -> dict[str, Any] | None:
        """What the card should say; None where nothing was restored."""
        if not self._places or self.spread.source is None:
            return None
        patches = sum(map(len, self._places.values()))
        protocol = f"restored pixels of {patches} patches at {len(self._places)} places; {COVERAGE}"
        return card_entry(self.spread.source, self.groups, protocol)


def residuals(model: Model, patch: Patch, clouds: Clouds, restored: FilledPatch) -> Residuals:
    """Predictions, variances and errors at some of the restored pixels of a patch."""
    assert restored.variance is not None
    bands = model.card.output_bands
    image, spread = patch.select(restored.raw, bands), patch.select(restored.variance, bands)
    error = image - patch.select(patch.clear, bands)
    known = clouds.grown & np.isfinite(error).all(axis=0) & np.isfinite(spread).all(axis=0)
    places = np.flatnonzero(known)
    chosen = places[:: max(len(places) // PATCH_PIXELS, 1)]

    def kept(array: Float32) -> Float32:
        return array.reshape(len(bands), -1)[:, chosen]

    return Residuals(kept(image), kept(spread), kept(error))


def grouped(places: Mapping[str, Residuals]) -> dict[str, Residuals]:
    """The places in a few groups of about the same number."""
    names = sorted(places)
    groups = {str(first): names[first::GROUPS] for first in range(min(GROUPS, len(names)))}
    return {group: Residuals.joined([places[n] for n in own]) for group, own in groups.items()}


def calibrations(
    model: Model, source: str, groups: Mapping[str, Residuals]
) -> Iterator[tuple[str, Calibration]]:
    """How well the errors are told: by the bare spread, by the card, by a fit to other places."""
    bare = uncalibrated(len(model.card.output_bands))
    ways = {f"bare {source}": [(bare, one) for one in groups.values()]}
    own_source, own = calibration_of(model.card)
    if own and own_source == source:
        ways["by its card"] = [(own, one) for one in groups.values()]
    if len(groups) > 1:
        ways["fitted to other places"] = list(held_out(groups))
    for way, pairs in ways.items():
        if found := calibration_under(pairs):
            yield way, found


def card_entry(source: str, groups: Mapping[str, Residuals], protocol: str) -> dict[str, Any]:
    """The entry `[uncertainty]` of a card: fitted to all groups, coverage on each held out."""
    model = fit_error_model(Residuals.joined(list(groups.values())))
    numbers = {name: [float(f"{one:.3g}") for one in row] for name, row in model.entries.items()}
    entry: dict[str, Any] = {"source": source, **numbers, "protocol": protocol}
    if len(groups) > 1 and (found := calibration_under(list(held_out(groups)))):
        entry |= {"within_1": round(found.within_1, 3), "within_2": round(found.within_2, 3)}
    return entry
