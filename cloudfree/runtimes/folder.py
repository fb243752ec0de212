"""Writing a model as a folder: its weights as safetensors, and its card."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from pathlib import Path

from safetensors.torch import save_file
from torch import nn

from cloudfree.core.card_text import entries_of, toml_text
from cloudfree.core.model_card import ModelCard
from cloudfree.errors import OutputError
from cloudfree.runtimes.shelf import CARD

WEIGHTS = "weights.safetensors"


def refuse_folder(folder: Path, overwrite: bool) -> None:
    """Refuse a folder that exists, or that holds anything but a model.

    Raises
    ------
    OutputError
        It exists and may not be replaced.
    """
    if not folder.exists():
        return
    if not overwrite:
        raise OutputError(
            f"{folder} exists", wanted="a new name", hint="choose another name or give --overwrite"
        )
    if not (folder / CARD).is_file():
        raise OutputError(
            f"{folder} exists and is no model",
            wanted=f"a folder with {CARD}, or a new name",
            hint="choose another name",
        )


def write_folder(network: nn.Module, card: ModelCard, folder: Path) -> ModelCard:
    """Write a network and its card; returns the card with the hash of the weights as written.

    The folder appears whole or not at all; one that exists is replaced.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as draft:
            card = _write(network, card, Path(draft) / folder.name)
            if folder.exists():
                folder.rename(Path(draft) / "before")
            (Path(draft) / folder.name).rename(folder)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error})",
            wanted="a folder on a disk with room",
            hint="choose another name or free some space",
        ) from error
    return card


def _write(network: nn.Module, card: ModelCard, folder: Path) -> ModelCard:
    folder.mkdir()
    weights = folder / WEIGHTS
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, weights)
    own = dataclasses.replace(
        card,
        name=folder.name,
        weights=WEIGHTS,
        weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
    )
    (folder / CARD).write_text(toml_text(entries_of(own)), encoding="utf-8")
    return own
