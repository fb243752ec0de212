"""Samples drawn once and kept on disk: drawing one takes longer than learning from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cloudfree.cloudmask.network_detector import CELL_PX, DETECTOR_BANDS
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.radiometry import QUANTIFICATION, Float32
from cloudfree.simulation.atmosphere import HAZE, haze_opacity
from cloudfree.training.detector.fit import Batch, cell_labels, leave_out
from cloudfree.training.detector.ground import Random
from cloudfree.training.detector.regions import Region
from cloudfree.training.detector.samples import SIDE_PX, DetectorSample, draw_sample

POSITIONS = [OPTICAL_BANDS.index(band) for band in DETECTOR_BANDS]
BATCH, CROP_PX = 16, 192
# Standard deviation of the logarithm of a factor on all bands, and on each of them.
GAIN, BAND_GAIN = 0.05, 0.04
# Half of the scenes lie under even haze of up to this optical depth, and are labelled as without.
VEILED_SHARE, VEIL_DEPTH = 0.5, 0.4
FILES = ("images.npy", "present.npy", "labels.npy", "needs_short_wave.npy")


@dataclass(frozen=True)
class Pool:
    """Samples on the detector's bands: digital numbers (n, band, y, x), bands, labels (n, y, x).

    `needs_short_wave`, (n,), is that of each sample.
    """

    images: NDArray[np.uint16]
    present: NDArray[np.bool_]
    labels: NDArray[np.uint8]
    needs_short_wave: NDArray[np.bool_]

    @classmethod
    def open(cls, folder: Path) -> Pool:
        """The pool of a folder that `draw_pool` has filled."""
        return cls(*(np.load(folder / name, mmap_mode="r") for name in FILES))

    def batch(self, seed: int, step: int) -> Batch:
        """The batch of a step: parts of random samples, turned, some of their bands left out."""
        rng = np.random.default_rng([seed, step])
        chosen = rng.integers(len(self.images), size=BATCH)
        parts = [self._part(int(one), rng) for one in chosen]
        arrays = (torch.from_numpy(np.stack(part)) for part in zip(*parts, strict=True))
        optical, present, labels = arrays
        return Batch(functional.avg_pool2d(optical, CELL_PX), present, cell_labels(labels))

    def _part(self, index: int, rng: Random) -> Iterator[NDArray[np.generic]]:
        turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
        row, col = (int(rng.integers(SIDE_PX - CROP_PX + 1)) for _ in range(2))
        part = (..., slice(row, row + CROP_PX), slice(col, col + CROP_PX))
        kept = leave_out(self.present[index], rng, bool(self.needs_short_wave[index]))
        present = kept[:, None, None]
        optical = (
            _in_other_air(self.images[index].astype(np.float32) / QUANTIFICATION, rng) * present
        )
        yield _turned(optical, turns, mirror)[part]
        yield present[:, 0, 0].astype(np.float32)
        yield _turned(self.labels[index], turns, mirror)[part].astype(np.int64)


def _in_other_air(optical: Float32, rng: Random) -> Float32:
    """A scene, (band, y, x), of another sensor's colours and in air as even haze makes it.

    Haze over all of a scene hides nothing: what is cloud shows by its edges and its structure.
    """
    bands = rng.normal(0.0, BAND_GAIN, len(POSITIONS)) + rng.normal(0.0, GAIN)
    optical = optical * np.exp(bands).astype(np.float32)[:, None, None]
    if rng.random() < VEILED_SHARE:
        depth = np.full((1, 1), rng.uniform(0.0, VEIL_DEPTH), dtype=np.float32)
        hidden = np.stack([haze_opacity(depth, OPTICAL_BANDS[place]) for place in POSITIONS])
        optical = optical + hidden * (HAZE[POSITIONS][:, None, None] - optical)
    return np.asarray(optical, dtype=np.float32)


def _turned(planes: NDArray[np.generic], turns: int, mirror: bool) -> NDArray[np.generic]:
    turned = np.rot90(planes, turns, (-2, -1))
    return np.ascontiguousarray(turned[..., ::-1] if mirror else turned)


def draw_pool(regions: list[Region], number: int, seed: int, folder: Path) -> Pool:
    """Draw samples into a folder; the pool of an earlier run with as many is used again."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "finished").exists():
        return Pool.open(folder)
    shapes = ((len(POSITIONS), SIDE_PX, SIDE_PX), (len(POSITIONS),), (SIDE_PX, SIDE_PX), ())
    types = (np.uint16, np.bool_, np.uint8, np.bool_)
    arrays = [
        np.lib.format.open_memmap(folder / name, "w+", dtype, (number, *shape))
        for name, dtype, shape in zip(FILES, types, shapes, strict=True)
    ]
    for index in range(number):
        sample = draw_sample(regions, np.random.default_rng([seed, index]))
        for array, value in zip(arrays, _stored(sample), strict=True):
            array[index] = value
    (folder / "finished").touch()
    return Pool.open(folder)


def _stored(sample: DetectorSample) -> tuple[NDArray[np.generic] | bool, ...]:
    numbers = np.clip(np.rint(sample.reflectance[POSITIONS] * QUANTIFICATION), 0, 65535)
    present = sample.present[POSITIONS]
    return numbers.astype(np.uint16), present, sample.labels, sample.needs_short_wave
