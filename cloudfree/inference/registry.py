"""The table of networks: what each is and how it is fed, without loading any."""

from __future__ import annotations

import functools
import importlib
import importlib.resources
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from cloudfree.core.typed_entries import structured
from cloudfree.errors import ModelError
from cloudfree.inference.plugins import PLUGIN, Entry, networks_of_file, networks_of_packages

DEFAULT_MODEL = "cloudfree-s"

# The constructor argument with which a network of "one or several" dates takes several.
SEVERAL_DATES = "multi_date"


@functools.cache
def _catalogue() -> dict[str, Any]:
    text = importlib.resources.files("cloudfree.networks") / "registry.toml"
    return tomllib.loads(text.read_text(encoding="utf-8"))


# Networks of the files that this process was told to load, by name.
_loaded: dict[str, Entry] = {}


def load_plugins(paths: Iterable[Path]) -> None:
    """Add the networks of Python files to the registry; their code runs.

    Raises
    ------
    ModelError
        A file cannot be used, or has a network with the name of another one.
    """
    for path in paths:
        for name, entry in networks_of_file(path).items():
            before = _known().get(name)
            if before and before["module"] != entry["module"]:
                raise ModelError(
                    f"network {name!r} of plugin {path}",
                    wanted=f"another name: there is one of {before.get(PLUGIN, 'cloudfree')}",
                    hint="rename it in the file",
                )
            _loaded[name] = entry


@functools.cache
def _installed() -> dict[str, Entry]:
    """Networks of installed packages; those of cloudfree keep their names."""
    own = _catalogue()["networks"]
    return {name: entry for name, entry in networks_of_packages().items() if name not in own}


def _known() -> dict[str, Entry]:
    """All networks, in the order in which checkpoints are compared with them."""
    return {**_catalogue()["networks"], **_installed(), **_loaded}


def network_names() -> list[str]:
    """Names of all networks in the order in which checkpoints are compared with them."""
    return list(_known())


def has_network(name: str) -> bool:
    """Whether there is a network of that name; of those of cloudfree without loading others."""
    return name in _catalogue()["networks"] or name in _known()


def network_entry(name: str) -> Entry:
    """The table of one network.

    Raises
    ------
    ModelError
        There is no network of that name; lists those there are.
    """
    if not has_network(name):
        raise ModelError(
            f"no network {name!r}",
            wanted=f"one of {', '.join(_known())}",
            hint="correct the name, or name the file that defines it with --plugin; "
            "`cloudfree models list` shows all",
        )
    own: dict[str, Entry] = _catalogue()["networks"]
    return own[name] if name in own else _known()[name]


def network_module(name: str) -> ModuleType:
    """The module of a network, imported."""
    entry = network_entry(name)
    package = "" if PLUGIN in entry else "cloudfree.networks."
    return importlib.import_module(package + entry["module"])


def bands_by_number(number: int) -> list[str]:
    """The optical bands that a network with so many of them takes.

    Raises
    ------
    ModelError
        No bands are known for this number.
    """
    bands = _catalogue()["bands"]
    if str(number) not in bands:
        raise ModelError(
            f"a network for {number} optical bands",
            wanted=f"{', '.join(bands)} bands, or their names",
            hint='name them: `bands = ["B02", ...]` in a file for `train --settings`, or [optical] '
            "bands in one for `models convert --card`",
        )
    return list(bands[str(number)])


def card_entries(network: str, settings: dict[str, Any], bands: Sequence[str] = ()) -> Entry:
    """A card, as its TOML would read, for a network with these constructor arguments.

    It lacks what only a model has: name, weights and their hash. `bands` are the optical bands that
    the network takes, if their number does not say which.

    Raises
    ------
    ModelError
        There is no such network, or its bands are not known or of another number.
    """
    entry, shape = network_entry(network), _shape_of(network, settings)
    optical = _optical_bands(network, entry, shape, bands)
    number, several = len(optical), shape.multi_date
    multiple = entry["dates_multiple" if several else "multiple"]
    returned = entry.get("output_bands", {}).get(str(number), optical)
    output = returned[: number if shape.output_bands is None else shape.output_bands]
    card: Entry = {
        "network": network,
        "description": f"{entry['title']} ({entry['paper']})",
        "license": entry["weights_license"],
        "levels": _levels(entry["levels"], len(optical)),
        "inputs": _inputs(list(entry["inputs"]), settings, entry.get("without_sar", {})),
        "dates": entry["dates"] if several else "one",
        "network_settings": settings,
        "tile": {"size": entry["tile"], "overlap": entry["overlap"], "multiple": multiple},
        "optical": {"bands": optical, **entry["optical"]},
        "output": {"bands": output},
    }
    if "sar" in card["inputs"]:
        card["sar"] = {"bands": ["VV", "VH"], **entry["sar"]}
    return card


@dataclass(frozen=True)
class _Shape:
    """The constructor arguments that decide what a network is fed and returns."""

    optical_bands: int | None = None
    output_bands: int | None = None
    sar_bands: int = 2
    multi_date: bool = False


def _shape_of(network: str, settings: Mapping[str, Any]) -> _Shape:
    try:
        return structured(settings, _Shape, "network_settings", strict=False)
    except ValueError as error:
        raise ModelError(
            f"arguments of network {network} of the wrong type ({error})",
            wanted="whole numbers of bands, and true or false for several dates",
            hint="correct the settings of the network",
        ) from error


def _optical_bands(network: str, entry: Entry, shape: _Shape, bands: Sequence[str]) -> list[str]:
    """The bands that are named, or those that the number of them in the settings says."""
    own = list(bands) or list(entry.get("bands", ()))
    number = shape.optical_bands
    if "optical" not in entry["inputs"]:
        number = number or shape.output_bands
    if not own:
        return bands_by_number(number or 13)
    if bands and number not in (None, len(own)):
        raise ModelError(
            f"{len(own)} bands for network {network} of {number}",
            wanted=f"the names of {number} bands",
            hint="correct the bands, or the argument optical_bands of the network",
        )
    return own if number in (None, len(own)) else bands_by_number(number)


def _inputs(
    inputs: list[str], settings: dict[str, Any], without_sar: Mapping[str, Any]
) -> list[str]:
    """The inputs, without SAR where the network has no band for it or does not use it."""
    none = settings.get("sar_bands", 2) == 0
    if none or any(settings.get(key) == value for key, value in without_sar.items()):
        return [name for name in inputs if name != "sar"]
    return inputs


def _levels(levels: list[str], bands: int) -> list[str]:
    """Networks for pictures take Sentinel scenes when they have the bands of one."""
    return [level for level in levels if level != "picture" or bands < 13]
