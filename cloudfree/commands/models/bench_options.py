"""Options of `cloudfree models bench`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.options import OverwriteOptions, PluginOptions
from cloudfree.core.choices import Precision

# Sides of the tiles of the papers: the crops of their trainings, and the patches of their data.
SIZES = (128, 256)


@dataclass(frozen=True)
class BenchOptions(PluginOptions, OverwriteOptions):
    """The options of `cloudfree models bench`; names equal its parameters.

    Without `model` all networks of the registry are measured. `network_setting` are arguments of
    networks, which have those of their preset otherwise; models have their own.
    """

    model: tuple[str, ...] = ()
    size: tuple[int, ...] = SIZES
    device: tuple[str, ...] = ("auto",)
    precision: Precision = "auto"
    repeats: int = 3
    network_setting: tuple[str, ...] = ()
    output: tuple[Path, ...] = ()
