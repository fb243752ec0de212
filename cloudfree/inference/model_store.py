"""Finding models by name or path, and reading their cards."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import cloudfree
from cloudfree.errors import ModelError
from cloudfree.inference.model_card import ModelCard, model_card, parse_card_text
from cloudfree.inference.registry import card_entries

DEFAULT_MODEL = "cloudfree-s"
CARD = "card.toml"


def model_folders() -> list[Path]:
    """Where models are looked for: CLOUDFREE_MODELS, the installed package, the source tree."""
    package = Path(cloudfree.__file__).parent
    own = os.environ.get("CLOUDFREE_MODELS")
    places = [*([Path(own)] if own else []), package / "models", package.parent / "models"]
    return [place for place in places if place.is_dir()]


def find_model(name: str) -> Path:
    """The folder of a model given by name, or by the path of its folder or card.

    Raises
    ------
    ModelError
        No such model; lists those that there are.
    """
    path = Path(name)
    candidates = [path.parent if path.name == CARD else path, *(f / name for f in model_folders())]
    for folder in candidates:
        if (folder / CARD).is_file():
            return folder
    raise ModelError(
        f"no model {name!r}",
        wanted=f"one of {', '.join(model_names()) or 'no models found'}, or a folder with {CARD}",
        hint="choose a name, or set CLOUDFREE_MODELS to the folder that holds yours",
    )


def model_names() -> list[str]:
    """Names of all models that can be found, sorted."""
    return sorted({card.parent.name for f in model_folders() for card in f.glob(f"*/{CARD}")})


def read_card(folder: Path) -> ModelCard:
    """The card of a model folder; what it does not say, the catalogue says of its network.

    Raises
    ------
    ModelError
        The card cannot be read or names no network of the catalogue.
    """
    own = parse_card_text((folder / CARD).read_text(encoding="utf-8"))
    known = (
        card_entries(own["network"], own.get("network_settings", {})) if "network" in own else {}
    )
    return model_card({**known, **own})


def is_file(name: str) -> bool:
    """Whether a name is the path of a file with weights, rather than of a folder or its card."""
    return Path(name).is_file() and Path(name).name != CARD


def checked_weights(path: Path, card: ModelCard) -> Path:
    """The weights of a model, after comparing their SHA-256 with the card.

    Raises
    ------
    ModelError
        The file is missing or is not the one the card describes.
    """
    if not path.is_file():
        raise ModelError(
            f"no weights {path}", wanted="the file that the card names", hint="fetch the model anew"
        )
    found = sha256_of(path)
    if found != card.weights_sha256:
        raise ModelError(
            f"weights {path.name} have SHA-256 {found[:12]}",
            wanted=f"{card.weights_sha256[:12]} as the card says",
            hint="fetch the model anew, or correct the card if you changed the weights",
        )
    return path


def sha256_of(path: Path) -> str:
    """The hash by which a card knows its weights."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
