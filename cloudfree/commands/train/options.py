"""Options of `cloudfree train`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cloudfree.commands.options import OverwriteOptions, PluginOptions, ReachOptions
from cloudfree.core.choices import Optimiser, Schedule, TrainingPrecision
from cloudfree.datasets.sen12mscr import PATCH_PX


@dataclass(frozen=True)
class TrainOptions(PluginOptions, OverwriteOptions, ReachOptions):
    """The options of `cloudfree train`; names equal its parameters.

    Settings that are None are those of the file `settings`, or else of the preset, by default the
    first one of the network.
    """

    network: str
    data: tuple[Path, ...]
    output: Path
    preset: str | None = None
    ablation: str | None = None
    settings: Path | None = None
    split: str | None = None
    hold_out: tuple[str, ...] = ()
    groups: Path | None = None
    patch: int = PATCH_PX
    s2_offset: float | None = None
    init_from: str | None = None
    resume: bool = False
    network_setting: tuple[str, ...] = ()
    loss: str | None = None
    perceptual_weights: str | None = None
    optimiser: Optimiser | None = None
    learning_rate: float | None = None
    schedule: Schedule | None = None
    batch_size: int | None = None
    crop: int | None = None
    dates: int | None = None
    augment: bool | None = None
    simulate_clouds: float | None = None
    steps: int | None = None
    epochs: float | None = None
    clip_norm: float | None = None
    ema_decay: float | None = None
    precision: TrainingPrecision | None = None
    seed: int | None = None
    checkpoint_every: int | None = None
    sample_every: int | None = None
    device: str = "auto"
    num_workers: int = 2

    @property
    def changes(self) -> dict[str, Any]:
        """The settings that differ from the preset: those of the file, and over them the options.

        Raises
        ------
        InputError
            The file cannot be used, or an argument of the network is not NAME=VALUE.
        """
        from cloudfree.training.settings import (
            TrainingSettings,
            parse_network_settings,
            read_own_settings,
        )

        names = {each.name for each in fields(TrainingSettings)} - {"network"}
        given = {name: value for name, value in vars(self).items() if name in names}
        file = read_own_settings(self.settings, self.network) if self.settings else {}
        own = {
            **file.get("network_settings", {}),
            **parse_network_settings(self.network_setting),
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        return {**given, **file, **chosen, **({"network_settings": own} if own else {})}
