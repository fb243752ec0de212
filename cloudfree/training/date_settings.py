"""Whether a training can show a network as many dates as its settings ask for."""

from __future__ import annotations

from cloudfree.errors import ErrorCode, InputError
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.registry import SEVERAL_DATES, network_entry
from cloudfree.training.loss_registry import loss_named
from cloudfree.training.settings import TrainingSettings


def check_dates(settings: TrainingSettings, card: ModelCard) -> None:
    """Refuse several dates where the network takes one, or the sampling or loss knows one.

    Raises
    ------
    InputError
        Names what does not go with several dates.
    """
    if settings.dates == 1:
        return
    if not card.takes_several_dates:
        raise _one_date(settings)
    if settings.sampling == "mixture":
        raise InputError(
            f"--dates {settings.dates} for a mixture of scenes of one date",
            wanted="--dates 1, or a preset that samples patches",
            hint="choose another --preset",
            code=ErrorCode.BAD_OPTION,
        )
    if loss_named(settings.loss).discriminator:
        raise InputError(
            f"loss {settings.loss} for {settings.dates} dates",
            wanted="a loss without discriminator, which sees one date",
            hint="choose another --loss",
            code=ErrorCode.BAD_OPTION,
        )


def _one_date(settings: TrainingSettings) -> InputError:
    """The refusal, with the way out that this network has."""
    can = network_entry(settings.network)["dates"] != "one"
    return InputError(
        f"--dates {settings.dates} for network {settings.network} of one date",
        wanted="--dates 1, or a network of several dates",
        hint=f"build it with --network-setting {SEVERAL_DATES}=true"
        if can
        else "choose a network that takes several, as `cloudfree models list` shows",
        code=ErrorCode.BAD_OPTION,
    )
