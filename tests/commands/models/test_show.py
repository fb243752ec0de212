"""The card of a model is shown, or that of a recognised checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.commands.models import convert
from cloudfree.commands.models import show as models_show
from cloudfree.commands.models.convert import ConvertOptions
from cloudfree.commands.models.show import ShowOptions
from cloudfree.core.terminal import silent
from cloudfree.errors import ModelError
from cloudfree.inference.checkpoint import build_network
from tests.factories.checkpoints import save_checkpoint
from tests.inference.test_checkpoint import SMALL


class TestShow:
    def test_a_bare_checkpoint_is_shown_as_what_it_is_recognised_as(self, tmp_path: Path) -> None:
        result = models_show.run(ShowOptions(str(save_checkpoint(tmp_path, "dsen2_cr"))), silent)
        assert (result.card.network, result.card.license) == ("dsen2_cr", "GPL-3.0")
        assert result.card.network_settings["features"] == SMALL["dsen2_cr"]["features"]
        network = build_network("dsen2_cr", SMALL["dsen2_cr"])
        assert result.parameters == sum(p.numel() for p in network.parameters())
        assert "reflectance 0 to 1 becomes 0 to 5" in result.summary()
        assert "VV VH; dB -25 to 0, -32.5 to 0 becomes 0 to 2" in result.summary()
        assert "licence     GPL-3.0" in result.summary()

    def test_the_default_model_is_shown_with_its_scores(self) -> None:
        text = models_show.run(ShowOptions("cloudfree-s"), silent).summary()
        assert text.startswith("model       cloudfree-s\nnetwork     cloudfree_s")
        assert "attribution contains modified Copernicus" in text
        assert "shadow      1 where the cloud mask has a shadow, else 0" in text
        assert "scores" in text

    def test_the_number_of_dates_is_shown(self, tmp_path: Path) -> None:
        for several, dates in ((False, "one"), (True, "one or several")):
            path = save_checkpoint(tmp_path, "uncrtaints", multi_date=several)
            text = models_show.run(ShowOptions(str(path)), silent).summary()
            assert f"\ndates       {dates}\n" in text

    def test_the_network_can_be_named(self, tmp_path: Path) -> None:
        path = str(save_checkpoint(tmp_path, "glf_cr"))
        assert models_show.run(ShowOptions(path), silent).card.network == "glf_cr"
        named = models_show.run(ShowOptions(path, "cloud_attentive"), silent)
        assert named.card.network == "cloud_attentive"

    def test_what_is_no_model_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"no model 'nothing'; wanted one of .*cloudfree-s"):
            models_show.run(ShowOptions("nothing"), silent)

    def test_a_model_goes_before_a_network_of_its_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        convert.run(
            ConvertOptions(str(save_checkpoint(tmp_path, "dsen2_cr")), tmp_path / "glf_cr"), silent
        )
        monkeypatch.setenv("CLOUDFREE_MODELS", str(tmp_path))
        assert models_show.run(ShowOptions("glf_cr"), silent).card.network == "dsen2_cr"
