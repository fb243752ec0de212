"""The patches of a training: kept in memory, which part is seen when, and how they become batches.

Everything is drawn from the seed and a count alone: step k sees the same however often a run was
interrupted, and however many threads read.

Real clouds come from the patches that are learned from and from no others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cloudfree.core.dihedral import IDENTITY, DihedralTransform
from cloudfree.core.mask_classes import Mask, in_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.datasets.date_choice import choose_dates
from cloudfree.datasets.patch import Patch, Sample, Skipped, read_patch
from cloudfree.errors import CloudfreeError, ErrorCode, InputError
from cloudfree.inference.date_series import OtherDate, scaled_dates
from cloudfree.inference.missing_pixels import fill_missing
from cloudfree.inference.model import TileInputs
from cloudfree.inference.model_card import ModelCard
from cloudfree.parallel.threads import Threads
from cloudfree.simulation.add_clouds import draw_cloud_parameters, make_atmosphere
from cloudfree.simulation.atmosphere import apply_atmosphere
from cloudfree.simulation.cloud_layer import OPACITY_BANDS, CloudLayer, cut_layer
from cloudfree.training.distributed import ALONE, Processes
from cloudfree.training.settings import TrainingSettings

# A child: what is said of single patches is kept back while reading, but not this.
logger = logging.getLogger("cloudfree.training")

# Pixels that stay in memory. Every epoch asks for every patch once, so the first ones are as good
# to keep as the last ones.
KEPT_BYTES = 2 * 2**30

Classify = Callable[[Patch], Mask]


_ARRAYS = ("cloudy", "clear", "sar", "classes")


@dataclass(frozen=True)
class PatchArrays:
    """What is used of a patch, (band, y, x): reflectance, dB, and the classes of its cloud mask.

    Of a time series also `others`, the other dates that are shown, and the `day` of the cloudy one.
    """

    cloudy: Float32
    clear: Float32
    sar: Float32 | None
    classes: Mask | None
    others: tuple[OtherDate, ...] = ()
    day: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.cloudy.shape[-2:]
        return height, width

    def each(self, change: Callable[[Any], Any]) -> PatchArrays:
        """The same arrays, each changed in the same way."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        changed = {name: change(value) for name, value in arrays.items() if value is not None}
        return replace(self, **changed, others=tuple(one.each(change) for one in self.others))

    def part(self, row: int, col: int, side: int) -> PatchArrays:
        """The square of `side` pixels from a pixel on."""
        return self.each(lambda array: array[..., row : row + side, col : col + side])

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        own = [getattr(self, name) for name in _ARRAYS]
        others = [array for one in self.others for array in (one.optical, one.sar)]
        return sum(array.nbytes for array in (*own, *others) if array is not None)


class PatchStore:
    """The patches by their place in a list; `get` may be called from several threads.

    `classify` makes the cloud mask of a patch; None where the loss needs none. Patches smaller
    than `crop` pixels are skipped like broken ones.
    """

    def __init__(
        self, samples: Sequence[Sample], card: ModelCard, crop: int, classify: Classify | None
    ) -> None:
        self.samples = samples
        self.skipped: dict[int, Skipped] = {}
        self._card, self._crop, self._classify = card, crop, classify
        self._kept: dict[int, PatchArrays] = {}
        self._room = KEPT_BYTES
        self._lock = Lock()

    def get(self, index: int) -> PatchArrays | None:
        """The pixels of a patch, or None for one that is skipped: it is named once."""
        if index in self.skipped:
            return None
        if index in self._kept:
            return self._kept[index]
        try:
            pixels = self._read(self.samples[index])
        except CloudfreeError as error:
            self._skip(index, error.found)
            return None
        except OSError as error:
            self._skip(index, str(error))
            return None
        self._keep(index, pixels)
        return pixels

    def _read(self, sample: Sample) -> PatchArrays:
        patch, card = read_patch(choose_dates(sample)), self._card
        patch.require(card.optical_bands, f"network {card.network}")
        if card.uses_sar and patch.sar is None:
            raise _unusable(f"no Sentinel-1, which network {card.network} needs")
        classes = self._classify(patch) if self._classify else None
        cloudy, clear = (
            patch.select(image, card.optical_bands) for image in (patch.cloudy, patch.clear)
        )
        sar, others = patch.sar if card.uses_sar else None, patch.others_in(card.optical_bands)
        pixels = PatchArrays(cloudy, clear, sar, classes, others, patch.day)
        if min(pixels.size) < self._crop:
            raise _unusable("{} x {} pixels, less than the crop of {}".format(
                *pixels.size, self._crop))  # fmt: skip
        return pixels

    def _keep(self, index: int, pixels: PatchArrays) -> None:
        with self._lock:
            if index not in self._kept and pixels.bytes <= self._room:
                self._kept[index] = pixels
                self._room -= pixels.bytes

    def _skip(self, index: int, reason: str) -> None:
        with self._lock:
            if index in self.skipped:
                return
            sample = self.samples[index]
            self.skipped[index] = Skipped(sample.name, reason)
        logger.warning("patch %s skipped: %s", sample.name, reason)

    def nothing_left(self) -> InputError:
        """The refusal of a data set whose patches are all skipped."""
        first = next(iter(self.skipped.values()))
        return InputError(
            f"no patch of {len(self.samples)} can be used, such as {first.name}: {first.reason}",
            wanted="readable patches with what the network needs",
            hint="correct the files (other formats need --allow-remote), or choose a "
            "smaller --crop",
            code=ErrorCode.NO_DATA,
        )


