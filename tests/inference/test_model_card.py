"""A card that is written is the card that is read."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.errors import ModelError
from cloudfree.inference.model_card import (
    ModelCard,
    card_entries_of,
    card_start,
    model_card,
    parse_card_text,
    toml_text,
)
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL, card_entries, network_names

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBER = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
PLAIN = TEXT | st.booleans() | NUMBER
VALUE = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(TEXT, PLAIN, max_size=3)
TABLE = st.dictionaries(TEXT, VALUE, max_size=4)


def _card(network: str) -> ModelCard:
    own = {"name": "one", "weights": "a.safetensors", "weights_sha256": "0" * 64}
    return model_card({**card_entries(network, {}), **own})


@pytest.mark.parametrize("network", network_names())
def test_the_card_of_every_network_survives(network: str) -> None:
    card = _card(network)
    assert model_card(parse_card_text(toml_text(card_entries_of(card)))) == card


def test_the_card_of_the_default_model_survives_with_its_attribution() -> None:
    card = read_card(find_model(DEFAULT_MODEL))
    assert "Copernicus" in card.attribution
    assert model_card(parse_card_text(toml_text(card_entries_of(card)))) == card


@pytest.mark.parametrize(
    "name",
    ["/data/a.safetensors", "../a.safetensors", "b/../../a.onnx", "C:\\a.onnx", "\\\\host\\a.onnx",
     "..\\a.onnx", "c:a.onnx"],
)  # fmt: skip
def test_weights_that_lie_elsewhere_than_the_card_are_refused(name: str) -> None:
    own = {"name": "one", "weights": name, "weights_sha256": "0" * 64}
    with pytest.raises(ModelError, match="not a file in the folder of the card"):
        model_card({**card_entries("glf_cr", {}), **own})
    own["weights"] = "below/a.safetensors"
    assert model_card({**card_entries("glf_cr", {}), **own}).weights == "below/a.safetensors"


@given(TEXT, TABLE)
def test_whatever_a_card_says_is_read_back(description: str, training: dict) -> None:
    card = dataclasses.replace(_card("glf_cr"), description=description, training=training)
    assert model_card(parse_card_text(toml_text(card_entries_of(card)))) == card


def test_what_becomes_of_other_levels_is_a_warning_unless_the_card_refuses() -> None:
    card = _card("glf_cr")
    assert card.other_levels == "warn"
    strict = dataclasses.replace(card, other_levels="refuse")
    assert model_card(parse_card_text(toml_text(card_entries_of(strict)))) == strict


def test_a_card_that_knows_another_word_for_other_levels_is_refused() -> None:
    entries = {**card_entries_of(_card("glf_cr")), "other_levels": "ignore"}
    with pytest.raises(ModelError, match="other_levels = 'ignore', neither of warn and refuse"):
        model_card(entries)


def test_a_card_says_how_many_dates_the_network_takes() -> None:
    card = _card("uncrtaints")
    assert not card.takes_several_dates
    assert "dates" not in card_entries_of(card), "one is what is meant without a word"
    several = dataclasses.replace(card, dates="one or several")
    assert several.takes_several_dates
    assert model_card(parse_card_text(toml_text(card_entries_of(several)))) == several
    with pytest.raises(ModelError, match="dates = 'many', neither of one and one or several"):
        model_card({**card_entries_of(card), "dates": "many"})


def test_tables_stand_behind_what_stands_alone() -> None:
    text = toml_text({"tile": {"size": 4}, "name": 'a "b"', "odd key": [1.5, [True]]})
    assert text.startswith('name = "a \\"b\\""\n"odd key" = [')
    assert text.endswith("\n[tile]\nsize = 4\n")


def test_a_misspelt_key_is_refused_with_the_one_that_was_meant() -> None:
    entries = card_entries_of(_card("glf_cr"))
    entries["tile"] |= {"overlpa": 3}
    with pytest.raises(
        ModelError, match=r"unknown key 'overlpa' .*; wanted size, overlap, .*mean 'overlap'"
    ):
        model_card(entries)
    with pytest.raises(ModelError, match=r"unknown key 'licence' .*mean 'license'"):
        model_card({**card_entries_of(_card("glf_cr")), "licence": "MIT"})


def test_a_partial_table_is_completed_from_the_registry(tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_text(
        'name = "one"\nnetwork = "glf_cr"\nweights = "a"\nweights_sha256 = ""\n'
        "[tile]\noverlap = 16\n[optical]\nclip = [0.0, 0.5]\n"
    )
    card, usual = read_card(tmp_path), _card("glf_cr")
    assert (card.tile, card.overlap, card.multiple) == (usual.tile, 16, usual.multiple)
    assert card.optical_scaling.clip == ((0.0, 0.5),) * len(usual.optical_bands)
    assert card.sar_scaling == usual.sar_scaling


def test_an_entry_of_the_wrong_shape_is_refused_with_its_path() -> None:
    entries = {**card_entries_of(_card("glf_cr")), "tile": {"size": "wide"}}
    with pytest.raises(ModelError, match=r"a model card that cannot be read \(.*card\.tile"):
        model_card(entries)


def _entries(network: str = "glf_cr") -> dict:
    own = {"name": "one", "weights": "a.safetensors", "weights_sha256": "0" * 64}
    return {**card_entries(network, {}), **own}


@pytest.mark.parametrize("table", ["optical", "sar"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"clip": [1.0, 0.0]},
        {"clip": [0.5, 0.5]},
        {"clip": [0.0, float("inf")]},
        {"scale": [1.0, 0.0]},
        {"scale": [0.0, float("nan")]},
    ],
)
def test_a_scaling_that_turns_numbers_over_or_into_nothing_is_refused(
    table: str, wrong: dict
) -> None:
    entries = _entries()
    entries[table] = {**entries[table], **wrong}
    with pytest.raises(ModelError, match=r"not from less to more|not a finite number"):
        model_card(entries)


@pytest.mark.parametrize("bands", [["VH", "VV"], ["VV"], ["HH", "HV"]])
def test_polarisations_that_a_network_is_not_given_are_refused(bands: list[str]) -> None:
    entries = _entries()
    clip = entries["sar"]["clip"][: len(bands)]
    entries["sar"] = {**entries["sar"], "bands": bands, "clip": clip}
    with pytest.raises(ModelError, match=r"bands of sar = .* but networks are given VV, VH"):
        model_card(entries)


@pytest.mark.parametrize(
    ("table", "wrong", "text"),
    [
        ("output", {"bands": ["B02", "B02"]}, "one of them twice"),
        ("optical", {"bands": ["B99"]}, "not of Sentinel-2"),
        ("output", {"bands": ["B02", "blue"]}, "not of Sentinel-2"),
        ("tile", {"size": 0}, "tile of size 0"),
        ("tile", {"overlap": -1}, "overlap -1"),
        ("tile", {"multiple": 0}, "multiple 0"),
    ],
)
def test_bands_and_tiles_that_cannot_be_are_refused(table: str, wrong: dict, text: str) -> None:
    entries = _entries()
    entries[table] = {**entries[table], **wrong}
    with pytest.raises(ModelError, match=text):
        model_card(entries)


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ({"name": 5}, "5, not a text @ card.name"),
        ({"levels": "L1C"}, "'L1C', not a list @ card.levels"),
        ({"tile": [256]}, "not a table @ card.tile"),
        ({"inputs": []}, r"inputs \[\], not some of optical, sar, shadow"),
        ({"inputs": ["optical", "heat"]}, r"inputs .*, not some of optical, sar, shadow"),
        ({"inputs": ["optical", "optical"]}, r"inputs .*, not some of"),
    ],
)
def test_an_entry_of_another_type_is_refused(entries: dict, text: str) -> None:
    with pytest.raises(ModelError, match=rf"a model card that cannot be read \(.*{text}"):
        model_card({**_entries(), **entries})


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ({"optical": 3}, "3, not a table @ card.optical"),
        ({"optical": {"bands": "B02"}}, "not a list @ card.optical.bands"),
        ({"network": ["glf_cr"]}, "not a text @ card.network"),
        ({"network_settings": [1]}, "not a table @ card.network_settings"),
    ],
)
def test_what_decides_about_defaults_is_checked_first(entries: dict, text: str) -> None:
    with pytest.raises(ModelError, match=text):
        card_start(entries)


def test_a_card_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(
        ModelError, match=r"card\.toml cannot be read .*; wanted the card of a model"
    ):
        read_card(tmp_path)


@pytest.mark.parametrize("text", ["name = ", "a = " + "[" * 100_000, "a = " + "1" * 5000])
def test_a_text_that_is_no_toml_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"a model card that cannot be read \("):
        parse_card_text(text)
