"""What a model is: its network, its inputs, their scaling, its figures and its licence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from cloudfree.errors import ModelError
from cloudfree.inference.scaling import Scaling

OtherLevels = Literal["warn", "refuse"]

NO_SAR: Mapping[str, Any] = {"bands": [], "clip": [[0, 1]], "scale": [0, 1]}


@dataclass(frozen=True)
class ModelCard:
    """The declaration of a model, as `card.toml` beside its weights gives it.

    `network` is a name of the catalogue, `network_settings` are its constructor arguments;
    `levels` are the products it was trained on, `other_levels` tells what becomes of a scene of
    another level;
    `inputs` are what it takes, in order: optical, sar, and shadow, which is 1 where shadows of
    clouds are known to lie and 0 elsewhere. Bands are in the order the network wants
    them; `multiple` is what the height and width of a tile must be divisible by; `tile` and
    `overlap` are in pixels. Without SAR among the inputs `sar_bands` is empty.
    """

    name: str
    network: str
    weights: str
    weights_sha256: str
    description: str
    license: str
    levels: tuple[str, ...]
    inputs: tuple[str, ...]
    optical_bands: tuple[str, ...]
    optical_scaling: Scaling
    sar_bands: tuple[str, ...]
    sar_scaling: Scaling
    output_bands: tuple[str, ...]
    tile: int
    overlap: int
    multiple: int
    attribution: str = ""
    other_levels: OtherLevels = "warn"
    network_settings: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    uncertainty: Mapping[str, Any] = field(default_factory=dict)

    @property
    def uses_sar(self) -> bool:
        """Whether the network looks at Sentinel-1."""
        return "sar" in self.inputs

    @property
    def uses_shadow(self) -> bool:
        """Whether the network is told where shadows of clouds lie."""
        return "shadow" in self.inputs

    @property
    def input_bands(self) -> dict[str, int]:
        """How many bands each input has."""
        bands = {"optical": len(self.optical_bands), "sar": len(self.sar_bands), "shadow": 1}
        return {name: bands[name] for name in self.inputs}

    @property
    def output_indices(self) -> tuple[int, ...]:
        """Which of the optical bands the bands of the output are."""
        return tuple(self.optical_bands.index(band) for band in self.output_bands)

    @property
    def output_scaling(self) -> Scaling:
        """The scaling of the optical bands for those of the output."""
        return self.optical_scaling.of(self.output_indices)


def parse_card_text(text: str) -> dict[str, Any]:
    """The entries of the text of a `card.toml`.

    Raises
    ------
    ModelError
        The text is no TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(error) from error


def model_card(entries: Mapping[str, Any]) -> ModelCard:
    """The card with these entries.

    Raises
    ------
    ModelError
        An entry is missing or of the wrong shape.
    """
    try:
        return _model_card(entries)
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> ModelError:
    return ModelError(
        f"a model card that cannot be read ({type(error).__name__}: {error})",
        wanted="the entries that models/README.md lists",
        hint="compare the card with models/cloudfree-s/card.toml",
    )


def _model_card(entries: Mapping[str, Any]) -> ModelCard:
    optical, tile = entries["optical"], entries["tile"]
    inputs = tuple(entries["inputs"])
    sar = entries["sar"] if "sar" in inputs else NO_SAR
    return ModelCard(
        name=entries["name"],
        network=entries["network"],
        weights=entries["weights"],
        weights_sha256=entries["weights_sha256"],
        description=entries["description"],
        license=entries["license"],
        levels=tuple(entries["levels"]),
        inputs=inputs,
        optical_bands=tuple(optical["bands"]),
        optical_scaling=_scaling(optical),
        sar_bands=tuple(sar["bands"]),
        sar_scaling=_scaling(sar),
        output_bands=tuple(entries["output"]["bands"]),
        tile=int(tile["size"]),
        overlap=int(tile["overlap"]),
        multiple=int(tile["multiple"]),
        attribution=entries.get("attribution", ""),
        other_levels=_other_levels(entries.get("other_levels", "warn")),
        network_settings=entries.get("network_settings", {}),
        training=entries.get("training", {}),
        scores=entries.get("scores", {}),
        uncertainty=entries.get("uncertainty", {}),
    )


def _other_levels(word: str) -> OtherLevels:
    choices: tuple[OtherLevels, ...] = get_args(OtherLevels)
    for choice in choices:
        if word == choice:
            return choice
    raise ValueError(f"other_levels = {word!r}, neither of {' and '.join(choices)}")


def _scaling(entry: Mapping[str, Any]) -> Scaling:
    """One clip interval for all bands, or one for each."""
    clip, bands = entry["clip"], entry["bands"]
    per_band = clip if isinstance(clip[0], list) else [clip] * len(bands)
    if bands and len(per_band) != len(bands):
        raise ValueError(f"{len(per_band)} clip intervals for {len(bands)} bands")
    start, stop = entry["scale"]
    return Scaling(tuple((float(low), float(high)) for low, high in per_band), (start, stop))
