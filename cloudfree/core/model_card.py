"""What a model is: its network, its inputs, their scaling, its figures and its licence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudfree.core.scaling import Scaling
from cloudfree.errors import ModelError


@dataclass(frozen=True)
class ModelCard:
    """The declaration of a model, as `card.toml` beside its weights gives it.

    Bands are in the order the network wants them; `multiple` is what the height and width of a
    tile must be divisible by; `tile` and `overlap` are in pixels.
    """

    name: str
    network: str
    network_class: str
    weights: str
    weights_sha256: str
    description: str
    license: str
    levels: tuple[str, ...]
    optical_bands: tuple[str, ...]
    optical_scaling: Scaling
    sar_bands: tuple[str, ...]
    sar_scaling: Scaling
    output_bands: tuple[str, ...]
    tile: int
    overlap: int
    multiple: int
    network_settings: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)


def parse_model_card(text: str) -> ModelCard:
    """The card that the text of a `card.toml` describes.

    Raises
    ------
    ModelError
        The text is no TOML, or an entry is missing or of the wrong shape.
    """
    try:
        entries = tomllib.loads(text)
        return _model_card(entries)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"a model card that cannot be read ({type(error).__name__}: {error})",
            wanted="the entries that models/README.md lists",
            hint="compare the card with models/cloudfree-s/card.toml",
        ) from error


def _model_card(entries: dict[str, Any]) -> ModelCard:
    optical, sar, tile = entries["optical"], entries["sar"], entries["tile"]
    return ModelCard(
        name=entries["name"],
        network=entries["network"],
        network_class=entries["class"],
        weights=entries["weights"],
        weights_sha256=entries["weights_sha256"],
        description=entries["description"],
        license=entries["license"],
        levels=tuple(entries["levels"]),
        optical_bands=tuple(optical["bands"]),
        optical_scaling=_scaling(optical),
        sar_bands=tuple(sar["bands"]),
        sar_scaling=_scaling(sar),
        output_bands=tuple(entries["output"]["bands"]),
        tile=int(tile["size"]),
        overlap=int(tile["overlap"]),
        multiple=int(tile["multiple"]),
        network_settings=entries.get("network_settings", {}),
        training=entries.get("training", {}),
        scores=entries.get("scores", {}),
    )


def _scaling(entry: dict[str, Any]) -> Scaling:
    """One clip interval for all bands, or one for each."""
    clip, bands = entry["clip"], entry["bands"]
    per_band = clip if isinstance(clip[0], list) else [clip] * len(bands)
    if len(per_band) != len(bands):
        raise ValueError(f"{len(per_band)} clip intervals for {len(bands)} bands")
    start, stop = entry["scale"]
    return Scaling(tuple((float(low), float(high)) for low, high in per_band), (start, stop))
