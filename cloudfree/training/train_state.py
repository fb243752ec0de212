"""A training that is under way: all that it must remember to go on after a break."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, NAdam, Optimizer

from cloudfree.core.output_set import draft_of
from cloudfree.errors import ErrorCode, InputError, parser_errors, reason_of
from cloudfree.inference.model_card import ModelCard
from cloudfree.networks.pix2pix import PatchGan
from cloudfree.networks.spa_gan import SpaGanDiscriminator
from cloudfree.training.distributed import ALONE, Processes
from cloudfree.training.loss_registry import LossSpec
from cloudfree.training.settings import TrainingSettings
from cloudfree.training.state_check import check_alike, check_losses, check_optimiser


@dataclass
class ModelAndOptimizer:
    """A network and the optimiser that changes its weights."""

    network: nn.Module
    optimiser: Optimizer

    def state(self) -> dict[str, Any]:
        """What must be remembered."""
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state.

        Raises
        ------
        ValueError
            It is that of another network or optimiser, or damaged.
        """
        check_alike(state["network"], self.network.state_dict(), "network")
        check_optimiser(state["optimiser"], self.optimiser, "optimiser")
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])


@dataclass
class TrainState:
    """The network that learns, its moving average, and how far it is.

    In a GAN `model` is the generator, and there is a `discriminator`. `data` identifies the
    patches; which of them a step sees depends also on the number of `processes`.
    """

    model: ModelAndOptimizer
    average: nn.Module | None
    discriminator: ModelAndOptimizer | None
    scaler: torch.amp.GradScaler
    data: str = ""
    processes: int = 1
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)

    @property
    def result(self) -> nn.Module:
        """The network that is kept."""
        return self.model.network if self.average is None else self.average

    def save(self, path: Path) -> None:
        """Write the checkpoint; a run that is killed meanwhile keeps the one before.

        Raises
        ------
        OSError
            The disk refuses.
        """
        with draft_of(path) as draft:
            self.write(draft)

    def write(self, path: Path) -> None:
        """Write what a checkpoint holds to a file.

        Raises
        ------
        OSError
            The disk refuses.
        """
        try:
            with path.open("wb") as file:
                torch.save(self._state(), file)
        except RuntimeError as error:  # torch ends its archive though the disk has refused
            raise OSError(error.__context__ or error) from error

    def load(self, path: Path) -> None:
        """Go back to a checkpoint.

        Raises
        ------
        InputError
            There is none, it is damaged, or the data or the number of processes has changed.
        """
        state = _read(path)
        if state.keys() != self._state().keys():
            raise InputError(
                f"{path} of another version of cloudfree",
                wanted="a checkpoint of this version",
                hint="go on with that version, or begin a new run with --init-from",
            )
        if state["data"] != self.data:
            raise InputError(
                "other patches than the run began with",
                wanted="the same data set, split and patches",
                hint="restore the data, or begin a new run",
            )
        if state["processes"] != self.processes:
            raise InputError(
                f"{self.processes} processes for a run that began with {state['processes']}",
                wanted="as many, on which depends what each step sees",
                hint="correct torchrun --nproc-per-node or --nnodes, or begin a new run",
            )
        with parser_errors(partial(_unreadable, path)):
            self._restore(state)

    def _state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "seconds": self.seconds,
            "data": self.data,
            "processes": self.processes,
            "losses": self.losses,
            "learner": self.model.state(),
            "average": None if self.average is None else self.average.state_dict(),
            "discriminator": None if self.discriminator is None else self.discriminator.state(),
            "scaler": self.scaler.state_dict(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        own = self._state()
        for name in ("step", "seconds", "average", "scaler"):
            check_alike(state[name], own[name], name)
        check_losses(state["losses"], "losses")
        self.model.restore(state["learner"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        if self.discriminator is not None:
            self.discriminator.restore(state["discriminator"])
        self.scaler.load_state_dict(state["scaler"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.losses = list(state["losses"])


def _read(path: Path) -> dict[str, Any]:
    """The state in a checkpoint."""
    with parser_errors(partial(_unreadable, path)), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise TypeError(f"it is a {type(state).__name__}")
        return state


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path} cannot be read ({type(error).__name__}: {reason_of(error)})",
        wanted="the checkpoint of a run",
        hint="correct -o, or begin a new run with --overwrite instead of --resume",
        code=ErrorCode.UNREADABLE,
    )


def start_training_state(
    network: nn.Module,
    card: ModelCard,
    settings: TrainingSettings,
    objective: LossSpec,
    processes: Processes = ALONE,
    data: str = "",
) -> TrainState:
    """A run before its first step."""
    device = processes.device
    network = network.to(device).train()
    discriminator = _discriminator(card, objective)
    return TrainState(
        model=ModelAndOptimizer(network, _optimiser(network, settings)),
        average=copy.deepcopy(network).eval() if settings.ema_decay else None,
        discriminator=None
        if discriminator is None
        else ModelAndOptimizer(
            discriminator.to(device).train(), _optimiser(discriminator, settings)
        ),
        scaler=torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16"),
        data=data,
        processes=processes.count,
    )


def _discriminator(card: ModelCard, objective: LossSpec) -> nn.Module | None:
    """The discriminator: it sees what the network saw, and the predicted or the true image."""
    condition = len(card.sar_bands) + len(card.optical_bands) * ("optical" in card.inputs)
    image = len(card.output_bands)
    if objective.discriminator == "patches":
        return PatchGan(condition + image)
    return SpaGanDiscriminator(condition, image) if objective.discriminator == "spatial" else None


def _optimiser(network: nn.Module, settings: TrainingSettings) -> Optimizer:
    rate, decay, betas = settings.learning_rate, settings.weight_decay, settings.betas
    parameters = list(network.parameters())
    if settings.optimiser == "adam":
        return Adam(parameters, rate, betas, weight_decay=decay)
    if settings.optimiser == "nadam":
        return NAdam(parameters, rate, betas, weight_decay=decay)
    if settings.optimiser == "sgd":
        return SGD(parameters, rate, momentum=betas[0], weight_decay=decay)
    return AdamW(_groups(parameters, settings), rate, betas)


def _groups(parameters: Iterable[nn.Parameter], settings: TrainingSettings) -> list[dict[str, Any]]:
    """Weights, which decay, and the rest, such as biases and norms, which does not."""
    listed, axes = list(parameters), settings.weight_decay_axes
    decayed = [one for one in listed if one.ndim >= axes]
    rest = [one for one in listed if one.ndim < axes]
    return [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
