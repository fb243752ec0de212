"""The folder of a run, and the network before its first step."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cloudfree.core.journal import tidy
from cloudfree.core.output_files import make_folder
from cloudfree.core.output_set import OutputSet, draft_of
from cloudfree.datasets.split_file import SPLIT_FILE
from cloudfree.errors import ErrorCode, InputError, OutputError
from cloudfree.inference.checkpoint import build_network, load_strictly
from cloudfree.inference.load import find_card, load_network
from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.model_store import CARD, read_card, write_model_files
from cloudfree.inference.registry import card_entries, network_entry
from cloudfree.training.settings import TrainingSettings

SETTINGS, CHECKPOINT = "settings.toml", "checkpoint.pt"
# The folder of the model that was best on the patches held out.
BEST = "best"


def check_run_folder(folder: Path, overwrite: bool) -> None:
    """Refuse a folder with something in it, unless it is a run that may be replaced.

    Raises
    ------
    OutputError
        Something is in the way.
    """
    tidy(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file", wanted="a folder", hint="give another -o")
    if any(folder.iterdir()) and not overwrite:
        raise OutputError(
            f"{folder} is not empty",
            wanted="a new folder",
            hint="give another -o, --resume to go on with this run, or --overwrite",
            code=ErrorCode.OUTPUT_EXISTS,
        )
    if any(folder.iterdir()) and not (folder / SETTINGS).is_file():
        raise OutputError(
            f"{folder} holds no run", wanted="a run, or an empty folder", hint="give another -o"
        )


def is_free(folder: Path) -> bool:
    """Whether a folder does not exist yet, or nothing is in it."""
    return not folder.exists() or not any(folder.iterdir())


def begin_run(
    folder: Path, settings: str, save: Callable[[Path], None], split: str | None = None
) -> None:
    """Make the folder with its settings and the first checkpoint, which `save` writes to a path.

    `split` is the text of the split file that is used, if there is one. Those of an earlier run are
    replaced; its model stays until this run has one.

    Raises
    ------
    OSError
        The disk refuses.
    OutputError
        The folder cannot be written.
    """
    make_folder(folder)
    with OutputSet(folder / CHECKPOINT) as outputs:
        outputs.write(folder / SETTINGS, settings)
        if split is None:
            outputs.replaces(folder / SPLIT_FILE)
        else:
            outputs.write(folder / SPLIT_FILE, split)
        save(outputs.draft(folder / CHECKPOINT))
    shutil.rmtree(folder / BEST, ignore_errors=True)


def write_settings(folder: Path, settings: str) -> None:
    """Write the settings of a run, or replace them.

    Raises
    ------
    OSError
        The disk refuses.
    """
    with draft_of(folder / SETTINGS) as draft:
        draft.write_text(settings, encoding="utf-8")


def discard_run(folder: Path) -> None:
    """Take away a run that was refused before its first step: the corrected one takes its place."""
    shutil.rmtree(folder, ignore_errors=True)


def write_model(network: nn.Module, card: ModelCard, folder: Path, step: int) -> ModelCard:
    """Write weights and card; at every moment the card names weights that are there and whole.

    Raises
    ------
    OSError
        The disk refuses.
    """
    weights = folder / f"weights-{step:06d}.safetensors"
    own = write_model_files(network, card, weights)
    for other in folder.glob("weights-*.safetensors"):
        if other != weights:
            other.unlink()
    return own


# Entry of the training of a card: PSNR in dB of the raw predictions for the patches held out.
_VALIDATION_PSNR = "validation_psnr"


@dataclass(frozen=True)
class BestModel:
    """The step after which a run was best on the patches held out, and its PSNR there in dB."""

    step: int
    psnr: float


def best_model(folder: Path) -> BestModel | None:
    """The best model of a run so far; None without one."""
    if not (folder / BEST / CARD).is_file():
        return None
    training = read_card(folder / BEST).training
    return BestModel(training["steps"], training[_VALIDATION_PSNR])


def keep_best(network: nn.Module, card: ModelCard, folder: Path, found: BestModel) -> None:
    """Write the model beside the last one if it is better than every one before.

    Raises
    ------
    OSError
        The disk refuses.
    """
    before = best_model(folder)
    if before and before.psnr >= found.psnr:
        return
    (folder / BEST).mkdir(exist_ok=True)
    training = {**card.training, "steps": found.step, _VALIDATION_PSNR: found.psnr}
    own = dataclasses.replace(card, name=f"{card.name}-{BEST}", training=training)
    write_model(network, own, folder / BEST, found.step)


@dataclass(frozen=True)
class InitialisedNetwork:
    """A network with its first weights, and its card without their hash."""

    network: nn.Module
    card: ModelCard


def initialise(
    settings: TrainingSettings, name: str, facts: Mapping[str, Any], start: str | None = None
) -> InitialisedNetwork:
    """Build a network with weights drawn from the seed, or with those of the model `start`.

    `facts` is the training facts on the card.

    Raises
    ------
    CloudfreeError
        The network cannot be built, the model does not fit it, or it cannot take such crops.
    """
    own = dict(settings.network_settings)
    torch.manual_seed(settings.seed)
    network = build_network(settings.network, own)
    if start:
        before = load_network(find_card(start, settings.network))
        load_strictly(settings.network, network, before.state_dict(), start)
    entries = card_entries(settings.network, own, settings.bands)
    # Fewer levels than usual need less: the network knows better than the catalogue.
    multiple = int(getattr(network, "SIZE_MULTIPLE", entries["tile"]["multiple"]))
    _check_crop(settings, multiple)
    title = network_entry(settings.network)["title"]
    own_settings = {name: getattr(settings, name) for name in ("loss", "seed", "simulate_clouds")}
    ablation = {"ablation": settings.ablation} if settings.ablation else {}
    training = {**facts, **own_settings, **ablation}
    card = model_card(
        {
            **entries,
            "name": name,
            "weights": "",
            "weights_sha256": "",
            "description": f"{title}, trained with cloudfree train",
            "license": "none stated",
            "training": training,
        }
    )
    return InitialisedNetwork(network, dataclasses.replace(card, multiple=multiple))


def _check_crop(settings: TrainingSettings, multiple: int) -> None:
    if settings.crop % multiple:
        raise InputError(
            f"crop of {settings.crop} pixels for network {settings.network}",
            wanted=f"a multiple of {multiple}",
            hint="correct --crop",
            code=ErrorCode.BAD_OPTION,
        )
