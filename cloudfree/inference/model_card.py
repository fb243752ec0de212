"""What a model is: its network, its inputs and their scaling, its scores and its licence."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal, get_args

import tomli_w

from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.core.typed_entries import UnknownEntryError, structured
from cloudfree.errors import ModelError, parser_errors, reason_of
from cloudfree.inference.scaling import Scaling

OtherLevels = Literal["warn", "refuse"]
# How many dates one call takes.
Dates = Literal["one", "one or several"]


@dataclass(frozen=True)
class ModelCard:
    """The declaration of a model, as `card.toml` beside its weights gives it.

    `network` is a name in the registry, `network_settings` are its constructor arguments;
    `levels` are the products it was trained on; a scene of another level gets a warning or is
    refused, by `other_levels`. `inputs` are the inputs in order: optical, sar, and shadow, which is
    1 in known cloud shadows and 0 elsewhere. Bands are in the order of the network's channels;
    `multiple` is what the height and width of a tile must be divisible by; `tile` and `overlap` are
    in pixels. Without SAR among the inputs `sar_bands` is empty. `dates` says how many dates of a
    tile the network takes at once.
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
    dates: Dates = "one"
    network_settings: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    uncertainty: Mapping[str, Any] = field(default_factory=dict)

    @property
    def uses_sar(self) -> bool:
        """Whether the network takes Sentinel-1."""
        return "sar" in self.inputs

    @property
    def uses_shadow(self) -> bool:
        """Whether the network takes a cloud-shadow mask."""
        return "shadow" in self.inputs

    @property
    def takes_several_dates(self) -> bool:
        """Whether the network takes other dates of a tile beside its own."""
        return self.dates != "one"

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
    with parser_errors(lambda error: _unreadable(f"{type(error).__name__}: {reason_of(error)}")):
        return tomllib.loads(text)


@dataclass(frozen=True)
class _TileTable:
    """`[tile]`: sizes in pixels; `smallest` is the least side that an ONNX file is right for."""

    size: int
    overlap: int
    multiple: int
    smallest: int = 1


# No interval reaches further: digital numbers end at 65535. Float32 would be infinite at 1e39.
_LARGEST = 1e6


@dataclass(frozen=True)
class _InputTable:
    """`[optical]` and `[sar]`: `clip` is one interval for all bands, or one for each."""

    bands: tuple[str, ...]
    clip: tuple[Any, ...]
    scale: tuple[float, float]

    def scaling(self) -> Scaling:
        per_band = self.clip if isinstance(next(iter(self.clip), None), list | tuple) else None
        if per_band and self.bands and len(per_band) != len(self.bands):
            raise ValueError(f"{len(per_band)} clip intervals for {len(self.bands)} bands")
        intervals = per_band or (self.clip,) * len(self.bands)
        clip = tuple((float(low), float(high)) for low, high in intervals)
        for name, (low, high) in [("scale", self.scale), *(("clip", one) for one in clip)]:
            if not -_LARGEST <= low < high <= _LARGEST:
                raise ValueError(f"{name} = [{low:g}, {high:g}], not from less to more")
        return Scaling(clip, self.scale)


@dataclass(frozen=True)
class _OutputTable:
    """`[output]`."""

    bands: tuple[str, ...]


_NO_SAR = _InputTable((), (0.0, 1.0), (0.0, 1.0))
# Key that cards have had and that nothing reads: the name of the class of the network.
_UNUSED = "class"


@dataclass(frozen=True, kw_only=True)
class _CardFile:
    """The keys of a `card.toml`; others are refused."""

    name: str
    network: str
    weights: str
    weights_sha256: str
    description: str
    license: str
    levels: tuple[str, ...]
    inputs: tuple[str, ...]
    tile: _TileTable
    optical: _InputTable
    output: _OutputTable
    sar: _InputTable | None = None
    attribution: str = ""
    other_levels: str = "warn"
    dates: str = "one"
    network_settings: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    uncertainty: dict[str, Any] = field(default_factory=dict)


def model_card(entries: Mapping[str, Any]) -> ModelCard:
    """The card with these entries.

    Raises
    ------
    ModelError
        An entry is missing, unknown or of the wrong shape; names it.
    """
    known = {key: value for key, value in entries.items() if key != _UNUSED}
    try:
        return _model_card(structured(known, _CardFile, "card"))
    except UnknownEntryError as error:
        raise _unknown_key(error) from error
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class _OpticalStart:
    bands: tuple[str, ...] = ()


@dataclass(frozen=True)
class CardStart:
    """The entries that say which defaults a card has; others are not looked at."""

    network: str | None = None
    weights: str = ""
    network_settings: dict[str, Any] = field(default_factory=dict)
    optical: _OpticalStart = _OpticalStart()


