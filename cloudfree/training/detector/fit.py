"""Fit the cloud detector to samples, and write it as ONNX."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cloudfree.cloudmask.network_detector import DETECTOR_BANDS
from cloudfree.training.detector.labels import Label
from cloudfree.training.detector.network import CloudDetector

logger = logging.getLogger("cloudfree")

# Bands beside all: those that L2A lacks, those of 60 m too, and what most small products hold.
SUBSETS = (
    ("B10",),
    ("B01", "B09", "B10"),
    ("B01", "B05", "B09", "B10", "B11", "B12"),
)
SUBSET_SHARES = (0.2, 0.15, 0.2)
SHORT_WAVE = ("B11", "B12")
ANY_BAND_SHARE = 0.1  # each band but the four of 10 m is left out with this chance now and then
# Clear ground taken for cloud is filled by an estimate for nothing; most pixels are clear, though.
CLASS_WEIGHTS = (1.0, 1.0, 1.2, 1.0, 0.9)
LEARNING_RATE, WEIGHT_DECAY = 3e-3, 1e-2
WARM_UP_STEPS = 100


@dataclass(frozen=True)
class Batch:
    """Samples on the detector's bands: cells (n, bands, y, x), (n, bands), labels (n, y, x)."""

    optical: Tensor
    present: Tensor
    labels: Tensor


def fit(
    network: CloudDetector,
    draw: Callable[[int], Batch],
    steps: int,
    checkpoint: Path,
    every: int = 200,
) -> None:
    """Fit a network to the batches that `draw` gives by step, going on from `checkpoint`."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, steps, pct_start=min(WARM_UP_STEPS / steps, 0.3)
    )
    first = _resume(checkpoint, network, optimiser, schedule)
    network.train()
    begun, total = time.monotonic(), 0.0
    for step in range(first, steps):
        loss = loss_of(network, draw(step))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        total += float(loss.detach())
        if (step + 1) % every == 0 or step + 1 == steps:
            seconds = time.monotonic() - begun
            logger.info("step %d: loss %.4f, %.0f s", step + 1, total / every, seconds)
            total = 0.0
            _save(checkpoint, step + 1, network, optimiser, schedule)


def loss_of(network: CloudDetector, batch: Batch) -> Tensor:
    """Cross entropy of the labelled cells."""
    logits = network(batch.optical, batch.present)
    weights = torch.tensor(CLASS_WEIGHTS)
    return functional.cross_entropy(
        logits, batch.labels, weights, ignore_index=Label.UNKNOWN, label_smoothing=0.02
    )


def cell_labels(labels: Tensor) -> Tensor:
    """The label that three pixels of a cell share, else unknown: (n, y, x) to (n, y/2, x/2)."""
    corners = torch.stack([labels[:, row::2, col::2] for row in (0, 1) for col in (0, 1)])
    low, second, third, high = corners.sort(dim=0).values
    same = (second == third) & ((low == second) | (high == third))
    return torch.where(same, second, int(Label.UNKNOWN)).long()


def leave_out(
    present: np.ndarray, rng: np.random.Generator, needs_short_wave: bool = False
) -> np.ndarray:
    """Which bands remain of those present, (bands,), when a drawn subset is left out."""
    kept = present.astype(bool).copy()
    choice = int(rng.choice(len(SUBSETS) + 1, p=(1 - sum(SUBSET_SHARES), *SUBSET_SHARES)))
    if choice:
        kept &= ~np.isin(DETECTOR_BANDS, SUBSETS[choice - 1])
        kept |= needs_short_wave & np.isin(DETECTOR_BANDS, SHORT_WAVE) & present.astype(bool)
    elif rng.random() < 0.3:
        needed = ("B02", "B03", "B04", "B08", *(SHORT_WAVE if needs_short_wave else ()))
        others = ~np.isin(DETECTOR_BANDS, needed)
        kept &= ~(others & (rng.random(len(kept)) < ANY_BAND_SHARE))
    return kept


def _resume(checkpoint: Path, *parts: object) -> int:
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=True)
    for part, held in zip(parts, state["parts"], strict=True):
        part.load_state_dict(held)  # type: ignore[attr-defined]
    return int(state["step"])


def _save(checkpoint: Path, step: int, *parts: object) -> None:
    states = [part.state_dict() for part in parts]  # type: ignore[attr-defined]
    torch.save({"step": step, "parts": states}, checkpoint)
