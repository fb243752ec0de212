"""Calibrate the standard deviations of the model by places that it never saw: `[uncertainty]`.

Each triplet is restored as `cloudfree evaluate --uncertainty` restores it. The error model is
fitted to all folds; the coverage is that on each fold of the error model fitted to the other two.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from patches import FOLDS
from scores import open_network, replace

from cloudfree.commands.evaluate.calibration import (
    Residuals,
    calibration_under,
    calibrations,
    card_entry,
    held_out,
    residuals,
)
from cloudfree.commands.evaluate.patch import fill_patch, find_clouds
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Sample, read_patch
from cloudfree.inference.model import Model
from cloudfree.inference.model_card import ModelCard, toml_text
from cloudfree.inference.model_store import read_card
from cloudfree.inference.torch_runtime import TorchRuntime
from cloudfree.inference.uncertainty import TestTimeAugmentation

SOURCE = "flips"
PROTOCOL = (
    "15 SEN12MS-CR triplets of places that training never saw, the pixels that remove restores; "
    "errors against a clear image of another date, so change of the ground counts as "
    "error; within_1 and within_2 are the shares within one and two standard deviations on the "
    "fold that was not fitted to"
)
SECTION = "[uncertainty]"


def calibrate(data: Path, run: Path, model: Path) -> None:
    """Fit the error model, print how well it holds, and write it into the card of the model."""
    card = read_card(model)
    samples = list_samples(data / "triplets").samples
    groups = {
        fold: residuals_of(run, card, [one for one in samples if one.name in places])
        for fold, places in FOLDS.items()
    }
    pairs = list(held_out(groups))
    figures: dict[str, Any] = dict(
        calibrations(Model(card, runtime_of(run, card.inputs)), SOURCE, groups)
    )
    figures |= {fold: calibration_under([pair]) for fold, pair in zip(groups, pairs, strict=True)}
    print(json.dumps({name: vars(one) for name, one in figures.items()}, indent=2))
    section = toml_text({"uncertainty": card_entry(SOURCE, groups, PROTOCOL)}).strip()
    head = (model / "card.toml").read_text().split(f"\n{SECTION}")[0].rstrip()
    replace(model / "card.toml", f"{head}\n\n{section}\n".encode())
    print(section)


def residuals_of(run: Path, card: ModelCard, samples: list[Sample]) -> Residuals:
    """Errors of a run on triplets that it never saw, with what the flips tell of them."""
    model = Model(card, runtime_of(run, card.inputs))
    predict, found = TestTimeAugmentation(model, SOURCE).predict, []
    for sample in samples:
        patch = read_patch(sample)
        clouds = find_clouds(patch)
        filled = fill_patch(model, predict, patch, clouds, tiled=True)
        found.append(residuals(model, patch, clouds, filled))
    return Residuals.joined(found)


def runtime_of(run: Path, inputs: Sequence[str]) -> TorchRuntime:
    """What runs the weights of a run."""
    return TorchRuntime(open_network(run), inputs, torch.device("cpu"), torch.float32)
