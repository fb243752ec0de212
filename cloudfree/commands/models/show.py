"""`cloudfree models show`: the card of a model, or of an identified checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudfree.core.onnx_session import ONNX_SUFFIX
from cloudfree.core.terminal import Progress
from cloudfree.inference.load import find_card, load_network
from cloudfree.inference.model_card import ModelCard, Scaling
from cloudfree.inference.onnx_runtime import OnnxRuntime
from cloudfree.inference.registry import network_entry

INDENT = 12


@dataclass(frozen=True)
class ShowOptions:
    """The options of `cloudfree models show`; names equal its parameters."""

    model: str
    network: str | None = None


@dataclass(frozen=True)
class ShowResult:
    """A card, where its weights are, and how much they hold.

    `parameters` counts what was trained; it is None for an ONNX file, whose `shapes` are those of
    its inputs: a number, or a name where the length is free.
    """

    card: ModelCard
    title: str
    paper: str
    weights: Path
    megabytes: float
    parameters: int | None
    shapes: Mapping[str, list[int | str]]

    def summary(self) -> str:
        """A line for each entry."""
        lines = [f"{name:<{INDENT}}{text}" for name, text in self._entries() if text]
        return "\n".join(lines)

    def _entries(self) -> Iterator[tuple[str, str]]:
        card = self.card
        yield "model", card.name
        yield "network", f"{card.network}: {self.title}, {self.paper}"
        yield "about", card.description
        yield "licence", card.license
        yield "attribution", card.attribution
        count = "" if self.parameters is None else f"{self.parameters:,} parameters, "
        yield "weights", f"{count}{self.megabytes:.1f} MB, {self.weights}"
        yield "sha256", card.weights_sha256
        others = "refused" if card.other_levels == "refuse" else "with a warning"
        yield "levels", f"{', '.join(card.levels)}; others {others}"
        if "optical" in card.inputs:
            yield "optical", _fed(card.optical_bands, card.optical_scaling, "reflectance")
        if card.uses_sar:
            yield "sar", _fed(card.sar_bands, card.sar_scaling, "dB")
        if card.uses_shadow:
            yield "shadow", "1 where the cloud mask has a shadow, else 0"
        yield "dates", card.dates
        yield "output", _bands(card.output_bands)
        yield "tile", f"{card.tile} px, overlap {card.overlap}, sides a multiple of {card.multiple}"
        yield "settings", _table(card.network_settings)
        for name, shape in self.shapes.items():
            yield "takes", f"{name} {' x '.join(map(str, shape))}"
        yield "training", _table(card.training, "\n" + " " * INDENT)
        yield "scores", _table(card.scores, "\n" + " " * INDENT)
        yield "uncertainty", _table(card.uncertainty, "\n" + " " * INDENT)


def run(options: ShowOptions, progress: Progress) -> ShowResult:
    """Find a model and describe it.

    Raises
    ------
    ModelError
        There is no such model, it is not recognised, or its weights do not fit its network.
    """
    del progress
    found = find_card(options.model, options.network)
    entry = network_entry(found.card.network)
    onnx = found.weights.suffix == ONNX_SUFFIX
    return ShowResult(
        card=found.card,
        title=entry["title"],
        paper=entry["paper"],
        weights=found.weights,
        megabytes=found.weights.stat().st_size / 1e6 if found.weights.is_file() else 0.0,
        parameters=None if onnx else sum(p.numel() for p in load_network(found).parameters()),
        shapes=OnnxRuntime(found.weights, "cpu").inputs if onnx else {},
    )


def _fed(bands: tuple[str, ...], scaling: Scaling, unit: str) -> str:
    """Bands and the scaling of their values."""
    clips = dict.fromkeys(f"{low:g} to {high:g}" for low, high in scaling.clip)
    start, stop = scaling.scale
    return f"{_bands(bands)}; {unit} {', '.join(clips)} becomes {start:g} to {stop:g}"


def _bands(bands: tuple[str, ...]) -> str:
    return " ".join(bands)


def _table(entries: Mapping[str, Any], between: str = ", ") -> str:
    return between.join(f"{name} {value}" for name, value in entries.items())
