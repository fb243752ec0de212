"""Ablations by name: what they leave out is left out, and all of them train."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.evaluate import run as evaluate
from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.commands.train import run as train
from cloudfree.commands.train.options import TrainOptions
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.load import load_model
from cloudfree.inference.model_store import read_card
from cloudfree.losses.ib_hfn_loss import TERMS
from cloudfree.networks.glf_cr import VARIANTS
from cloudfree.training.ablations import Ablation, ablation_named, ablation_names, ablations
from cloudfree.training.loss_registry import loss_named
from cloudfree.training.settings import choose_settings, read_settings, settings_text
from tests.factories.sample_folders import write_triplet
from tests.factories.training_runs import words
from tests.inference.test_checkpoint import SMALL

ALL = [pytest.param(one, id=f"{one.network} {one.name}") for one in ablations()]


@pytest.fixture(scope="module")
def patches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("patches")
    for number in range(2):
        write_triplet(folder, f"p{number}", 32, seed=number)
    return folder


def _trained(ablation: Ablation, data: Path, output: Path) -> Path:
    """Two steps of a small network."""
    own = ablation.settings.get("network_settings", {})
    small = {name: value for name, value in SMALL[ablation.network].items() if name not in own}
    options = TrainOptions(
        ablation.network, (data,), output, ablation=ablation.name, network_setting=words(small),
        steps=2, batch_size=1, crop=32, device="cpu", s2_offset=0.0,
    )  # fmt: skip
    assert math.isfinite(train.run(options, silent).last_loss)
    return output


@pytest.mark.parametrize("ablation", ALL)
def test_every_ablation_trains_and_is_a_model(
    ablation: Ablation, patches: Path, tmp_path: Path
) -> None:
    run = _trained(ablation, patches, tmp_path / "run")
    assert read_card(run).training["ablation"] == ablation.name
    assert read_settings(run / "settings.toml").ablation == ablation.name
    assert load_model(str(run), "cpu").card.network == ablation.network


def test_without_sar_no_radar_is_demanded(patches: Path, tmp_path: Path) -> None:
    for file in patches.glob("*_s2_*.tif"):
        (tmp_path / file.name).symlink_to(file)
    ablation = ablation_named("glf_cr", "without-sar")
    run = _trained(ablation, tmp_path, tmp_path / "run")
    assert read_card(run).inputs == ("optical",)
    scored = evaluate.run(EvaluateOptions(data=tmp_path, model=(str(run),), device="cpu"), silent)
    assert len(scored.patches) == 2
    with pytest.raises(InputError, match="no Sentinel-1, which network glf_cr needs"):
        _trained(ablation_named("glf_cr", "concat"), tmp_path, tmp_path / "other")


@pytest.mark.parametrize("ablation", ALL)
def test_an_ablation_differs_from_its_preset_in_what_it_says(ablation: Ablation) -> None:
    preset = vars(choose_settings(ablation.network, {}))
    changed = vars(choose_settings(ablation.network, {"ablation": ablation.name}))
    differing = {name for name in preset if preset[name] != changed[name]}
    assert differing == {"ablation", *ablation.settings}
    assert ablation.settings and ablation.without and ablation.source


@pytest.mark.parametrize("network", sorted({one.network for one in ablations()}))
def test_no_two_ablations_of_a_network_are_the_same(network: str) -> None:
    own = [one.settings for one in ablations() if one.network == network]
    assert all(one != other for index, one in enumerate(own) for other in own[:index])
    assert len(set(ablation_names(network))) == len(own)


def test_the_tables_of_glf_cr_are_its_variants() -> None:
    assert set(ablation_names("glf_cr")) == {
        name for name in VARIANTS if name != "glf-cr" and not name.startswith("cloud-attentive")
    }


def test_every_term_of_the_loss_of_ib_hfn_can_be_left_out() -> None:
    single = [
        settings["loss_without"]
        for settings in (one.settings for one in ablations() if one.network == "ib_hfn")
        if "network_settings" not in settings
    ]
    assert sorted(single) == sorted([term] for term in TERMS)


@pytest.mark.parametrize("name", ablation_names("ib_hfn"))
def test_a_part_is_left_out_with_the_term_that_needs_it(name: str) -> None:
    settings = choose_settings("ib_hfn", {"ablation": name})
    network = build_network("ib_hfn", {**SMALL["ib_hfn"], **settings.network_settings}).train()
    outputs = network(torch.rand(1, 13, 16, 16), torch.rand(1, 2, 16, 16))
    assert set(loss_named(settings.loss, settings.loss_without).needs) <= set(outputs)


def test_options_go_before_an_ablation_and_an_ablation_before_the_preset() -> None:
    given = {"ablation": "without-gate", "network_settings": {"bottleneck": 4}, "loss": "l1"}
    settings = choose_settings("ib_hfn", given)
    assert settings.network_settings == {"gate": False, "bottleneck": 4}
    assert settings.loss == "l1"
    assert choose_settings("cloud_attentive", {}).loss == "cloud-aware"
    unweighted = choose_settings("cloud_attentive", {"ablation": "unweighted-loss"})
    assert (unweighted.loss, unweighted.learning_rate) == ("l2-structure", 1e-5)


@given(st.sampled_from(ablations()))
def test_an_ablation_is_saved_with_the_settings(
    tmp_path_factory: pytest.TempPathFactory, ablation: Ablation
) -> None:
    settings = choose_settings(ablation.network, {"ablation": ablation.name})
    path = tmp_path_factory.mktemp("run") / "settings.toml"
    path.write_text(settings_text(settings), encoding="utf-8")
    assert read_settings(path) == settings


def test_an_ablation_that_is_not_there_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"^no ablation 'x' of network sg_bafm_dfin; wanted one of "
                       r"base, base-sg-bafm, base-dfin; see `cloudfree train --list"):  # fmt: skip
        choose_settings("sg_bafm_dfin", {"ablation": "x"})
    with pytest.raises(InputError, match="of network dsen2_cr; wanted no --ablation: it has none"):
        choose_settings("dsen2_cr", {"ablation": "concat"})
