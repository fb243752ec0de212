"""The folder of a run: settings, checkpoint, and the model as `remove --model` takes it."""

from __future__ import annotations

import shutil
from pathlib import Path

from torch import nn

from cloudfree.errors import OutputError
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.model_folder import write_card, write_text, write_weights
from cloudfree.inference.model_store import CARD

SETTINGS, CHECKPOINT = "settings.toml", "checkpoint.pt"


def check_run_folder(folder: Path, overwrite: bool) -> None:
    """Refuse a folder with something in it, unless it is a run that may be replaced.

    Raises
    ------
    OutputError
        Something is in the way.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file", wanted="a folder", hint="give another -o")
    if any(folder.iterdir()) and not overwrite:
        raise OutputError(
            f"{folder} is not empty",
            wanted="a new folder",
            hint="give another -o, --resume to go on with this run, or --overwrite",
        )
    if any(folder.iterdir()) and not (folder / SETTINGS).is_file():
        raise OutputError(
            f"{folder} holds no run", wanted="a run, or an empty folder", hint="give another -o"
        )


def begin_run(folder: Path, settings: str) -> bool:
    """Make the folder with its settings; what an earlier run left to resume from goes.

    Returns whether the folder has nothing of an earlier run.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_new = not any(folder.iterdir())
        for name in (CHECKPOINT, CARD):
            (folder / name).unlink(missing_ok=True)
        write_text(folder / SETTINGS, settings)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error})", wanted="a folder", hint="give another -o"
        ) from error
    return is_new


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
    own = write_weights(network, card, weights)
    write_card(own, folder)
    for other in folder.glob("weights-*.safetensors"):
        if other != weights:
            other.unlink()
    return own
