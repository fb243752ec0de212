"""Options of `train` become settings that differ from the preset."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from cloudfree.commands.train.options import TrainOptions
from cloudfree.errors import InputError
from cloudfree.inference.registry import network_names
from cloudfree.training.settings import TrainingSettings, choose_settings

OPTIONS = TrainOptions("dsen2_cr", Path("data"), Path("out"))


@pytest.mark.parametrize("network", network_names())
def test_without_options_the_settings_are_the_preset(network: str) -> None:
    changes = replace(OPTIONS, network=network).changes
    assert choose_settings(network, changes) == choose_settings(network, {})


def test_what_is_given_arrives_and_nothing_else_changes() -> None:
    preset = choose_settings("dsen2_cr", {})
    options = replace(OPTIONS, learning_rate=0.125, seed=77, augment=not preset.augment)
    expected = replace(preset, learning_rate=0.125, seed=77, augment=not preset.augment)
    assert choose_settings("dsen2_cr", options.changes) == expected


def test_only_settings_of_a_training_are_changes() -> None:
    names = {field.name for field in fields(TrainingSettings)} - {"network"}
    assert set(OPTIONS.changes) <= names
    assert {"data", "output", "resume", "device"}.isdisjoint(OPTIONS.changes)


def test_arguments_of_the_network_are_read_as_values() -> None:
    options = replace(OPTIONS, network_setting=("features=8", "widths=[1, 2]", "kind=plain"))
    expected = {"features": 8, "widths": [1, 2], "kind": "plain"}
    assert options.changes["network_settings"] == expected


def test_an_argument_without_a_value_is_refused() -> None:
    with pytest.raises(InputError, match="network setting 'features'; wanted NAME=VALUE"):
        _ = replace(OPTIONS, network_setting=("features",)).changes
