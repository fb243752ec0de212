"""The patches that a network learns from: read once, kept while there is room, or skipped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from cloudfree.core.mask_classes import Mask
from cloudfree.core.radiometry import Float32
from cloudfree.datasets.patch import Patch, Sample, Skipped, read_patch
from cloudfree.errors import CloudfreeError, InputError
from cloudfree.inference.model_card import ModelCard

# A child: what is said of single patches is kept back while reading, but not this.
logger = logging.getLogger("cloudfree.training")

# Pixels that stay in memory. Every epoch asks for every patch once, so the first ones are as good
# to keep as the last ones.
KEPT_BYTES = 2 * 2**30

Classify = Callable[[Patch], Mask]


@dataclass(frozen=True)
class PatchArrays:
    """What is used of a patch, (band, y, x): reflectance, dB, and the classes of its cloud mask."""

    cloudy: Float32
    clear: Float32
    sar: Float32 | None
    classes: Mask | None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.cloudy.shape[-2:]
        return height, width

    def each(self, change: Callable[[Any], Any]) -> PatchArrays:
        """The same arrays, each changed in the same way."""
        changed = (
            None if array is None else change(array)
            for array in (self.cloudy, self.clear, self.sar, self.classes)
        )
        return PatchArrays(*changed)  # type: ignore[arg-type]  # only the last two may be None

    def part(self, row: int, col: int, side: int) -> PatchArrays:
        """The square of `side` pixels from a pixel on."""
        return self.each(lambda array: array[..., row : row + side, col : col + side])

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return sum(array.nbytes for array in vars(self).values() if array is not None)


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
        patch, card = read_patch(sample), self._card
        patch.require(card.optical_bands, f"network {card.network}")
        if card.uses_sar and patch.sar is None:
            raise _unusable(f"no Sentinel-1, which network {card.network} needs")
        classes = self._classify(patch) if self._classify else None
        cloudy, clear = (
            patch.select(image, card.optical_bands) for image in (patch.cloudy, patch.clear)
        )
        pixels = PatchArrays(cloudy, clear, patch.sar if card.uses_sar else None, classes)
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
            hint="correct the files, or choose a smaller --crop",
        )


def _unusable(found: str) -> InputError:
    return InputError(found, wanted="a patch of the network's kind", hint="leave the patch out")
