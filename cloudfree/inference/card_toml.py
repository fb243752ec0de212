"""A model card as entries again, and entries as the text of a `card.toml`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.scaling import Scaling

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
