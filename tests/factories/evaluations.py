"""Results of `cloudfree evaluate` with known figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cloudfree.commands.evaluate.patch import NOTHING, raw_of, written_of
from cloudfree.commands.evaluate.result import Evaluation, write_files
from cloudfree.commands.evaluate.summary import ScoredPatch, summarise
from cloudfree.datasets.patch import UNDATED, PatchDates
from cloudfree.metrics.image_metrics import Metrics
from cloudfree.metrics.protocol import PatchMetrics

# PSNR of the cloudy image in every evaluation.
CLOUDY_DB = 15.0


def metrics(psnr: float) -> PatchMetrics:
    """Metrics that follow from the PSNR: SSIM a hundredth of it, SAM 40 less it."""
    own = Metrics(100, psnr, psnr / 100, 40 - psnr, 1 / psnr, 2 / psnr)
    return PatchMetrics(own, own, own, (own,))


def scored(
    name: str, model: str, psnr: float, cover: float, dates: PatchDates = UNDATED
) -> ScoredPatch:
    """A patch of the place before the last `_`; what is written is 1 dB better than what is raw."""
    figures = {
        NOTHING: metrics(CLOUDY_DB),
        raw_of(model): metrics(psnr),
        written_of(model): metrics(psnr + 1),
    }
    return ScoredPatch(name, name.rpartition("_")[0], "", cover, cover, figures, dates)


def write_evaluation(
    folder: Path,
    model: str,
    psnr: Mapping[str, float],
    covers: Sequence[float] = (0.1, 0.5, 0.9),
    dates: Mapping[str, PatchDates] | None = None,
    shown: Sequence[str] = (),
    **own: Any,
) -> Path:
    """The folder of an evaluation of one model, by the PSNR of its raw image of each patch."""
    patches = tuple(
        scored(name, model, one, covers[index % len(covers)], (dates or {}).get(name, UNDATED))
        for index, (name, one) in enumerate(psnr.items())
    )
    pictures = ("cloudy", "radar", "truth", raw_of(model), written_of(model))
    files = {
        name: {one: f"shown/{name}_{one.replace(', ', '_')}.png" for one in pictures}
        for name in shown
    }
    found = Evaluation(
        **{
            "version": "1.2.3", "data": Path("data"), "split": "test", "protocol": "glf-cr",
            "definition": "as GLF-CR", "models": {model: f"{folder.name:0<64}"}, "bands": ("B02",),
            "rows": summarise(patches, ("B02",)), "calibration": {}, "patches": patches,
            "skipped": (), "output": folder, "cover": "clouds", "training": {model: {"seed": 1}},
            "shown": files, **own,
        }
    )  # fmt: skip
    drawn = {
        file: np.full((8, 8, 4), (10 * number, 0, 0, 255), dtype=np.uint8)
        for one in files.values()
        for number, file in enumerate(one.values(), start=1)
    }
    write_files(folder, found, (), overwrite=True, pictures=drawn)
    return folder
