"""Models and networks are listed without loading them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.commands.models import list as models_list
from cloudfree.core.terminal import silent
from cloudfree.inference.registry import network_names
from tests.factories.toy_network import plant


class TestList:
    def test_models_and_networks_are_listed(self, monkeypatch, tmp_path: Path) -> None:
        folder = plant(monkeypatch, tmp_path)
        result = models_list.run(models_list.ListOptions(), silent)
        listed = {model.name: model for model in result.models}
        assert {"cloudfree-s", "toy-one"} <= listed.keys()
        assert (listed["toy-one"].network, listed["toy-one"].license) == ("toy", "CC0-1.0")
        assert listed["toy-one"].folder == folder
        assert [network.name for network in result.networks] == [*network_names()]
        halos = {network.name: network.halo_px for network in result.networks}
        assert (halos["dsen2_cr"], halos["glf_cr"]) == (34, None)

    def test_the_tables_are_for_reading(self) -> None:
        lines = models_list.run(models_list.ListOptions(), silent).summary().splitlines()
        assert lines[0].split() == ["model", "network", "inputs", "levels", "size", "licence"]
        (line,) = [line for line in lines if line.startswith("spa_gan")]
        assert "optical" in line
        assert "image, attention" in line
        assert "36 px" in line
        assert "MIT" in line
        assert line.endswith("Pan, arXiv 2009.13015 (2020)")

    def test_a_card_that_cannot_be_read_is_a_warning(
        self, monkeypatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (plant(monkeypatch, tmp_path) / "card.toml").write_text("name =")
        result = models_list.run(models_list.ListOptions(), silent)
        assert "toy-one" not in {model.name for model in result.models}
        assert "model toy-one: a model card that cannot be read" in caplog.text
