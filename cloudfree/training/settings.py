"""Every setting of a training, in one place that is saved beside the checkpoint."""

from __future__ import annotations

import dataclasses
import difflib
import importlib.resources
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, get_args

from cloudfree.core.choices import Optimiser, Sampling, Schedule, TrainingPrecision
from cloudfree.core.typed_entries import structured
from cloudfree.errors import ErrorCode, InputError, parser_errors, reason_of
from cloudfree.inference.model_card import merge_tables, toml_text
from cloudfree.training.ablations import ablation_named

OPTIMISERS: tuple[Optimiser, ...] = get_args(Optimiser)
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)

# Names in the settings of earlier runs, and what they are called now.
_RENAMED = {
    "batch": "batch_size",
    "average": "ema_decay",
    "checkpoint_steps": "checkpoint_every",
    "picture_steps": "sample_every",
}


@dataclass(frozen=True)
class TrainingSettings:
    """All settings that decide the weights, apart from the data.

    A run takes `steps`, or where that is 0 as many as `epochs` need. `crop` is in pixels;
    `batch_size` counts the patches of a step on one device. `augment` flips and turns them.
    `simulate_clouds` is the share of patches whose cloudy image is replaced by the clear one under
    simulated clouds; patches without a cloudy image are always seen so. `schedule` leads from
    `learning_rate` to `final_rate` (cosine, linear after half of the run) or multiplies by `gamma`
    every `decay_epochs` (step), for the first time after `first_decay_epochs` if that is not 0,
    after rising over `warmup_steps`. `clip_norm` limits the norm of
    the gradient; `ema_decay` is the decay of the moving average of the weights, which is then the
    result; 0 turns either off. A checkpoint is written every `checkpoint_every` steps, samples
    every `sample_every` steps or where that is 0 after each epoch. `perceptual_weights` is the file
    of VGG-16 for a loss with a perceptual term, or empty to train without that term. Parameters
    with fewer axes than `weight_decay_axes` do not decay under AdamW. Of time series a network is
    shown as many `dates`. `bands` names the optical bands where their number does not.

    With `sampling` "mixture" a batch is drawn from kinds of scenes by their `shares`
    (scene_samples.py); `imagined_radar` is the share of images without SAR whose SAR is imagined,
    the others have none. With `alternate_crops` every second batch has a quarter as many crops of
    twice the side. `preset` and `ablation` name those that the settings are based on.
    `loss_without` names terms that are left out of the loss.
    """

    network: str
    preset: str = ""
    ablation: str = ""
    network_settings: Mapping[str, Any] = field(default_factory=dict)
    bands: tuple[str, ...] = ()
    loss: str = "l1"
    loss_without: tuple[str, ...] = ()
    optimiser: Optimiser = "adam"
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    weight_decay_axes: int = 2
    schedule: Schedule = "constant"
    gamma: float = 0.5
    decay_epochs: float = 5.0
    first_decay_epochs: float = 0.0
    final_rate: float = 0.0
    warmup_steps: int = 0
    epochs: float = 30.0
    steps: int = 0
    batch_size: int = 4
    crop: int = 256
    dates: int = 1
    alternate_crops: bool = False
    augment: bool = False
    sampling: Sampling = "patches"
    shares: Mapping[str, float] = field(default_factory=dict)
    imagined_radar: float = 0.0
    simulate_clouds: float = 0.0
    clip_norm: float = 0.0
    ema_decay: float = 0.0
    precision: TrainingPrecision = "fp32"
    seed: int = 0
    checkpoint_every: int = 500
    sample_every: int = 0
    perceptual_weights: str = ""

    def steps_for(self, patches: int, processes: int = 1) -> int:
        """How many steps the run takes on so many patches."""
        return self.steps or math.ceil(self.epochs * self.steps_per_epoch(patches, processes))

    def steps_per_epoch(self, patches: int, processes: int = 1) -> float:
        """Steps in which every patch is seen once."""
        return patches / (self.batch_size * processes)


