"""A network of the registry in words: what it takes, its arguments, and how it is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.plugins import PLUGIN
from cloudfree.inference.registry import card_entries, network_entry
from cloudfree.inference.scaling import Scaling

# Width of the names of entries.
INDENT = 12


@dataclass(frozen=True)
class ShownNetwork:
    """A network without weights; `card` is that of a model with the defaults of all `arguments`.

    `parameters` counts those of such a network; `presets` says of each where its values are from;
    `plugin` is the file or package that it comes from, None for those of cloudfree.
    """

    network: str
    title: str
    paper: str
    weights_license: str
    card: ModelCard
    outputs: tuple[str, ...]
    halo_px: int | None
    arguments: Mapping[str, Any]
    parameters: int
    presets: Mapping[str, str]
    ablations: tuple[str, ...]
    plugin: str | None

    def summary(self) -> str:
        """A line for each entry."""
        lines = [f"{name:<{INDENT}}{text}" for name, text in self._entries() if text]
        return "\n".join(lines)

    def _entries(self) -> Iterator[tuple[str, str]]:
        card = self.card
        yield "network", f"{self.network}: {self.title}"
        yield "paper", self.paper
        yield "licence", f"{self.weights_license} (published weights)"
        yield "plugin", self.plugin or ""
        yield "levels", ", ".join(card.levels)
        yield "inputs", ", ".join(card.inputs)
        if "optical" in card.inputs:
            yield "optical", fed(card.optical_bands, card.optical_scaling, "reflectance")
        if card.uses_sar:
            yield "sar", fed(card.sar_bands, card.sar_scaling, "dB")
        yield "dates", network_entry(self.network)["dates"]
        yield "output", f"{' '.join(card.output_bands)}; {', '.join(self.outputs)}"
        yield "halo", "the whole tile" if self.halo_px is None else f"{self.halo_px} px"
        yield "tile", f"{card.tile} px, overlap {card.overlap}, sides a multiple of {card.multiple}"
        yield "arguments", ", ".join(f"{name}={value}" for name, value in self.arguments.items())
        yield "parameters", f"{self.parameters:,} with these arguments"
        lines = [f"{name}: {source}" for name, source in self.presets.items()]
        yield "presets", ("\n" + " " * INDENT).join(lines)
        yield "ablations", ", ".join(self.ablations)


def shown_network(name: str) -> ShownNetwork:
    """Describe a network; it is built with the defaults of its arguments.

    Raises
    ------
    ModelError
        There is no such network.
    """
    from cloudfree.inference.checkpoint import build_network, network_arguments
    from cloudfree.training.ablations import ablation_names
    from cloudfree.training.settings import preset_sources

    entry, arguments = network_entry(name), network_arguments(name)
    bands = {key: value for key, value in arguments.items() if key.endswith("_bands") and value}
    own = {"name": name, "weights": "", "weights_sha256": ""}
    return ShownNetwork(
        network=name,
        title=entry["title"],
        paper=entry["paper"],
        weights_license=entry["weights_license"],
        card=model_card({**card_entries(name, bands), **own}),
        outputs=("image", *entry["outputs"]),
        halo_px=entry.get("halo_px"),
        arguments=arguments,
        parameters=sum(one.numel() for one in build_network(name, {}).parameters()),
        presets=preset_sources(name),
        ablations=tuple(ablation_names(name)),
        plugin=entry.get(PLUGIN),
    )


def fed(bands: tuple[str, ...], scaling: Scaling, unit: str) -> str:
    """Bands and the scaling of their values."""
    clips = dict.fromkeys(f"{low:g} to {high:g}" for low, high in scaling.clip)
    start, stop = scaling.scale
    return f"{' '.join(bands)}; {unit} {', '.join(clips)} becomes {start:g} to {stop:g}"
