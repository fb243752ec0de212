"""`cloudfree models show`: the card of a model or an identified checkpoint, or a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudfree.commands.models.shown_network import INDENT, ShownNetwork, fed, shown_network
from cloudfree.commands.options import PluginOptions
from cloudfree.core.onnx_session import ONNX_SUFFIX
from cloudfree.core.terminal import Progress
from cloudfree.inference.load import find_card, load_network
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.model_store import is_model
from cloudfree.inference.onnx_runtime import OnnxRuntime
from cloudfree.inference.registry import has_network, load_plugins, network_entry


@dataclass(frozen=True)
class ShowOptions(PluginOptions):
    """The options of `cloudfree models show`; names equal its parameters."""

    model: str
    network: str | None = None


@dataclass(frozen=True)
class ShowResult:
    """A card, where its weights are, and how much they hold.

    `parameters` counts what was trained; it is None for an ONNX file, whose `shapes` are those of
    its inputs: a number, or a name where the length is free. `title` and `paper` are empty for an
    ONNX file of a network that is not known.
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

    @property
    def _network_title(self) -> str:
        return f"{self.card.network}: {self.title}" if self.title else self.card.network

    def _entries(self) -> Iterator[tuple[str, str]]:
        card = self.card
        yield "model", card.name
        yield "network", ", ".join(filter(None, (self._network_title, self.paper)))
        yield "about", card.description
        yield "licence", card.license
        yield "attribution", card.attribution
        count = "" if self.parameters is None else f"{self.parameters:,} parameters, "
        yield "weights", f"{count}{self.megabytes:.1f} MB, {self.weights}"
        yield "sha256", card.weights_sha256
        others = "refused" if card.other_levels == "refuse" else "with a warning"
        yield "levels", f"{', '.join(card.levels)}; others {others}"
        if "optical" in card.inputs:
            yield "optical", fed(card.optical_bands, card.optical_scaling, "reflectance")
        if card.uses_sar:
            yield "sar", fed(card.sar_bands, card.sar_scaling, "dB")
        if card.uses_shadow:
            yield "shadow", "1 where the cloud mask has a shadow, else 0"
        yield "dates", card.dates
        yield "output", " ".join(card.output_bands)
        yield "tile", f"{card.tile} px, overlap {card.overlap}, sides a multiple of {card.multiple}"
        yield "settings", _table(card.network_settings)
        for name, shape in self.shapes.items():
            yield "takes", f"{name} {' x '.join(map(str, shape))}"
        yield "training", _table(card.training, "\n" + " " * INDENT)
        yield "scores", _table(card.scores, "\n" + " " * INDENT)
        yield "uncertainty", _table(card.uncertainty, "\n" + " " * INDENT)


def run(options: ShowOptions, progress: Progress) -> ShowResult | ShownNetwork:
    """Find a model, or else a network, and describe it.

    Raises
    ------
    ModelError
        There is no such model, it is not recognised, or its weights do not fit its network.
    """
    del progress
    load_plugins(options.plugin)
    if not is_model(options.model) and has_network(options.model):
        return shown_network(options.model)
    return _shown_model(options)


def _shown_model(options: ShowOptions) -> ShowResult:
    found = find_card(options.model, options.network)
    known = has_network(found.card.network)
    entry = network_entry(found.card.network) if known else {}
    onnx = found.weights.suffix == ONNX_SUFFIX
    return ShowResult(
        card=found.card,
        title=entry.get("title", ""),
        paper=entry.get("paper", ""),
        weights=found.weights,
        megabytes=found.weights.stat().st_size / 1e6 if found.weights.is_file() else 0.0,
        parameters=None if onnx else sum(p.numel() for p in load_network(found).parameters()),
        shapes=OnnxRuntime(found.weights, "cpu").inputs if onnx else {},
    )


def _table(entries: Mapping[str, Any], between: str = ", ") -> str:
    return between.join(f"{name} {value}" for name, value in entries.items())
