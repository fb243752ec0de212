"""Which trainings can show a network several dates."""

from __future__ import annotations

from typing import Any

import pytest

from cloudfree.errors import InputError
from cloudfree.inference.model_card import model_card
from cloudfree.inference.registry import card_entries
from cloudfree.training.date_settings import check_dates
from cloudfree.training.settings import choose_settings


def _check(network: str, **changes: Any) -> int:
    """How many dates a network is shown, if it can be."""
    settings = choose_settings(network, changes)
    own = {"name": "a", "weights": "", "weights_sha256": ""}
    check_dates(settings, model_card({**card_entries(network, settings.network_settings), **own}))
    return settings.dates


def test_every_network_can_be_shown_one_date() -> None:
    assert _check("glf_cr") == 1
    assert _check("cloudfree_s", preset="default") == 1
    assert _check("uncrtaints", network_settings={"multi_date": True}) == 1


def test_the_preset_for_time_series_shows_three() -> None:
    assert _check("uncrtaints", preset="time-series") == 3


@pytest.mark.parametrize(
    ("network", "changes", "text"),
    [
        ("glf_cr", {}, "--dates 2 for network glf_cr of one date; .*choose a network that takes"),
        ("uncrtaints", {}, "of one date; .*build it with --network-setting multi_date=true"),
        ("uncrtaints", {"preset": "time-series", "loss": "gan-l1"}, "loss gan-l1 for 2 dates"),
        (
            "uncrtaints",
            {"preset": "time-series", "sampling": "mixture"},
            "--dates 2 for a mixture of scenes of one date; .*choose another --preset",
        ),
    ],
)
def test_what_knows_one_date_is_refused_with_several(
    network: str, changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(InputError, match=text):
        _check(network, dates=2, **changes)
