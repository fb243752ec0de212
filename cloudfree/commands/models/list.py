"""`cloudfree models list`: models and networks, without loading any."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.options import PluginOptions
from cloudfree.core.terminal import Progress, text_table
from cloudfree.errors import ModelError
from cloudfree.inference.model_store import find_model, model_names, read_card
from cloudfree.inference.plugins import PLUGIN
from cloudfree.inference.registry import load_plugins, network_entry, network_names

logger = logging.getLogger("cloudfree")


@dataclass(frozen=True)
class ListOptions(PluginOptions):
    """The options of `cloudfree models list`; names equal its parameters."""


@dataclass(frozen=True)
class ListedModel:
    """A model that is found by its name."""

    name: str
    network: str
    inputs: tuple[str, ...]
    levels: tuple[str, ...]
    megabytes: float | None
    license: str
    folder: Path

    @property
    def row(self) -> tuple[str, ...]:
        """As a line of the table."""
        size = "no weights" if self.megabytes is None else f"{self.megabytes:.1f} MB"
        used = (", ".join(self.inputs), ", ".join(self.levels))
        return self.name, self.network, *used, size, self.license


@dataclass(frozen=True)
class ListedNetwork:
    """A network of the registry; `halo_px` is None if the receptive field is the whole tile.

    `plugin` is the file or package that it comes from, None for those of cloudfree.
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    dates: str
    multiple: int
    outputs: tuple[str, ...]
    halo_px: int | None
    paper: str
    weights_license: str
    plugin: str | None

    @property
    def row(self) -> tuple[str, ...]:
        """As a line of the table."""
        halo = "tile" if self.halo_px is None else f"{self.halo_px} px"
        fed = (", ".join(self.inputs), self.dates, str(self.multiple))
        made = (", ".join(self.outputs), halo)
        source = self.paper if self.plugin is None else f"{self.paper}; {self.plugin}"
        return self.name, self.title, *fed, *made, self.weights_license, source


MODEL_HEADS = ("model", "network", "inputs", "levels", "size", "licence")
NETWORK_HEADS = (
    "network", "title", "inputs", "dates", "multiple", "outputs", "halo", "licence of weights",
    "paper",
)  # fmt: skip


@dataclass(frozen=True)
class ListResult:
    """The models that were found, and the networks of the catalogue."""

    models: tuple[ListedModel, ...]
    networks: tuple[ListedNetwork, ...]

    def summary(self) -> str:
        """Two tables."""
        models = text_table(MODEL_HEADS, [model.row for model in self.models])
        networks = text_table(NETWORK_HEADS, [network.row for network in self.networks])
        return f"{models}\n\n{networks}"


def run(options: ListOptions, progress: Progress) -> ListResult:
    """List models and networks; a card that cannot be read is a warning."""
    del progress
    load_plugins(options.plugin)
    models = filter(None, map(_listed_model, model_names()))
    return ListResult(tuple(models), tuple(map(_listed_network, network_names())))


def _listed_model(name: str) -> ListedModel | None:
    folder = find_model(name)
    try:
        card = read_card(folder)
    except ModelError as error:
        logger.warning("model %s: %s", name, error)
        return None
    weights = folder / card.weights
    size = weights.stat().st_size / 1e6 if weights.is_file() else None
    return ListedModel(name, card.network, card.inputs, card.levels, size, card.license, folder)


def _listed_network(name: str) -> ListedNetwork:
    entry = network_entry(name)
    return ListedNetwork(
        name=name,
        title=entry["title"],
        inputs=tuple(entry["inputs"]),
        dates=entry["dates"],
        multiple=entry["multiple"],
        outputs=("image", *entry["outputs"]),
        halo_px=entry.get("halo_px"),
        paper=entry["paper"],
        weights_license=entry["weights_license"],
        plugin=entry.get(PLUGIN),
    )
