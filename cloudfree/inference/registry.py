"""The table of networks: what each is and how it is fed, without loading any."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from typing import Any

from cloudfree.errors import ModelError

Entry = dict[str, Any]

DEFAULT_MODEL = "cloudfree-s"

# The constructor argument with which a network of "one or several" dates takes several.
SEVERAL_DATES = "multi_date"


@functools.cache
def _catalogue() -> dict[str, Any]:
    text = importlib.resources.files("cloudfree.networks") / "registry.toml"
    return tomllib.loads(text.read_text(encoding="utf-8"))


def network_names() -> list[str]:
    """Names of all networks in the order in which checkpoints are compared with them."""
    return list(_catalogue()["networks"])


def network_entry(name: str) -> Entry:
    """The table of one network.

    Raises
    ------
    ModelError
        There is no network of that name; lists those there are.
    """
    networks = _catalogue()["networks"]
    if name not in networks:
        raise ModelError(
            f"no network {name!r}",
            wanted=f"one of {', '.join(networks)}",
            hint="correct the name; `cloudfree models list` shows all",
        )
    entry: Entry = networks[name]
    return entry


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
            wanted=f"{', '.join(bands)} bands, or a card that names them",
            hint="write a card.toml with [optical] bands",
        )
    return list(bands[str(number)])


def card_entries(network: str, settings: dict[str, Any]) -> Entry:
    """A card, as its TOML would read, for a network with these constructor arguments.

    It lacks what only a model has: name, weights and their hash.
    """
    entry = network_entry(network)
    number = settings.get("optical_bands") or settings.get("output_bands") or entry.get("bands", 13)
    optical = bands_by_number(number)
    several = settings.get(SEVERAL_DATES, False)
    multiple = entry["dates_multiple" if several else "multiple"]
    returned = entry.get("output_bands", {}).get(str(number), optical)
    output = returned[: settings.get("output_bands", len(optical))]
    card: Entry = {
        "network": network,
        "description": f"{entry['title']} ({entry['paper']})",
        "license": entry["weights_license"],
        "levels": _levels(entry["levels"], len(optical)),
        "inputs": _inputs(entry["inputs"], settings),
        "dates": entry["dates"] if several else "one",
        "network_settings": settings,
        "tile": {"size": entry["tile"], "overlap": entry["overlap"], "multiple": multiple},
        "optical": {"bands": optical, **entry["optical"]},
        "output": {"bands": output},
    }
    if "sar" in card["inputs"]:
        card["sar"] = {"bands": ["VV", "VH"], **entry["sar"]}
    return card


def _inputs(inputs: list[str], settings: dict[str, Any]) -> list[str]:
    """The inputs, without SAR where the network has no band for it."""
    return [name for name in inputs if name != "sar" or settings.get("sar_bands", 2) > 0]


def _levels(levels: list[str], bands: int) -> list[str]:
    """Networks for pictures take Sentinel scenes when they have the bands of one."""
    return [level for level in levels if level != "picture" or bands < 13]
