"""Score a model on the own date: clear images of triplets under clouds of other places.

    python -m tests.bench.own_date --data DATA --model cloudfree-s

The clear image of a triplet is of another date than the cloudy one, and often of another season.
Here the truth is known: the clear image itself, under clouds of other places, three times each,
with 15 to 65 % of the ground hidden; `cloudfree.metrics.own_date` scores them. DATA holds the
folders triplets, pairs and timeseries; the clouds are those of all images outside the fold of a
triplet.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import muted_log
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Sample
from cloudfree.datasets.scene_library import ScenePatch, list_dates, open_library
from cloudfree.inference.load import load_model
from cloudfree.inference.model import Model
from cloudfree.metrics.own_date import Closeness, mean_closeness, score_cover
from cloudfree.simulation.cloud_transplants import CloudSources, cover_partly, find_shadow
from tests.bench.compare_networks import FOLDS

SEED, TIMES = 77, 3
MARGIN = np.ones((5, 5), np.uint8)  # how far masks reach beyond a shadow
HAZY_PLACE = "ROIs1970_fall_136"  # looks like places of fold C
OFFSET_DN = 0.0


def score(
    model: Model, patches: Sequence[ScenePatch], sources: CloudSources
) -> Iterator[dict[str, Closeness]]:
    """Figures of the raw prediction for each cover, by kind of pixels."""
    for patch in patches:
        key = (SEED, int(patch.name))
        for cloudy, hidden in cover_partly(key, patch.clear, sources, TIMES):
            shadow = find_shadow(cloudy, patch.clear)
            filled = predict(model, cloudy, patch, cv2.dilate(shadow, MARGIN))
            yield score_cover(filled, cloudy, patch.clear, hidden, shadow)


def predict(model: Model, cloudy: Float32, patch: ScenePatch, shadow: NDArray[np.uint8]) -> Float32:
    """Prediction of a model for a whole image, reflectance from 0 to 1."""
    assert patch.sar is not None
    inputs = {"optical": cloudy, "sar": patch.sar, "shadow": shadow[None].astype(np.float32)}
    image = model.runtime.run({name: array[None] for name, array in inputs.items()})["image"][0]
    return image.clip(0.0, 1.0)


def folds(data: Path) -> Iterator[tuple[list[Sample], list[Sample], list[Sample]]]:
    """Of each fold its triplets, the images outside it, and cloudy dates without a clear one."""
    triplets = list_samples(data / "triplets", offset_dn=OFFSET_DN).samples
    pairs = list_samples(data / "pairs", offset_dn=OFFSET_DN).samples
    dates = list_dates(data / "timeseries", OFFSET_DN)
    for name, places in FOLDS.items():
        others = [one for one in triplets if one.name not in places]
        others += [one for one in pairs if name != "C" or one.place != HAZY_PLACE]
        held = [one for one in triplets if one.name in places]
        yield held, [*others, *dates.samples], list(dates.donors)


def evaluate(data: Path, name: str) -> dict[str, dict[str, float]]:
    """Means over all covers of all folds."""
    model = load_model(name, "cpu", "fp32")
    scale_sar = model.card.sar_scaling.forward
    covers: list[dict[str, Closeness]] = []
    with muted_log():
        for held, others, donors in folds(data):
            sources = open_library(others, donors, scale_sar, 1).clouds
            covers += score(model, open_library(held, (), scale_sar, 1).clear, sources)
    return {
        kind: {"covers": count, "psnr": round(mean.psnr, 2), "mae": round(mean.mae, 4)}
        for kind, (count, mean) in mean_closeness(covers).items()
    }


def main() -> None:
    """Read the command line, print the means as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="cloudfree-s")
    options = parser.parse_args()
    print(json.dumps(evaluate(options.data, options.model), indent=1))


if __name__ == "__main__":
    main()
