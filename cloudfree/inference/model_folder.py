"""Writing a model as a folder: its weights as safetensors, and its card."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from cloudfree.errors import OutputError
from cloudfree.inference.card_toml import card_entries_of, toml_text
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.model_store import CARD, sha256_of

WEIGHTS = "weights.safetensors"


def check_model_folder(folder: Path, overwrite: bool) -> None:
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
    own = write_weights(network, dataclasses.replace(card, name=folder.name), folder / WEIGHTS)
    write_card(own, folder)
    return own


def write_weights(network: nn.Module, card: ModelCard, path: Path) -> ModelCard:
    """Write weights; the file appears whole. Returns the card with their name and hash.

    Raises
    ------
    OSError
        The disk refuses.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, draft)
    except SafetensorError as error:
        raise OSError(error) from error
    draft.replace(path)
    return dataclasses.replace(card, weights=path.name, weights_sha256=sha256_of(path))


def write_card(card: ModelCard, folder: Path) -> None:
    """Write a card, or replace the one that is there; either is whole at every moment."""
    write_text(folder / CARD, toml_text(card_entries_of(card)))


def write_text(path: Path, text: str) -> None:
    """Write a text; the file appears whole."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
