"""Settings: presets, changes, and what is saved of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.errors import InputError
from cloudfree.inference.registry import network_entry, network_names
from cloudfree.training.loss_registry import OBJECTIVES
from cloudfree.training.settings import (
    OPTIMISERS,
    SCHEDULES,
    check_unchanged,
    choose_settings,
    parse_network_settings,
    preset_names,
    preset_sources,
    read_own_settings,
    read_settings,
    settings_text,
)


@pytest.mark.parametrize("network", network_names())
def test_every_preset_says_where_its_values_are_from(network: str) -> None:
    sources = preset_sources(network)
    assert list(sources) == preset_names(network)
    assert all(sources.values()) and len(set(sources.values())) == len(sources)


def test_text_and_code_of_a_paper_are_two_presets() -> None:
    for network, changed in (
        ("glf_cr", {"first_decay_epochs"}),
        ("cloud_attentive", {"first_decay_epochs", "learning_rate", "loss"}),
    ):
        text, code = (vars(choose_settings(network, {"preset": p})) for p in ("paper", "code"))
        assert {name for name in text if text[name] != code[name]} == {"preset", *changed}
    assert "Printed: " in preset_sources("cloud_attentive")["paper"]
    assert "Our choice: " in preset_sources("cloud_attentive")["paper"]


@pytest.mark.parametrize("network", network_names())
def test_every_network_has_a_preset_that_fits_it(network: str) -> None:
    settings = choose_settings(network, {})
    assert settings != choose_settings("none", {"network_settings": settings.network_settings})
    assert settings.loss in OBJECTIVES
    assert settings.optimiser in OPTIMISERS
    assert settings.schedule in SCHEDULES
    entry = network_entry(network)
    assert settings.crop % entry["multiple"] == 0
    assert set(OBJECTIVES[settings.loss].needs) <= set(entry["outputs"])


def test_the_preset_of_the_default_model() -> None:
    settings = choose_settings("cloudfree_s", {"preset": "default", "steps": 30})
    assert (settings.preset, settings.sampling, settings.steps) == ("default", "mixture", 30)
    assert sum(settings.shares.values()) == pytest.approx(1.0)
    assert settings.network_settings == {"specks_shown": True}
    assert choose_settings("cloudfree_s", {}).preset == preset_names("cloudfree_s")[0] == "pairs"


def test_a_preset_that_is_not_there_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        InputError,
        match=r"^no preset 'best' of network cloudfree_s; wanted one of pairs, default; correct",
    ):
        choose_settings("cloudfree_s", {"preset": "best"})
    with pytest.raises(InputError, match="of network glf_cr; wanted one of paper, code;"):
        choose_settings("glf_cr", {"preset": "default"})


@given(
    rate=st.floats(1e-9, 1),
    steps=st.integers(0, 10**6),
    augment=st.booleans(),
    widths=st.lists(st.integers(1, 99), min_size=1),
)
def test_what_is_saved_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    rate: float,
    steps: int,
    augment: bool,
    widths: list[int],
) -> None:
    settings = choose_settings(
        "ib_hfn",
        {"learning_rate": rate, "steps": steps, "augment": augment,
         "network_settings": {"widths": widths}},
    )  # fmt: skip
    path = tmp_path_factory.mktemp("run") / "settings.toml"
    path.write_text(settings_text(settings), encoding="utf-8")
    assert read_settings(path) == settings


def test_epochs_take_the_place_of_the_steps_of_a_preset() -> None:
    assert choose_settings("cloudfree_s", {}).steps_for(100) == 3100
    settings = choose_settings("cloudfree_s", {"epochs": 2, "batch_size": 8})
    assert settings.steps_for(100) == 25
    assert settings.steps_for(100, processes=2) == 13


def test_network_settings_join_those_of_the_preset() -> None:
    settings = choose_settings("spa_gan", {"network_settings": {"channels": 8}})
    assert settings.network_settings == {"optical_bands": 13, "output_bands": 13, "channels": 8}


def test_values_of_a_network_are_numbers_lists_or_words() -> None:
    words = ("channels=8", "widths=[8, 16]", "dropout=false", "block=residual")
    assert parse_network_settings(words) == {
        "channels": 8, "widths": [8, 16], "dropout": False, "block": "residual",
    }  # fmt: skip


def test_only_what_differs_is_refused() -> None:
    settings = choose_settings("dsen2_cr", {"network_settings": {"features": 8, "blocks": 2}})
    check_unchanged(settings, {"loss": "carl", "seed": None, "network_settings": {"blocks": 2}})
    with pytest.raises(InputError, match=r"network_settings = .*3.* for a run .*2"):
        check_unchanged(settings, {"network_settings": {"blocks": 3}})


def test_a_file_that_is_no_recipe(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("colour = 3\nnetwork = 'a'")
    with pytest.raises(InputError, match=r"settings that no training has \(unknown entry 'colour'"):
        read_settings(path)
    path.write_text("network = ")
    with pytest.raises(InputError, match=r"TOMLDecodeError.*; wanted the settings of a run"):
        read_settings(path)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("learning_rate = 'fast'", "'fast', not a finite number @ settings.learning_rate"),
        ("learning_rate = -1.0", "learning_rate = -1, not from"),
        ("betas = [0.9]", "settings.betas"),
        ("betas = [0.9, 1.5]", "betas = 1.5, not from 0 to"),
        ("batch_size = 0", "batch_size = 0, not from 1"),
        ("crop = 1.5", "1.5, not a whole number @ settings.crop"),
        ("optimiser = 'best'", "'best', none of adam, adamw, nadam, sgd @ settings.optimiser"),
        ("loss = ['l1']", "not a text @ settings.loss"),
        ("bands = 'B02'", "'B02', not a list @ settings.bands"),
        ("seed = 2021-01-01", "not a whole number @ settings.seed"),
        ("network_settings = 3", "3, not a table @ settings.network_settings"),
        ("shares = { sea = -1.0 }", "shares = -1, not from 0"),
        ("ema_decay = nan", "nan, not a finite number @ settings.ema_decay"),
    ],
)
def test_a_setting_of_another_type_or_range_is_named(tmp_path: Path, line: str, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(line)
    with pytest.raises(InputError, match=text):
        read_own_settings(path, "dsen2_cr")
    path.write_text(f"network = 'dsen2_cr'\n{line}")
    with pytest.raises(InputError, match=text):
        read_settings(path)


def test_arguments_of_a_network_in_a_file_are_a_table(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("network_settings = 'concat'")
    with pytest.raises(InputError, match=r"'concat', not a table @ settings\.network_settings"):
        read_own_settings(tmp_path / "s.toml", "glf_cr")


def test_settings_of_an_earlier_release_are_read(tmp_path: Path) -> None:
    now = choose_settings("dsen2_cr", {"batch_size": 7, "ema_decay": 0.5, "sample_every": 9})
    text = settings_text(now).replace("batch_size", "batch").replace("ema_decay", "average")
    text = text.replace("checkpoint_every", "checkpoint_steps")
    (tmp_path / "s.toml").write_text(text.replace("sample_every", "picture_steps"))
    assert read_settings(tmp_path / "s.toml") == now