def _unusable(found: str) -> InputError:
    return InputError(found, wanted="a patch of the network's kind", hint="leave the patch out")


@dataclass(frozen=True)
class Batch:
    """Patches of one size, scaled as the network takes them.

    `inputs` are what it takes, (n, band, y, x) by name, of several dates (n, t, band, y, x) and
    their days (n, t). `cloudy` and `target` have the bands it
    predicts; `valid` is true where the target has data, elsewhere `target` is as `cloudy`.
    `classes`, (n, y, x), is the cloud mask, or None where the loss needs none.
    """

    files: tuple[str, ...]
    inputs: Mapping[str, Tensor]
    cloudy: Tensor
    target: Tensor
    valid: Tensor
    classes: Tensor | None

    def to(self, device: torch.device) -> Batch:
        """The same on a device; the copy of a pinned batch runs in the background."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> Batch:
        """The same in memory that a GPU copies from by itself."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        inputs = {name: change(value) for name, value in self.inputs.items()}
        classes = None if self.classes is None else change(self.classes)
        cloudy, target, valid = (change(one) for one in (self.cloudy, self.target, self.valid))
        return Batch(self.files, inputs, cloudy, target, valid, classes)


# What a draw is for: each purpose has random numbers of its own.
_ORDER, _CROP, _CLOUDS = 0, 1, 2


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
        self._pool = Threads(max_workers=readers)

    def batch_of_step(self, step: int) -> Batch:
        """The batch of step 0, 1, ...: each epoch sees every patch once, in an order of its own."""
        size, others = self._settings.batch_size, self._processes
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
        seen = pixels.part(row, col, settings.crop).each(turn.apply)
        sample = self._store.samples[index]
        cloud_rng = np.random.default_rng((settings.seed, _CLOUDS, count))
        if cloud_rng.random() < settings.simulate_clouds or sample.cloudy is None:
            seen = under_simulated_clouds(seen, self._card.optical_bands, self._store, cloud_rng)
        return scaled_crop(seen, self._card, str(sample.optical))


@lru_cache(maxsize=2)  # a batch may lie across the border of two epochs
def _order(seed: int, epoch: int, patches: int) -> NDArray[np.int64]:
    """Which patch stands at each place of an epoch."""
    return np.random.default_rng((seed, _ORDER, epoch)).permutation(patches)


@dataclass(frozen=True)
class SampleCrop:
    """One sample of a batch: arrays as the network wants them, (band, y, x) or of several dates."""

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
    inputs = _dated_inputs(pixels, card) if pixels.others else _inputs(pixels, card, cloudy)
    target = np.where(valid, clear, cloudy[bands])
    return SampleCrop(file, inputs, cloudy[bands], target, valid.astype(np.uint8), pixels.classes)


def _inputs(pixels: PatchArrays, card: ModelCard, cloudy: Float32) -> dict[str, Float32]:
    """Inputs of a network of one date; `cloudy` is scaled already."""
    inputs = {"optical": cloudy} if "optical" in card.inputs else {}
    if pixels.sar is not None:
        inputs["sar"] = card.sar_scaling.forward(fill_missing(pixels.sar))
    if card.uses_shadow and pixels.classes is not None:
        inputs["shadow"] = in_shadow(pixels.classes)[None].astype(np.float32)
    return inputs


def _dated_inputs(pixels: PatchArrays, card: ModelCard) -> dict[str, Float32]:
    """Inputs of a network of several dates, as for a prediction."""
    assert pixels.day is not None, "a time series without days"
    tile = TileInputs(pixels.cloudy, pixels.sar, others=pixels.others)
    return scaled_dates(tile.dates, pixels.day, card)


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


# Patches that are looked at for one with real clouds; then clouds are drawn.
_TRIES = 3
# With less cloud than this a patch has none to give.
_LEAST_COVER = 0.05


def under_simulated_clouds(
    pixels: PatchArrays, bands: Sequence[str], store: PatchStore, rng: np.random.Generator
) -> PatchArrays:
    """The patch with its clear image under random clouds in place of the cloudy one.

    Where the loss needs the cloud mask, it is the true one.
    """
    parameters = draw_cloud_parameters(rng)
    layers = [layer] if parameters.real and (layer := _real_cloud(bands, store, rng)) else []
    atmosphere = make_atmosphere(pixels.size, parameters, rng, layers)
    classes = None if pixels.classes is None else atmosphere.mask
    cloudy = apply_atmosphere(pixels.clear, atmosphere, bands)
    return replace(pixels, cloudy=cloudy, classes=classes)


def _real_cloud(
    bands: Sequence[str], store: PatchStore, rng: np.random.Generator
) -> CloudLayer | None:
    """The cloud of any patch; None where none was found."""
    if not set(OPACITY_BANDS) <= set(bands):
        return None
    for index in rng.integers(len(store.samples), size=_TRIES):
        donor = store.get(int(index)) if store.samples[index].cloudy is not None else None
        if donor is not None:
            layer = cut_layer(donor.cloudy, donor.clear, bands)
            if layer.cover >= _LEAST_COVER:
                return layer
    return None