def card_start(entries: Mapping[str, Any]) -> CardStart:
    """The entries of a card that say which defaults it has.

    Raises
    ------
    ModelError
        One of them is of the wrong type; names it.
    """
    try:
        return structured(entries, CardStart, "card", strict=False)
    except ValueError as error:
        raise _unreadable(str(error)) from error


def merge_tables(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of `own` over `defaults`; of a table that both have, key by key."""
    merged = {**defaults, **own}
    for name in defaults.keys() & own.keys():
        if isinstance(defaults[name], Mapping) and isinstance(own[name], Mapping):
            merged[name] = {**defaults[name], **own[name]}
    return merged


def _unknown_key(error: UnknownEntryError) -> ModelError:
    """The error for a key that no card has, with the keys that there are."""
    close = difflib.get_close_matches(error.found, error.known, n=1)
    return ModelError(
        f"unknown key {error.found!r} in a model card",
        wanted=", ".join(error.known),
        hint=f"did you mean {close[0]!r}?" if close else "remove it from card.toml",
    )


def _unreadable(reason: str) -> ModelError:
    return ModelError(
        f"a model card that cannot be read ({reason})",
        wanted="the entries that docs/models.md lists",
        hint="compare the card with models/cloudfree-s/card.toml",
    )


def _model_card(file: _CardFile) -> ModelCard:
    _check_weights(file.weights)
    sar = _NO_SAR
    if "sar" in file.inputs:
        if file.sar is None:
            raise KeyError("sar")
        sar = file.sar
        if sar.bands != SAR_BANDS:
            raise ValueError(f"bands of sar = {list(sar.bands)}, but networks are given VV, VH")
    _check_bands(file)
    _check_tile(file.tile)
    return ModelCard(
        name=file.name,
        network=file.network,
        weights=file.weights,
        weights_sha256=file.weights_sha256,
        description=file.description,
        license=file.license,
        levels=file.levels,
        inputs=file.inputs,
        optical_bands=file.optical.bands,
        optical_scaling=file.optical.scaling(),
        sar_bands=sar.bands,
        sar_scaling=sar.scaling(),
        output_bands=file.output.bands,
        tile=file.tile.size,
        overlap=file.tile.overlap,
        multiple=file.tile.multiple,
        attribution=file.attribution,
        other_levels=_word("other_levels", file.other_levels, get_args(OtherLevels)),
        dates=_word("dates", file.dates, get_args(Dates)),
        network_settings=file.network_settings,
        training=file.training,
        scores=file.scores,
        uncertainty=file.uncertainty,
    )


def _check_weights(name: str) -> None:
    """Refuse a file that lies elsewhere than the card, on any system."""
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        if path.is_absolute() or path.drive or path.root or ".." in path.parts:
            raise ValueError(f"weights = {name!r}, not a file in the folder of the card")


_INPUTS = ("optical", "sar", "shadow")


def _check_bands(file: _CardFile) -> None:
    """Refuse inputs and bands that occur twice or are none, and outputs that are no inputs."""
    if (
        not file.inputs
        or not {*file.inputs} <= {*_INPUTS}
        or len({*file.inputs}) < len(file.inputs)
    ):
        raise ValueError(f"inputs {list(file.inputs)}, not some of {', '.join(_INPUTS)}")
    for bands in (file.optical.bands, file.output.bands):
        if unknown := set(bands) - set(OPTICAL_BANDS):
            raise ValueError(f"bands {sorted(unknown)}, not of Sentinel-2")
        if len(set(bands)) < len(bands):
            raise ValueError(f"bands {list(bands)}, one of them twice")
    if missing := set(file.output.bands) - set(file.optical.bands):
        raise ValueError(f"output bands {sorted(missing)} that are no optical bands")


def _check_tile(tile: _TileTable) -> None:
    if not (tile.size > 0 and tile.multiple > 0 and 0 <= tile.overlap < tile.size):
        raise ValueError(
            f"tile of size {tile.size}, overlap {tile.overlap} and multiple {tile.multiple}"
        )


def _word(key: str, word: str, choices: tuple[Any, ...]) -> Any:
    """The word of a key, which is one of two."""
    if word in choices:
        return word
    raise ValueError(f"{key} = {word!r}, neither of {' and '.join(choices)}")


# Entries that a card has only where there is something to say.
OPTIONAL = ("attribution", "dates", "network_settings", "training", "scores", "uncertainty")


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
        "dates": card.dates if card.takes_several_dates else "",
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
    """The entries as TOML: first plain values, then a section for each table."""
    return tomli_w.dumps(entries)
