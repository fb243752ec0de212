"""Which part of which patch is seen when.

Everything is drawn from the seed and a count alone: step k sees the same however often a run was
interrupted, and however many threads read.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cloudfree.core.dihedral import IDENTITY, DihedralTransform
from cloudfree.core.mask_classes import Mask, in_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.inference.model import fill_missing
from cloudfree.inference.model_card import ModelCard
from cloudfree.training.batch import Batch
from cloudfree.training.distributed import ALONE, Processes
from cloudfree.training.patch_cache import PatchArrays, PatchStore
from cloudfree.training.settings import TrainingSettings
from cloudfree.training.simulated_clouds import under_simulated_clouds

# What a draw is for: each purpose has random numbers of its own.
_ORDER, _CROP, _SKY = 0, 1, 2


class Batches:
    """The batches of a run by the number of their step."""

    def __init__(
        self,
        store: PatchStore,
        card: ModelCard,
        settings: TrainingSettings,
        processes: Processes = ALONE,
        readers: int = 1,
    ) -> None:
        self._store, self._card, self._settings = store, card, settings
        self._processes = processes
        self._pool = ThreadPoolExecutor(max_workers=readers)

    def at(self, step: int) -> Batch:
        """The batch of step 0, 1, ...: each epoch sees every patch once, in an order of its own."""
        size, others = self._settings.batch, self._processes
        first = (step * others.count + others.rank) * size
        places = [self._place(count) for count in range(first, first + size)]
        parts = self._pool.map(self._part, range(first, first + size), places)
        batch = collate(list(parts))
        return batch.pinned() if others.device.type == "cuda" else batch

    def close(self) -> None:
        """Stop the threads that read."""
        self._pool.shutdown(cancel_futures=True)

    def _place(self, count: int) -> tuple[int, int]:
        """Epoch and place in it of the patch with that count."""
        return divmod(count, len(self._store.samples))

    def _patch(self, epoch: int, place: int) -> tuple[int, PatchArrays]:
        """The patch at a place of an epoch, or the next one that can be used."""
        order = _order(self._settings.seed, epoch, len(self._store.samples))
        for later in range(len(order)):
            index = int(order[(place + later) % len(order)])
            pixels = self._store.get(index)
            if pixels is not None:
                return index, pixels
        raise self._store.nothing_left()

    def _part(self, count: int, place: tuple[int, int]) -> SampleCrop:
        """Draw the part of a patch that is seen, and turn it."""
        index, pixels = self._patch(*place)
        settings = self._settings
        rng = np.random.default_rng((settings.seed, _CROP, count))
        row, col = (int(rng.integers(side - settings.crop + 1)) for side in pixels.size)
        turn = (
            DihedralTransform(int(rng.integers(4)), bool(rng.integers(2)))
            if settings.augment
            else IDENTITY
        )
        seen = pixels.part(row, col, settings.crop).each(turn.of)
        sample = self._store.samples[index]
        sky = np.random.default_rng((settings.seed, _SKY, count))
        if sky.random() < settings.simulate_clouds or not sample.has_cloudy:
            seen = under_simulated_clouds(seen, self._card.optical_bands, self._store, sky)
        return scaled_crop(seen, self._card, str(sample.cloudy))


@lru_cache(maxsize=2)  # a batch may lie across the border of two epochs
def _order(seed: int, epoch: int, patches: int) -> NDArray[np.int64]:
    """Which patch stands at each place of an epoch."""
    return np.random.default_rng((seed, _ORDER, epoch)).permutation(patches)


@dataclass(frozen=True)
class SampleCrop:
    """One sample of a batch: arrays as the network wants them, (band, y, x)."""

    file: str
    inputs: dict[str, Float32]
    cloudy: Float32
    target: Float32
    valid: Mask
    classes: Mask | None


def scaled_crop(pixels: PatchArrays, card: ModelCard, file: str) -> SampleCrop:
    """Pixels on the scale of a network; what is missing is filled as for a prediction."""
    cloudy = card.optical_scaling.forward(fill_missing(pixels.cloudy))
    bands = [card.optical_bands.index(band) for band in card.output_bands]
    valid = np.isfinite(pixels.clear[bands])
    clear = card.optical_scaling.forward(pixels.clear)[bands]
    inputs = {"optical": cloudy} if "optical" in card.inputs else {}
    if pixels.sar is not None:
        inputs["sar"] = card.sar_scaling.forward(fill_missing(pixels.sar))
    if card.uses_shadow and pixels.classes is not None:
        inputs["shadow"] = in_shadow(pixels.classes)[None].astype(np.float32)
    target = np.where(valid, clear, cloudy[bands])
    return SampleCrop(file, inputs, cloudy[bands], target, valid.astype(np.uint8), pixels.classes)


def collate(parts: list[SampleCrop]) -> Batch:
    """Samples of one size as one batch."""
    return Batch(
        files=tuple(part.file for part in parts),
        inputs={name: _stack([part.inputs[name] for part in parts]) for name in parts[0].inputs},
        cloudy=_stack([part.cloudy for part in parts]),
        target=_stack([part.target for part in parts]),
        valid=_stack([part.valid for part in parts]).bool(),
        classes=_stack([part.classes for part in parts if part.classes is not None])
        if parts[0].classes is not None
        else None,
    )


def _stack(arrays: list[Float32] | list[Mask]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
