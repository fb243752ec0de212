"""A network is shown without weights: what it takes, and which arguments and presets it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.commands.models.show import ShowOptions, run
from cloudfree.commands.models.shown_network import ShownNetwork, shown_network
from cloudfree.core.terminal import silent
from cloudfree.errors import ModelError
from cloudfree.inference import registry
from cloudfree.inference.registry import network_names
from tests.factories.plugin_network import write_plugin


@pytest.mark.parametrize("name", network_names())
def test_every_network_can_be_shown(name: str) -> None:
    shown = shown_network(name)
    assert shown.parameters > 1000
    assert shown.plugin is None
    assert shown.presets
    assert shown.summary().startswith(f"network     {name}: ")


def test_arguments_and_presets_are_those_of_train() -> None:
    shown = shown_network("uncrtaints")
    assert shown.arguments["width"] == 128
    assert list(shown.presets) == ["paper", "time-series"]
    text = shown.summary()
    assert "\ndates       one or several\n" in text
    assert "; image, variance\n" in text
    assert "\nlicence     MIT in the headers" in text


def test_bands_are_those_of_the_default_arguments() -> None:
    shown = shown_network("spa_gan")
    assert shown.card.optical_bands == ("B02", "B03", "B04")
    assert "\nhalo        36 px\n" in shown.summary()
    assert "\nhalo        the whole tile\n" in shown_network("glf_cr").summary()


def test_a_network_of_a_file_is_shown_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_loaded", {})
    path = write_plugin(tmp_path)
    shown = run(ShowOptions("brighten", plugin=(path,)), silent)
    assert isinstance(shown, ShownNetwork)
    assert shown.parameters == 13
    assert f"\nplugin      {path}\n" in shown.summary()
    assert "presets" not in shown.summary()


def test_what_is_neither_model_nor_network_is_refused() -> None:
    with pytest.raises(ModelError, match="no model 'glfcr'"):
        run(ShowOptions("glfcr"), silent)
