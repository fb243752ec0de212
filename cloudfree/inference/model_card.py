"""What a model is: its network, its inputs and their scaling, its figures and its licence."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from cloudfree.core.radiometry import Float32
from cloudfree.errors import ModelError


@dataclass(frozen=True)
class Scaling:
    """A linear map of clip intervals, one per band, onto one scale.

    `clip` holds (low, high) per band in the unit of the input; `scale` is what low and high become.
    """

    clip: tuple[tuple[float, float], ...]
    scale: tuple[float, float]

    def select(self, places: Sequence[int]) -> Scaling:
        """The same for some of the bands, by their places."""
        return replace(self, clip=tuple(self.clip[place] for place in places))

    def forward(self, values: Float32) -> Float32:
        """Clipped and scaled copy of `values`, (..., band, y, x)."""
        low, high = self._limits()
        start, stop = self.scale
        scaled = np.clip(values, low, high)
        if self._clips_only:
            return np.asarray(scaled, dtype=np.float32)
        scaled -= low
        scaled *= (stop - start) / (high - low)
        scaled += np.float32(start)
        return np.asarray(scaled, dtype=np.float32)

    def inverse(self, scaled: Float32) -> Float32:
        """Scaled numbers, (..., band, y, x), back in the unit of the input; nothing is clipped."""
        if self._clips_only:
            return scaled
        low, high = self._limits()
        start, stop = self.scale
        values = scaled - np.float32(start)
        values *= (high - low) / (stop - start)
        values += low
        return np.asarray(values, dtype=np.float32)

    def inverse_variance(self, scaled: Float32) -> Float32:
        """Variances of scaled numbers, (..., band, y, x), in the square of the input's unit."""
        low, high = self._limits()
        start, stop = self.scale
        return np.asarray(scaled * ((high - low) / (stop - start)) ** 2, dtype=np.float32)

    @property
    def _clips_only(self) -> bool:
        return all(interval == self.scale for interval in self.clip)

    def _limits(self) -> tuple[Float32, Float32]:
        limits = np.asarray(self.clip, dtype=np.float32)[:, :, None, None]
        return limits[:, 0], limits[:, 1]


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
        return self.optical_scaling.select(self.output_indices)


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


# Entries that a card has only where there is something to say.
OPTIONAL = ("attribution", "network_settings", "training", "scores", "uncertainty")


def card_entries_of(card: ModelCard) -> dict[str, Any]:
    """The entries that `model_card` makes this card of: plain text, numbers, lists and tables."""
    entries: dict[str, Any] = {
        "name": card.name,
        "network": card.network,
        "weights": card.weights,
        "weights_sha256": card.weights_sha256,
        "description": card.description,
        "license": card.license,
        "attribution": card.attribution,
        "levels": list(card.levels),
        "other_levels": card.other_levels,
        "inputs": list(card.inputs),
        "network_settings": dict(card.network_settings),
        "tile": {"size": card.tile, "overlap": card.overlap, "multiple": card.multiple},
        "optical": _scaled_bands(card.optical_bands, card.optical_scaling),
        "output": {"bands": list(card.output_bands)},
        "training": dict(card.training),
        "scores": dict(card.scores),
        "uncertainty": dict(card.uncertainty),
    }
    if card.uses_sar:
        entries["sar"] = _scaled_bands(card.sar_bands, card.sar_scaling)
    return {name: value for name, value in entries.items() if value or name not in OPTIONAL}


def _scaled_bands(bands: tuple[str, ...], scaling: Scaling) -> dict[str, Any]:
    clip = [list(limits) for limits in scaling.clip]
    return {"bands": list(bands), "clip": clip, "scale": list(scaling.scale)}


def toml_text(entries: Mapping[str, Any]) -> str:
    """The entries as TOML: first what stands alone, then a section for each table.

    Source: TOML 1.0. Strings are written as JSON, which TOML reads the same way but for the
    character DEL.
    """
    alone = {name: value for name, value in entries.items() if not isinstance(value, Mapping)}
    tables = {name: value for name, value in entries.items() if isinstance(value, Mapping)}
    sections = [_lines(alone), *(f"[{name}]\n{_lines(table)}" for name, table in tables.items())]
    return "\n\n".join(section for section in sections if section) + "\n"


def _lines(table: Mapping[str, Any]) -> str:
    return "\n".join(f"{_key(name)} = {_value(value)}" for name, value in table.items())


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(name)} = {_value(entry)}" for name, entry in value.items())
        return f"{{ {pairs} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(entry) for entry in value)}]"
    if isinstance(value, float):
        return repr(value)  # TOML has inf and nan under the names that Python gives them
    if isinstance(value, (str, bool, int)):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return _value(str(value))  # dates of a card that was read from TOML
