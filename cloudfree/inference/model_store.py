"""Models on disk: finding them by name or path, reading and writing their folders."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudfree.core.journal import settle, tidy
from cloudfree.core.model_folders import model_folders
from cloudfree.core.onnx_files import external_files
from cloudfree.core.onnx_session import ONNX_SUFFIX
from cloudfree.core.output_files import cannot_be_written, folders_of
from cloudfree.core.output_set import OutputSet
from cloudfree.errors import CloudfreeError, ErrorCode, ModelError, OutputError, reason_of
from cloudfree.inference.model_card import (
    CardStart,
    ModelCard,
    card_entries_of,
    card_start,
    merge_tables,
    model_card,
    parse_card_text,
    toml_text,
)
from cloudfree.inference.registry import card_entries, has_network

if TYPE_CHECKING:
    from torch import nn

CARD = "card.toml"
# The network of an ONNX file whose card names none.
NO_NETWORK = "unknown"


def find_model(name: str) -> Path:
    """The folder of a model given by name, or by the path of its folder or card.

    Raises
    ------
    ModelError
        No such model; lists those that there are.
    """
    if folder := _folder_of(name):
        return folder
    raise ModelError(
        f"no model {name!r}",
        wanted=f"one of {', '.join(model_names()) or 'no models found'}, or a folder with {CARD}",
        hint="choose a name, or set CLOUDFREE_MODELS to the folder that holds yours",
    )


def is_model(name: str) -> bool:
    """Whether there is a model of that name or path."""
    return is_file(name) or _folder_of(name) is not None


def _folder_of(name: str) -> Path | None:
    path = Path(name)
    candidates = [path.parent if path.name == CARD else path, *(f / name for f in model_folders())]
    for folder in candidates:
        settle(folder / CARD)
        if (folder / CARD).is_file():
            return folder
    return None


def model_names() -> list[str]:
    """Names of all models that can be found, sorted."""
    return sorted({card.parent.name for f in model_folders() for card in f.glob(f"*/{CARD}")})


def read_card(folder: Path) -> ModelCard:
    """The card of a model folder; the registry gives the defaults of its network.

    The card of an ONNX file can name any network, or none, if it has all entries itself.

    Raises
    ------
    ModelError
        The card cannot be read, or names no network of the registry.
    """
    own = read_card_entries(folder / CARD)
    return model_card(merge_tables(_network_defaults(card_start(own)), own))


def read_card_entries(path: Path) -> dict[str, Any]:
    """The entries of the file of a card.

    Raises
    ------
    ModelError
        The file cannot be read, or is no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{path} cannot be read ({reason_of(error)})",
            wanted="the card of a model, a text in UTF-8",
            hint="fetch the model anew, or correct the file",
        ) from error
    return parse_card_text(text)


def _network_defaults(own: CardStart) -> Mapping[str, Any]:
    network, is_onnx = own.network, own.weights.endswith(ONNX_SUFFIX)
    if is_onnx and (network is None or not has_network(network)):
        return {"network": NO_NETWORK}
    if network is None:
        return {}
    return card_entries(network, own.network_settings, own.optical.bands)


def is_file(name: str) -> bool:
    """Whether a name is the path of a weights file, not of a folder or its card."""
    return Path(name).is_file() and Path(name).name != CARD


def checked_weights(path: Path, card: ModelCard) -> Path:
    """The weights of a model, after comparing their SHA-256 with the card.

    Raises
    ------
    ModelError
        The file is missing or is not the one the card describes.
    """
    if not path.is_file():
        raise _no_weights(path)
    found = sha256_of(path)
    if found != card.weights_sha256:
        raise ModelError(
            f"weights {path.name} have SHA-256 {found[:12]}",
            wanted=f"{card.weights_sha256[:12]} as the card says",
            hint="fetch the model anew, or correct the card if you changed the weights",
        )
    return path


def sha256_of(path: Path) -> str:
    """The hash by which a card knows its weights.

    Of an ONNX model whose weights lie in other files it is that of the hashes of all, in order.

    Raises
    ------
    ModelError
        Such a file lies in another folder, or is missing.
    """
    others = external_files(path) if path.suffix == ONNX_SUFFIX else []
    hashes = [_sha256(file) for file in (path, *others)]
    return hashlib.sha256("".join(hashes).encode()).hexdigest() if others else hashes[0]


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise _no_weights(path) from error


def _no_weights(path: Path) -> ModelError:
    return ModelError(
        f"no weights {path}", wanted="the file that the card names", hint="fetch the model anew"
    )


WEIGHTS = "weights.safetensors"


def check_model_folder(folder: Path, overwrite: bool) -> None:
    """Refuse a folder in which something is, unless it is a model that may be replaced.

    Raises
    ------
    OutputError
        It exists and may not be replaced.
    """
    tidy(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not overwrite:
        raise OutputError(
            f"{folder} exists",
            wanted="a new name",
            hint="choose another name or give --overwrite",
            code=ErrorCode.OUTPUT_EXISTS,
        )
    if not (folder / CARD).is_file():
        raise OutputError(
            f"{folder} exists and is no model",
            wanted=f"a folder with {CARD}, or a new name",
            hint="choose another name",
        )


def write_folder(
    network: nn.Module, card: ModelCard, folder: Path, overwrite: bool = True
) -> ModelCard:
    """Write a network and its card; returns the card with the hash of the weights as written.

    Both appear at once. Of a model that exists they replace both; other files in its folder stay.

    Raises
    ------
    OutputError
        The folder cannot be written, or a model was made in it meanwhile.
    """
    named = dataclasses.replace(card, name=folder.name)
    with folders_of([folder / CARD]):
        try:
            return write_model_files(
                network, named, folder / WEIGHTS, _old_weights(folder), overwrite
            )
        except OSError as error:
            raise cannot_be_written(folder, error) from error


def _old_weights(folder: Path) -> list[Path]:
    """The weights that the card of a folder names, unless they get the name of the new ones."""
    try:
        return [folder / Path(read_card(folder).weights).name] if (folder / CARD).exists() else []
    except CloudfreeError:  # it is damaged, and goes
        return []


def write_model_files(
    network: nn.Module,
    card: ModelCard,
    weights: Path,
    outdated: Iterable[Path] = (),
    overwrite: bool = True,
) -> ModelCard:
    """Write weights and their card at once; returns the card with their name and hash.

    Raises
    ------
    OSError
        The disk refuses.
    OutputError
        It refuses a name, or a file was made meanwhile.
    """
    path = weights.with_name(CARD)
    with OutputSet(path, overwrite, outdated) as outputs:
        draft = outputs.draft(weights)
        _save(network, draft)
        own = dataclasses.replace(card, weights=weights.name, weights_sha256=sha256_of(draft))
        outputs.write(path, toml_text(card_entries_of(own)))
    return own


def _save(network: nn.Module, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {key: value.contiguous() for key, value in network.state_dict().items()}
    try:
        save_file(tensors, path)
    except SafetensorError as error:
        raise OSError(error) from error