def choose_settings(network: str, changes: Mapping[str, Any]) -> TrainingSettings:
    """A preset of a network with the given changes; None changes nothing.

    Without a change of `preset` it is the first one of the network. An `ablation` goes before the
    preset, and the other changes before both; network settings are added to each other. A change
    of `epochs` also replaces the number of steps of the preset.

    Raises
    ------
    InputError
        The network has no such preset or ablation; lists those it has.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    preset, entries = _preset(network, given.pop("preset", ""))
    if "epochs" in given and "steps" not in given:
        entries.pop("steps", None)
    if name := given.get("ablation", ""):
        entries = merge_tables(entries, ablation_named(network, name).settings)
    own = {**entries.get("network_settings", {}), **given.pop("network_settings", {})}
    fixed = {"network": network, "preset": preset, "network_settings": own}
    return _settings({**entries, **given, **fixed})


def preset_names(network: str) -> list[str]:
    """The presets of a network; the first one is taken without --preset."""
    return list(_presets().get(network, {}))


def preset_sources(network: str) -> dict[str, str]:
    """Where the values of each preset of a network are from, and which are our choice."""
    return {name: preset["source"] for name, preset in _presets().get(network, {}).items()}


def _preset(network: str, name: str) -> tuple[str, dict[str, Any]]:
    """Name and entries of a preset; without a name, of the first one."""
    presets = _presets().get(network, {})
    name = name or next(iter(presets), "")
    if name and name not in presets:
        raise InputError(
            f"no preset {name!r} of network {network}",
            wanted=f"one of {', '.join(presets)}",
            hint="correct --preset",
            code=ErrorCode.BAD_OPTION,
        )
    own = dict(presets.get(name, {}))
    own.pop("source", None)
    return name, own


def parse_network_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Arguments of a network from words such as `channels=32`; values as in TOML, or text.

    Raises
    ------
    InputError
        A word is not NAME=VALUE.
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise InputError(
                f"network setting {pair!r}",
                wanted="NAME=VALUE",
                hint="such as channels=32",
                code=ErrorCode.BAD_OPTION,
            )
        try:
            found[name] = tomllib.loads(f"value = {value}")["value"]
        except (ValueError, RecursionError):
            found[name] = value
    return found


def settings_text(settings: TrainingSettings) -> str:
    """The settings as TOML."""
    return toml_text(dataclasses.asdict(settings))


def read_settings(path: Path) -> TrainingSettings:
    """The settings of a run from its file.

    Raises
    ------
    InputError
        There is no such file, or a setting is of another type or beyond its range.
    """
    return _settings(_entries(path))


def read_own_settings(path: Path, network: str) -> dict[str, Any]:
    """The settings in a file of the user: any of those in the `settings.toml` of a run.

    Raises
    ------
    InputError
        The file cannot be read, is for another network, or has a setting that there is not.
    """
    entries = _entries(path)
    known = [each.name for each in dataclasses.fields(TrainingSettings)]
    for name in entries:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            raise InputError(
                f"unknown setting {name!r} in {path.name}",
                wanted=", ".join(known),
                hint=f"did you mean {close[0]!r}?" if close else "remove it",
                code=ErrorCode.BAD_OPTION,
            )
    if (own := entries.pop("network", network)) != network:
        raise InputError(
            f"settings for network {own} in {path.name}",
            wanted=f"settings for {network}",
            hint="correct the name of the network, or remove it from the file",
            code=ErrorCode.BAD_OPTION,
        )
    _settings({"network": network, **entries})
    return entries


def _entries(path: Path) -> dict[str, Any]:
    """The entries of a file of settings, under the names that they have now."""
    with parser_errors(partial(_unreadable, path)):
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return {_RENAMED.get(name, name): value for name, value in entries.items()}


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path} cannot be read ({type(error).__name__}: {reason_of(error)})",
        wanted="the settings of a run that `cloudfree train` began",
        hint="correct the path, or begin a new run",
        code=ErrorCode.UNREADABLE,
    )


# What a run can be given anew when it resumes: how long it is.
LENGTH = ("steps", "epochs")


def extended(settings: TrainingSettings, changes: Mapping[str, Any]) -> TrainingSettings:
    """The settings of a run with another length, if one is given."""
    given = {name: changes[name] for name in LENGTH if changes.get(name) is not None}
    if "epochs" in given and "steps" not in given:
        given["steps"] = 0
    return dataclasses.replace(settings, **given)


def check_unchanged(settings: TrainingSettings, changes: Mapping[str, Any]) -> None:
    """Refuse to resume with other settings than a run began with, apart from its length.

    Raises
    ------
    InputError
        Names the first setting that differs.
    """
    entries = dataclasses.asdict(settings)
    for name, value in changes.items():
        if name in LENGTH:
            continue
        own: Any = entries[name]
        if isinstance(own, tuple):  # TOML has lists
            own = list(own)
        if isinstance(value, Mapping):
            own = {key: own.get(key) for key in value}
        if value is not None and value != own:
            raise InputError(
                f"{name} = {value} for a run that began with {own}",
                wanted="the settings it began with",
                hint="leave the option out, or begin a new run in another folder",
                code=ErrorCode.BAD_OPTION,
            )


def _settings(entries: Mapping[str, Any]) -> TrainingSettings:
    """The settings with these entries, each of its type and within its range."""
    try:
        settings = structured(entries, TrainingSettings, "settings")
        for name, within in _RANGES.items():
            _check_range(name, getattr(settings, name), within)
    except ValueError as error:
        raise InputError(
            f"settings that no training has ({error})",
            wanted="settings as RUN/settings.toml has them, each of its type and within its range",
            hint="correct it in the file of settings, or give it as an option",
            code=ErrorCode.BAD_OPTION,
        ) from error
    return settings


# Least and largest value of settings, both included; of several numbers, of each.
_LEAST, _MOST = 1e-30, 1e30
_RANGES: dict[str, tuple[float, float]] = {
    "learning_rate": (_LEAST, _MOST),
    "betas": (0.0, 1.0 - 1e-9),
    "weight_decay": (0.0, _MOST),
    "weight_decay_axes": (0, 99),
    "gamma": (_LEAST, _MOST),
    "decay_epochs": (_LEAST, _MOST),
    "final_rate": (0.0, _MOST),
    "warmup_steps": (0, _MOST),
    "epochs": (_LEAST, _MOST),
    "steps": (0, 2**63 - 1),
    "batch_size": (1, 2**31 - 1),
    "crop": (1, 2**31 - 1),
    "dates": (1, 2**31 - 1),
    "shares": (0.0, _MOST),
    "imagined_radar": (0.0, 1.0),
    "simulate_clouds": (0.0, 1.0),
    "clip_norm": (0.0, _MOST),
    "ema_decay": (0.0, 1.0 - 1e-9),
    "seed": (0, 2**63 - 1),
    "checkpoint_every": (1, 2**63 - 1),
    "sample_every": (0, 2**63 - 1),
}


def _check_range(name: str, value: Any, within: tuple[float, float]) -> None:
    low, high = within
    numbers = value.values() if isinstance(value, Mapping) else value
    for number in numbers if isinstance(numbers, Iterable) else [numbers]:
        if not low <= number <= high:
            raise ValueError(f"{name} = {number:g}, not from {low:g} to {high:g}")


def _presets() -> dict[str, Any]:
    text = importlib.resources.files("cloudfree.training") / "presets.toml"
    return tomllib.loads(text.read_text(encoding="utf-8"))
